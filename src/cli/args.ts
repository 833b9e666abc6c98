import { VeritensorError } from '../errors.ts'

/** One `--option` of a command. */
export type OptionSpec = {
  readonly type: 'flag' | 'string' | 'integer' | 'number' | 'strings'
  /** Placeholder in the help, such as PATH; `strings` options take every word up to the next option. */
  readonly value?: string
  readonly choices?: readonly string[]
  /** Bounds of an integer or a number. */
  readonly min?: number
  readonly max?: number
  readonly short?: string
  readonly required?: boolean
  readonly help: string
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>

type OptionValue<S extends OptionSpec> = S['type'] extends 'flag'
  ? boolean
  : S['type'] extends 'integer' | 'number'
    ? number | undefined
    : S['type'] extends 'strings'
      ? readonly string[]
      : string | undefined

export type Options<S extends OptionSpecs> = { readonly [K in keyof S]: OptionValue<S[K]> }

/** The command line can't be understood. */
export class UsageError extends VeritensorError {
  constructor(message: string, fix?: string) {
    super('usage/command-line', message, fix === undefined ? {} : { fix })
  }
}

/**
 * Splits words into options and positional arguments. `--name value`, `--name=value`, `-n value`; `--` ends options.
 * Throws UsageError for unknown or repeated options, missing or ill-typed values, missing required ones.
 */
export function parseArguments<S extends OptionSpecs>(
  words: readonly string[],
  specs: S,
): { readonly options: Options<S>; readonly positionals: readonly string[] } {
  const values: Record<string, unknown> = {}
  for (const [name, { type }] of Object.entries(specs))
    values[name] = type === 'flag' ? false : type === 'strings' ? [] : undefined
  const positionals: string[] = []
  const seen = new Set<string>()
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === '--') {
      positionals.push(...words.slice(i + 1))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      positionals.push(word)
      continue
    }
    const [given, inline] = splitAt(word.replace(/^--?/, ''), '=')
    const name = word.startsWith('--') ? given : Object.keys(specs).find((key) => specs[key]!.short === given)
    const spec = name === undefined ? undefined : specs[name]
    if (name === undefined || spec === undefined || !Object.hasOwn(specs, name))
      throw new UsageError(`unknown option ${word.split('=')[0]}`, suggestion(given, Object.keys(specs), '--'))
    if (seen.has(name) && spec.type !== 'strings') throw new UsageError(`option --${name} is given twice`)
    seen.add(name)
    if (spec.type === 'flag') {
      if (inline !== undefined) throw new UsageError(`option --${name} takes no value`)
      values[name] = true
      continue
    }
    const taken: string[] = inline === undefined ? [] : [inline]
    if (inline === undefined) {
      while (
        i + 1 < words.length &&
        !(words[i + 1]!.startsWith('-') && words[i + 1] !== '-') &&
        (taken.length === 0 || spec.type === 'strings')
      )
        taken.push(words[++i]!)
      if (taken.length === 0) throw new UsageError(`option --${name} needs a value: --${name} ${spec.value ?? 'VALUE'}`)
    }
    if (spec.type === 'strings') values[name] = [...(values[name] as string[]), ...taken]
    else values[name] = (spec.type === 'string' ? choice : amount)(name, taken[0]!, spec)
  }
  for (const [name, spec] of Object.entries(specs))
    if (spec.required && !seen.has(name))
      throw new UsageError(`option --${name} ${spec.value ?? ''} is required`.replace(/ +is/, ' is'))
  return { options: values as Options<S>, positionals }
}

function amount(
  name: string,
  text: string,
  { type, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER }: OptionSpec,
): number {
  const value = Number(text)
  const form = type === 'integer' ? /^-?\d+$/ : /^-?\d+(\.\d+)?$/
  if (!form.test(text) || !(value >= min && value <= max))
    throw new UsageError(
      `option --${name}: "${text}" is not ${type === 'integer' ? 'an' : 'a'} ${type} from ${min} to ${max}`,
    )
  return value
}

function choice(name: string, text: string, { choices }: OptionSpec): string {
  if (choices !== undefined && !choices.includes(text))
    throw new UsageError(`option --${name}: "${text}" is not one of ${choices.join(', ')}`)
  return text
}

const splitAt = (text: string, mark: string): [string, string | undefined] => {
  const at = text.indexOf(mark)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** "did you mean": the known word closest to what was typed, if it is close. */
export function suggestion(given: string, known: readonly string[], prefix = ''): string | undefined {
  const ranked = known.map((word) => [editDistance(given, word), word] as const).sort((a, b) => a[0] - b[0])
  const best = ranked[0]
  return best !== undefined && best[0] <= Math.ceil(given.length / 3) ? `did you mean ${prefix}${best[1]}?` : undefined
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}

/** The only positional argument. Throws UsageError with what is expected. */
export function one(positionals: readonly string[], expected: string): string {
  const [first, ...rest] = positionals
  if (first === undefined || rest.length > 0) throw new UsageError(expected)
  return first
}
