/**
 * The names, each once: what repeats an earlier one gets a number. Case is not told apart, as on some file systems.
 */
export function uniqueNames(names: readonly string[]): string[] {
  const given = new Set(names.map((name) => name.toLowerCase()))
  const taken = new Set<string>()
  return names.map((name) => {
    let free = name
    for (let n = 2; taken.has(free.toLowerCase()) || (free !== name && given.has(free.toLowerCase())); n++)
      free = `${name}-${n}`
    taken.add(free.toLowerCase())
    return free
  })
}
