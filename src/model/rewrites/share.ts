import { sizeOf } from '../../tensor.ts'
import type { ValueId } from '../layer.ts'
import type { Layer } from '../layers/index.ts'
import type { Lookup } from '../layers/lookup.ts'
import type { Relu } from '../layers/relu.ts'
import { type Requantise, shiftAt } from '../layers/requantise.ts'
import type { IntegerModel } from '../model.ts'
import { rebuild } from './rebuild.ts'

/** Layers that do the same to the same values are one. */
export function shareLayers(model: IntegerModel): IntegerModel {
  const known = new Map<string, { readonly layer: Layer; readonly value: ValueId }[]>()
  return rebuild(model, (layer, to) => {
    if (layer.kind === 'weights') return undefined
    const key = `${layer.kind}/${layer.inputs.join()}/${sizeOf(layer.shape)}`
    const alike = known.get(key) ?? []
    const same = alike.find((other) =>
      isSame({ ...layer, name: '', shape: [] }, { ...other.layer, name: '', shape: [] }),
    )
    if (same !== undefined) return same.value
    const value = to.emit(layer)
    known.set(key, [...alike, { layer, value }])
    return value
  })
}

/** Whether two plain values are equal, typed arrays element by element. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (ArrayBuffer.isView(a)) {
    const [x, y] = [a as Float64Array, b as Float64Array]
    return x.constructor === y.constructor && x.length === y.length && x.every((v, i) => v === y[i])
  }
  const [keys, others] = [Object.keys(a), Object.keys(b)]
  return (
    keys.length === others.length &&
    keys.every((key) => isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  )
}

/** Layers that do the same to each element, up to a shift. */
type Elementwise = Requantise | Relu | Lookup

const isElementwise = (layer: Layer): layer is Elementwise =>
  layer.kind === 'requantise' || layer.kind === 'relu' || (layer.kind === 'lookup' && layer.functions === undefined)

/** What a layer does to an element of some shift, as a key. */
function meaningOf(layer: Elementwise): (shift: number) => string {
  if (layer.kind === 'relu') return () => 'relu'
  if (layer.kind === 'requantise') return (shift) => `requantise/${layer.lo}/${layer.hi}/${shift}`
  const { table, first, rounding } = layer
  const own = `lookup/${first}/${table.join()}`
  return rounding === undefined ? () => own : (shift) => `${own}/${rounding.lo}/${rounding.hi}/${shift}`
}

const shiftsOf = (layer: Elementwise): Pick<Requantise, 'shifts' | 'inner'> | undefined =>
  layer.kind === 'requantise' ? layer : layer.kind === 'lookup' ? layer.rounding : undefined

/** The layer for some of its elements, which a gather takes from its input. */
function restricted(layer: Elementwise, input: ValueId, elements: readonly number[]): Elementwise {
  const base = { inputs: [input], shape: [elements.length] }
  const given = shiftsOf(layer)
  if (given === undefined) return { ...layer, ...base }
  const own = { shifts: Uint8Array.from(elements, (j) => shiftAt(given, j)), inner: 1 }
  if (layer.kind === 'requantise') return { ...layer, ...base, ...own }
  return { ...(layer as Lookup), ...base, rounding: { ...(layer as Lookup).rounding!, ...own } }
}

/** A value and an element of it as one number. */
const placeOf = (value: ValueId, element: number): number => value * 2 ** 32 + element
const ownerOf = (place: number): ValueId => Math.floor(place / 2 ** 32)

/**
 * What layers do to single elements is done once for each element, wherever moves took it: for elements that a gather repeats,
 * and for those that an earlier layer treats alike.
 */
export function shareElements(model: IntegerModel): IntegerModel {
  /** Of values that gathers made: the place that each element comes from, or -1. */
  const roots = new Map<ValueId, Float64Array>()
  /** By meaning and value: the place of the result for each element, or -1. */
  const results = new Map<string, Map<ValueId, Float64Array>>()
  return rebuild(model, (layer, to) => {
    const rootOf = (value: ValueId, element: number): number => roots.get(value)?.[element] ?? placeOf(value, element)
    if (layer.kind === 'gather') {
      const starts = [0]
      for (const id of layer.inputs) starts.push(starts.at(-1)! + to.infoOf(id).size)
      const all = new Float64Array(starts.at(-1)!)
      layer.inputs.forEach((id, i) => {
        for (let at = starts[i]!; at < starts[i + 1]!; at++) all[at] = rootOf(id, at - starts[i]!)
      })
      const value = to.emit(layer)
      roots.set(
        value,
        Float64Array.from(layer.map, (at) => (at < 0 ? -1 : all[at]!)),
      )
      return value
    }
    if (!isElementwise(layer)) return undefined
    const input = layer.inputs[0]!
    const { size } = to.infoOf(input)
    const meaning = meaningOf(layer)
    const shifts = shiftsOf(layer)
    const byShift = new Map<number, Map<ValueId, Float64Array>>()
    const resultsOf = (shift: number): Map<ValueId, Float64Array> => {
      let found = byShift.get(shift)
      if (found === undefined) {
        const key = meaning(shift)
        found = results.get(key) ?? new Map()
        results.set(key, found)
        byShift.set(shift, found)
      }
      return found
    }
    const fresh: number[] = []
    /** Place of each element's result; those of fresh ones as -2 - their number. */
    const places = new Float64Array(size)
    for (let j = 0; j < size; j++) {
      const root = rootOf(input, j)
      const own = resultsOf(shifts === undefined ? 0 : shiftAt(shifts, j))
      if (root < 0) {
        // a filling: a constant, which takes no rows
        places[j] = -2 - fresh.length
        fresh.push(j)
        continue
      }
      let known = own.get(ownerOf(root))
      if (known === undefined) {
        known = new Float64Array(to.infoOf(ownerOf(root)).size).fill(-1)
        own.set(ownerOf(root), known)
      }
      const element = root % 2 ** 32
      if (known[element] === -1) {
        known[element] = -2 - fresh.length
        fresh.push(j)
      }
      places[j] = known[element]!
    }
    const settle = (value: ValueId, elementAt: (k: number) => number): void =>
      fresh.forEach((j, k) => {
        const root = rootOf(input, j)
        if (root >= 0)
          resultsOf(shifts === undefined ? 0 : shiftAt(shifts, j)).get(ownerOf(root))![root % 2 ** 32] = placeOf(
            value,
            elementAt(k),
          )
      })
    if (fresh.length === size) {
      const value = to.emit(layer)
      settle(value, (k) => fresh[k]!)
      return value
    }
    const { name } = layer
    let value = -1
    if (fresh.length > 0) {
      const map = Int32Array.from(fresh)
      const some = to.emit({ kind: 'gather', name, inputs: [input], shape: [fresh.length], map, fill: 0 })
      value = to.emit(restricted(layer, some, fresh))
      settle(value, (k) => k)
    }
    const final = places.map((place) => (place <= -2 ? placeOf(value, -2 - place) : place))
    const inputs = [...new Set(Array.from(final, ownerOf))]
    const offsets = new Map<ValueId, number>()
    let next = 0
    for (const id of inputs) {
      offsets.set(id, next)
      next += to.infoOf(id).size
    }
    const map = Int32Array.from(final, (place) => offsets.get(ownerOf(place))! + (place % 2 ** 32))
    // results for other elements, which lie beside those that are taken, may have wider bounds
    const gathered = to.inPlaceOf(layer, to.emit({ kind: 'gather', name, inputs, shape: layer.shape, map, fill: 0 }))
    roots.set(gathered, Float64Array.from(final))
    return gathered
  })
}
