/**
 * docs/operators.md: what each operator's file says of it, its opsets, the attributes that it asks for, and the rows of a small
 * use of it.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { thousands } from '../../src/cli/format.ts'
import { ops } from '../../src/ops/index.ts'
import type { Op } from '../../src/ops/op.ts'
import { packageRoot } from '../../src/packageRoot.ts'
import { type Asked, attributesAsked, shapesOf } from './example.ts'
import { EXAMPLE_BITS, rowsOfExample } from './rows.ts'

/** Where the page is. */
export const pagePath = join(packageRoot, 'docs', 'operators.md')

export const writtenPage = (): string => readFileSync(pagePath, 'utf8')

const nameOf = ({ domain, type }: Pick<Op, 'domain' | 'type'>): string => (domain === '' ? type : `${domain}.${type}`)

const domains = ['', 'ai.onnx.ml', 'com.microsoft']

/** Longest line. */
const WIDTH = 120

/** Text in lines of at most WIDTH characters, the later ones indented. */
function wrapped(text: string, indent = '  '): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = `${indent}${word}`
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}

const number = (v: unknown): string =>
  typeof v === 'number' ? String(Math.fround(v) === v ? v : Number(v.toPrecision(7))) : String(v)

const defaultText = (value: unknown): string =>
  value === 'required' ? 'required' : `default ${number(typeof value === 'boolean' ? Number(value) : value) || 'empty'}`

/** An attribute with what it may be, its default, and the opsets that have it. */
function describe(name: string, { kind, opsets: [from, to], defaults }: Asked, [since, last]: Op['opsets']): string {
  const given = defaults.filter(([, value]) => value !== undefined)
  const notes = [
    kind.expects,
    ...given.map(([opset, value], i) => `${defaultText(value)}${i === 0 ? '' : ` from opset ${opset}`}`),
    ...(from > since ? [`from opset ${from}`] : []),
    ...(to < last ? [`to opset ${to}`] : []),
  ]
  return `\`${name}\` (${notes.join('; ')})`
}

function section(op: Op): string {
  const doc = op.doc!
  const [since, last] = op.opsets
  const attributes = [...attributesAsked(op)].map(([name, asked]) => describe(name, asked, op.opsets))
  const rows = rowsOfExample(op)
  const example = shapesOf(doc.example)
  const measured =
    rows === undefined || rows.known ? '' : `; ${example}: ${thousands(rows.rows)} at ${EXAMPLE_BITS} bits`
  return [
    `### ${nameOf(op)}`,
    '',
    wrapped(
      `Opset${since === last ? ` ${since}` : `s ${since} to ${last}`}. Attributes: ${attributes.join(', ') || 'none'}.`,
      '',
    ),
    '',
    wrapped(`- Integers: ${doc.integers}`),
    ...(doc.rows === '' ? [] : [wrapped(`- Rows: ${doc.rows}${measured}`)]),
    ...(doc.error === '' ? [] : [wrapped(`- Largest error: ${doc.error}`)]),
    ...(doc.refuses === undefined ? [] : [wrapped(`- Refused: ${doc.refuses}`)]),
  ].join('\n')
}

const preface = `# Operators

Made by \`npm run docs:operators\` from \`src/ops/\`; a test fails where it is stale. Whatever is not listed is refused by an error
that names node, attribute, value and what is supported.

q is an integer of an input, s its scale and sy that of the result (real = scale · integer), S a shift: results of linear layers and
products are *wide*, in steps of sy / 2^S, until something reads them requantised (docs/integer-model.md). n is the number of
elements of the result, N of the input, k of those that make one element of the result; b the bits of an activation, B those of an
accumulator. "none" means that the result is exact for the integers of the inputs.

Rows: a *clamp* or *requantisation* of B bits takes B + 2 to B + 5, and about the bits of its window more where that is no power of
two; a product 1; a maximum of two b + 3; a table of 2ⁿ entries 46 for n = 8, 94 for n = 10, 190 for n = 12 with the bits of its
index; a table of more bits two of lines, and as many rows as it has bits. Requantising the result is not counted where it is an output, as in the
examples, where rows that bound the inputs and bind the outputs are left out too. Rewriting (src/model/rewrites/) may find fewer.

Errors are for the values that the inputs' integers stand for; rounding the inputs themselves adds half a step of each, and
requantising the result half a step of sy. "Steps" are those of the result.
`

/** The page as it should be. */
export function operatorsPage(): string {
  const named = [...ops].sort((a, b) => nameOf(a).localeCompare(nameOf(b), 'en'))
  const parts = domains.map((domain) => {
    const title = domain === '' ? 'ai.onnx' : domain
    return [`## ${title}`, ...named.filter((op) => op.domain === domain).map(section)].join('\n\n')
  })
  return [preface, ...parts]
    .join('\n')
    .replace(/\n\n\n+/g, '\n\n')
    .concat('\n')
}
