import { type Bounds, type LayerBase, type LayerKind, magnitudeOf, require } from '../layer.ts'
import { type Requantise, requantise, shiftAt } from './requantise.ts'

/**
 * y = table[x - first], elementwise; every x lies in the table's domain. At most 4,096 entries.
 *
 * `table` may hold several functions of the same domain one after the other; the result is then that of the first for all
 * elements, that of the second, and so on. With `rounding`, the requantisation of x is part of it.
 */
export type Lookup = LayerBase & {
  readonly kind: 'lookup'
  readonly table: Float64Array
  /** How many functions there are; 1 where it is left out. */
  readonly functions?: number
  readonly first: number
  readonly rounding?: Pick<Requantise, 'shifts' | 'inner' | 'lo' | 'hi'>
}

/** The table of each function. */
export const tablesOf = ({ table, functions = 1 }: Lookup): Float64Array[] =>
  Array.from({ length: functions }, (_, f) =>
    table.subarray((f * table.length) / functions, ((f + 1) * table.length) / functions),
  )

/** The requantisation that is part of a lookup, as a layer. */
export const roundingOf = ({ name, inputs, rounding }: Lookup, size: number): Requantise | undefined =>
  rounding && { kind: 'requantise', name, inputs, shape: [size], ...rounding }

export const lookup: LayerKind<Lookup> = {
  run(A, layer, [x]) {
    const tables = tablesOf(layer).map((table) => Array.from(table))
    const { rounding, first } = layer
    const results = Array.from(x!, (v, j) =>
      A.lookup(v, tables, first, rounding && { shift: shiftAt(rounding, j), lo: rounding.lo, hi: rounding.hi }),
    )
    return tables.flatMap((_, f) => results.map((of) => of[f]!))
  },
  bounds(layer, [x]) {
    const { table, functions = 1, first } = layer
    const round = roundingOf(layer, x!.size)
    const index: Bounds & { readonly peak?: number } = round === undefined ? x! : requantise.bounds(round, [x!])
    if (index.lo < first || index.hi >= first + table.length / functions)
      throw new RangeError(`lookup: [${index.lo}, ${index.hi}] leaves the table's domain from ${first}`)
    const used = tablesOf(layer).map((of) => of.subarray(index.lo - first, index.hi - first + 1))
    const bounds = {
      lo: Math.min(...used.map((of) => of.reduce((m, v) => Math.min(m, v)))),
      hi: Math.max(...used.map((of) => of.reduce((m, v) => Math.max(m, v)))),
    }
    return { ...bounds, peak: Math.max(magnitudeOf(bounds), magnitudeOf(x!), index.peak ?? 0) }
  },
  validate(layer, [size]) {
    const { table, functions = 1, first, shape } = layer
    require(Number.isInteger(functions) && functions > 0, 'there must be a function')
    const entries = table.length / functions
    require(Number.isInteger(entries) && entries > 0 && entries <= 4096, 'a table has 1 to 4,096 entries')
    require(table.every((v) => Number.isInteger(v) && Math.abs(v) < 2 ** 40), 'entries must be integers below 2^40')
    require(Number.isSafeInteger(first), 'the first index must be an integer')
    require(shape.reduce((n, d) => n * d, 1) === functions * size!, 'the shape does not fit the input')
    const round = roundingOf(layer, size!)
    if (round !== undefined) requantise.validate(round, [size!])
  },
}
