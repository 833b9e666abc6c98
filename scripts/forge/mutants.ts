/** Small changes to Solidity that a test suite should notice: dropped statements and checks, swapped operators, other numbers. */

export type Mutant = {
  readonly line: number
  readonly what: string
  readonly before: string
  /** The line before that. */
  readonly above: string
  readonly after: string
  readonly source: string
}

/** Replacements within a line; each match is a mutant of its own. */
const REPLACEMENTS: readonly (readonly [what: string, pattern: RegExp, by: string])[] = [
  ['comparison', / == /g, ' != '],
  ['comparison', / != /g, ' == '],
  ['comparison', / < /g, ' <= '],
  ['comparison', / > /g, ' >= '],
  ['comparison', / <= /g, ' < '],
  ['comparison', / >= /g, ' > '],
  ['logic', / \|\| /g, ' && '],
  ['logic', / && /g, ' || '],
  ['logic', /\band\(/g, 'or('],
  ['logic', /(?<![\w.])!(?=[\w_(])/g, ''],
  ['arithmetic', / \+ /g, ' - '],
  ['arithmetic', / - /g, ' + '],
  ['arithmetic', / \* /g, ' + '],
  ['arithmetic', /\baddmod\(/g, 'mulmod('],
  ['arithmetic', /\bmulmod\(/g, 'addmod('],
  ['arithmetic', /\badd\(/g, 'sub('],
  ['check', /\blt\((\w+), [RQ]\)/g, '1'],
  ['check', /\beq\((mload\(\w+\)), 1\)/g, '$1'],
  ['check', /\biszero\(/g, '('],
  ['precompile', /staticcall\((.*?), 6, /g, 'staticcall($1, 7, '],
  ['precompile', /staticcall\((.*?), 7, /g, 'staticcall($1, 6, '],
  ['offset', /\b0x20\b/g, '0x40'],
  ['offset', /\b0x40\b/g, '0x20'],
  ['offset', /\b0x([a-f1-9][0-9a-f]{1,2})\b(?!0)/g, '0x60'],
  ['number', /\bshr\(8, /g, 'shr(16, '],
  ['number', /\bshr\(128, /g, 'shr(255, '],
  ['number', /(?<=[ (])31\b/g, '30'],
]

/** Whole statements that may go. */
const STATEMENT =
  /^\s*(if \(.*\) revert .*;|if \(.*\) return .*;|_\w+\(.*\);|\w+ :?= .*|mstore\(.*\)|mcopy\(.*\)|calldatacopy\(.*\)|\w+(\.\w+)? [+]?= .*;)\s*(\/\/.*)?$/

const isCode = (line: string): boolean =>
  !/^\s*(\/\/|\*|\/\*|import|pragma|error|event|using|function|contract|library|abstract|constructor|modifier)/.test(
    line,
  ) &&
  !/^\s*(uint\d*|bytes\d*|string|address) (public |private |internal )?(constant|immutable)/.test(line) &&
  !/^\s*hex"/.test(line) &&
  line.trim() !== ''

/** All mutants of a source between two marks (or all of it). */
export function mutantsOf(source: string, from = '', to = ''): Mutant[] {
  const lines = source.split('\n')
  const first = from === '' ? 0 : lines.findIndex((line) => line.includes(from))
  const last = to === '' ? lines.length : lines.findIndex((line, i) => i > first && line.includes(to))
  if (first < 0 || last < 0) throw new RangeError(`the source has no "${first < 0 ? from : to}"`)
  const mutants: Mutant[] = []
  const add = (i: number, what: string, after: string): void => {
    const changed = [...lines]
    changed[i] = after
    const [above, before] = [lines[i - 1] ?? '', lines[i]!].map((text) => text.trim()) as [string, string]
    mutants.push({ line: i + 1, what, above, before, after: after.trim(), source: changed.join('\n') })
  }
  for (let i = first; i < last; i++) {
    const line = lines[i]!
    if (!isCode(line)) continue
    const code = line.replace(/\s*\/\/.*$/, '')
    // in assembly a bare declaration can't go, its use would not compile
    if (STATEMENT.test(line) && !/^\s*let /.test(line)) add(i, 'dropped', '')
    for (const [what, pattern, by] of REPLACEMENTS)
      for (const match of code.matchAll(pattern)) {
        const after = `${code.slice(0, match.index)}${match[0].replace(new RegExp(pattern.source), by)}${code.slice(match.index + match[0].length)}`
        if (after !== code) add(i, what, after)
      }
  }
  return mutants
}
