import { bigints, numbers } from '../../../circuits/arithmetic.ts'
import { locate } from '../../../circuits/gadgets/locate.ts'
import { lookupAll } from '../../../circuits/gadgets/lookup.ts'
import { requantise } from '../../../circuits/gadgets/requantise.ts'
import { sizeOf } from '../../tensor.ts'
import type { Layer } from '../layers/index.ts'
import { type Lookup, roundingOf } from '../layers/lookup.ts'
import { ratioOf } from '../layers/rescale.ts'
import type { IntegerModel } from '../model.ts'
import { isUniform } from './clamps.ts'
import { rowsOn } from './cost.ts'
import { type Rebuilder, rebuild } from './rebuild.ts'

/** What a table may hold. */
const fits = (v: number): boolean => Math.abs(v) < 2 ** 40

/** A layer that does the same to every element, as a function. */
function elementFunction(layer: Layer): ((x: number) => number) | undefined {
  if (layer.kind === 'relu') return numbers.relu
  if (layer.kind === 'requantise' && isUniform(layer))
    return (x) => Number(bigints.requantise(BigInt(x), layer.shifts[0]!, layer.lo, layer.hi))
  if (layer.kind === 'rescale' && layer.p.length === 1)
    return (x) => Number(bigints.rescale(BigInt(x), ratioOf(layer, 0), layer.lo, layer.hi))
  if (layer.kind === 'lookup' && layer.functions === undefined && layer.rounding === undefined)
    return (x) => layer.table[x - layer.first]!
  return undefined
}

/** Functions of single elements after a table become part of the table, where nothing else reads it. */
export function mergeIntoTables(model: IntegerModel): IntegerModel {
  return rebuild(model, (layer, to) => {
    const id = layer.inputs[0]!
    const source = layer.inputs.length === 1 ? to.layerOf(id) : undefined
    if (source?.kind !== 'lookup' || source.functions !== undefined || !to.isRead(id, 1)) return undefined
    const f = elementFunction(layer)
    if (f === undefined) return undefined
    // entries that nothing reads may lie outside of a second table's domain
    const domain = domainOf(source, to)
    const used = source.table.map((v, i) => (i + source.first < domain.lo || i + source.first > domain.hi ? 0 : f(v)))
    return used.every(fits) ? to.emit({ ...source, name: layer.name, shape: layer.shape, table: used }) : undefined
  })
}

/** The indices that a lookup may read. */
function domainOf(layer: Lookup, to: Rebuilder): { readonly lo: number; readonly hi: number } {
  const info = to.infoOf(layer.inputs[0]!)
  const round = roundingOf(layer, info.size)
  if (round === undefined) return info
  return to.boundsOf(round)
}

/** A requantisation before a table becomes part of the lookup, where nothing else reads it: its bits serve the table too. */
export function mergeRoundings(model: IntegerModel): IntegerModel {
  return rebuild(model, (layer, to) => {
    const id = layer.inputs[0]!
    const source = to.layerOf(id)
    if (layer.kind !== 'lookup' || layer.rounding !== undefined || source?.kind !== 'requantise' || !to.isRead(id, 1))
      return undefined
    const { shifts, inner, lo, hi } = source
    // otherwise the gadget saturates first, and nothing is gained
    if (!Number.isInteger(Math.log2(hi - lo + 1))) return undefined
    return to.emit({ ...layer, inputs: source.inputs, rounding: { shifts, inner, lo, hi } })
  })
}

/** Tables of one index become one lookup with several functions: the products of the index bits serve them all. */
export function shareIndices(model: IntegerModel): IntegerModel {
  const groups = new Map<string, Lookup[]>()
  const keyOf = ({ inputs, first, table, functions, rounding }: Lookup): string | undefined =>
    functions === undefined && rounding === undefined ? `${inputs[0]}/${first}/${table.length}` : undefined
  for (const layer of model.layers) {
    const key = layer.kind === 'lookup' ? keyOf(layer) : undefined
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), layer as Lookup])
  }
  const shared = new Map<string, number>()
  let at = 0
  return rebuild(model, (layer, to) => {
    const old = model.layers[at++]!
    if (layer.kind !== 'lookup') return undefined
    const key = keyOf(old as Lookup)
    const group = key === undefined ? [] : groups.get(key)!
    if (key === undefined || group.length < 2) return undefined
    const size = sizeOf(layer.shape)
    let value = shared.get(key)
    if (value === undefined) {
      const table = new Float64Array(group.length * layer.table.length)
      for (const [f, member] of group.entries()) table.set(member.table, f * layer.table.length)
      value = to.emit({ ...layer, shape: [group.length, size], table, functions: group.length })
      shared.set(key, value)
    }
    const offset = group.indexOf(old as Lookup) * size
    const map = Int32Array.from({ length: size }, (_, j) => offset + j)
    const own = to.emit({ kind: 'gather', name: layer.name, inputs: [value], shape: layer.shape, map, fill: 0 })
    // the bounds of the shared lookup are those of all functions together
    return to.inPlaceOf(layer, own)
  })
}

/** Steps beyond which places among thresholds are not tried. */
const MAX_STEPS = 64

/**
 * Tables that are straight lines become linear layers, which take no rows; clamps of the index, or functions of few steps,
 * become comparisons where these take fewer rows than the table.
 */
export function tablesToComparisons(model: IntegerModel): IntegerModel {
  return rebuild(model, (layer, to) => {
    if (layer.kind !== 'lookup' || layer.functions !== undefined || layer.rounding !== undefined) return undefined
    const id = layer.inputs[0]!
    const { lo, hi, size } = to.infoOf(id)
    const table = layer.table.subarray(lo - layer.first, hi - layer.first + 1)
    const { name, inputs, shape } = layer
    const slope = table.length > 1 ? table[1]! - table[0]! : 0
    if (table.every((v, i) => v === table[0]! + slope * i))
      return to.emit({ kind: 'linear', name, inputs, shape, map: line(size, slope, table[0]! - slope * lo) })
    const range = { lo: BigInt(lo), hi: BigInt(hi) }
    const entries = Array.from(table)
    const tableRows = rowsOn([range], (cs, [x]) => lookupAll(cs, x!, [entries], range.lo))

    const [least, most] = [Math.min(...entries), Math.max(...entries)]
    const shift = table.findIndex((v, i) => i > 0 && v === table[i - 1]! + 1)
    const by = shift < 0 ? 0 : table[shift]! - (lo + shift)
    if (table.every((v, i) => v === Math.min(Math.max(lo + i + by, least), most))) {
      const [from, to_] = [BigInt(least - by), BigInt(most - by)]
      if (rowsOn([range], (cs, [x]) => requantise(cs, x!, 0, from, to_)) < tableRows) {
        const clamp = { shifts: Uint8Array.of(0), inner: size, lo: least - by, hi: most - by }
        const value = to.emit({ kind: 'requantise', name, inputs, shape, ...clamp })
        return by === 0 ? value : to.emit({ kind: 'linear', name, inputs: [value], shape, map: line(size, 1, by) })
      }
    }

    const steps = entries.flatMap((v, i) => (i > 0 && v !== entries[i - 1] ? [i] : []))
    if (steps.length > MAX_STEPS) return undefined
    const thresholds = steps.map((i) => lo + i)
    const heights = steps.map((i) => entries[i]! - entries[i - 1]!)
    // steps up and down may seem to add up to more than the function takes
    const stepRows = rowsOn([range], (cs, [x]) => {
      const passed = locate(cs, x!, thresholds, range.lo, range.hi).map((code, i) => [heights[i]!, code] as const)
      return requantise(cs, cs.combine([[entries[0]!, cs.ONE], ...passed]), 0, BigInt(least), BigInt(most))
    })
    if (stepRows >= tableRows) return undefined
    const count = steps.length
    const places = to.emit({
      kind: 'locate',
      name,
      inputs,
      shape: [size * count],
      starts: Uint32Array.from({ length: size + 1 }, (_, j) => j * count),
      thresholds: Float64Array.from({ length: size * count }, (_, i) => thresholds[i % count]!),
      lo,
      hi,
    })
    const map = {
      type: 'sparse' as const,
      starts: Uint32Array.from({ length: size + 1 }, (_, j) => j * count),
      positions: Uint32Array.from({ length: size * count }, (_, i) => i),
      weights: Float64Array.from({ length: size * count }, (_, i) => heights[i % count]!),
      bias: new Float64Array(size).fill(entries[0]!),
    }
    return to.inPlaceOf(layer, to.emit({ kind: 'linear', name, inputs: [places], shape, map }))
  })
}

/** slope · x + offset, elementwise. */
const line = (size: number, slope: number, offset: number) => ({
  type: 'sparse' as const,
  starts: Uint32Array.from({ length: size + 1 }, (_, j) => (slope === 0 ? 0 : j)),
  positions: Uint32Array.from({ length: slope === 0 ? 0 : size }, (_, j) => j),
  weights: new Float64Array(slope === 0 ? 0 : size).fill(slope),
  bias: new Float64Array(size).fill(offset),
})
