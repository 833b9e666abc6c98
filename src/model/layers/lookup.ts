import { type LayerBase, type LayerKind, magnitudeOf, require } from '../layer.ts'

/** y = table[x - first], elementwise; every x lies in the table's domain. At most 4,096 entries. */
export type Lookup = LayerBase & { readonly kind: 'lookup'; readonly table: Float64Array; readonly first: number }

export const lookup: LayerKind<Lookup> = {
  run(A, { table, first }, [x]) {
    const entries = Array.from(table)
    return Array.from(x!, (v) => A.lookup(v, entries, first))
  },
  bounds({ table, first }, [x]) {
    if (x!.lo < first || x!.hi >= first + table.length)
      throw new RangeError(`lookup: [${x!.lo}, ${x!.hi}] leaves the table's domain from ${first}`)
    const used = table.subarray(x!.lo - first, x!.hi - first + 1)
    const bounds = { lo: used.reduce((m, v) => Math.min(m, v)), hi: used.reduce((m, v) => Math.max(m, v)) }
    return { ...bounds, peak: Math.max(magnitudeOf(bounds), magnitudeOf(x!)) }
  },
  validate({ table, first, shape }, [size]) {
    require(table.length > 0 && table.length <= 4096, 'a table has 1 to 4,096 entries')
    require(table.every((v) => Number.isInteger(v) && Math.abs(v) < 2 ** 40), 'entries must be integers below 2^40')
    require(Number.isSafeInteger(first), 'the first index must be an integer')
    require(shape.reduce((n, d) => n * d, 1) === size, 'the shape does not fit the input')
  },
}
