import { sizeOf } from '../../tensor.ts'
import type { Gather } from '../layers/gather.ts'
import type { Max } from '../layers/max.ts'
import type { IntegerModel, ValueInfo } from '../model.ts'
import { type Rebuilder, rebuild } from './rebuild.ts'

/** Where each input of a layer begins among the elements of all. */
function startsOf(inputs: readonly number[], infoOf: (value: number) => ValueInfo): number[] {
  const starts = [0]
  for (const id of inputs) starts.push(starts.at(-1)! + infoOf(id).size)
  return starts
}

/**
 * Moves of moves become moves: a gather of gathers reads what these read. Where two of them have different fillings both stay.
 */
export function mergeMoves(model: IntegerModel): IntegerModel {
  return rebuild(model, (layer, to) => {
    if (layer.kind !== 'gather') return undefined
    const sources = layer.inputs.map((id) => to.layerOf(id))
    if (!sources.some((source) => source?.kind === 'gather')) return undefined
    let fill = layer.map.includes(-1) ? layer.fill : undefined
    for (const source of sources) {
      if (source?.kind !== 'gather' || !source.map.includes(-1)) continue
      if (fill !== undefined && fill !== source.fill) return undefined
      fill = source.fill
    }
    const inputs: number[] = []
    const offsets = new Map<number, number>()
    let next = 0
    const offsetOf = (id: number): number => {
      let offset = offsets.get(id)
      if (offset === undefined) {
        offset = next
        offsets.set(id, offset)
        inputs.push(id)
        next += to.infoOf(id).size
      }
      return offset
    }
    const starts = startsOf(layer.inputs, to.infoOf)
    const map = new Int32Array(starts.at(-1)!)
    layer.inputs.forEach((id, i) => {
      const part = map.subarray(starts[i]!, starts[i + 1]!)
      const source = sources[i]
      if (source?.kind === 'gather') part.set(relocated(source, to, offsetOf))
      else for (let j = 0, offset = offsetOf(id); j < part.length; j++) part[j] = offset + j
    })
    return to.emit({ ...layer, inputs, map: layer.map.map((at) => (at < 0 ? -1 : map[at]!)), fill: fill ?? 0 })
  })
}

/** Positions of a gather's elements among inputs that may lie elsewhere. */
function relocated(source: Gather, to: Rebuilder, offsetOf: (id: number) => number): Int32Array {
  const starts = startsOf(source.inputs, to.infoOf)
  const all = new Int32Array(starts.at(-1)!)
  source.inputs.forEach((id, i) => {
    const offset = offsetOf(id)
    for (let at = starts[i]!; at < starts[i + 1]!; at++) all[at] = offset + at - starts[i]!
  })
  return source.map.map((at) => (at < 0 ? -1 : all[at]!))
}

/**
 * Maxima of moved elements read what was moved, each element once; a filling no greater than any element counts for nothing.
 * Maxima of maxima become one where that takes no more comparisons.
 */
export function mergeMaxima(model: IntegerModel): IntegerModel {
  return rebuild(model, (layer, to) => {
    if (layer.kind !== 'max') return undefined
    const source = to.layerOf(layer.inputs[0]!)
    const windows = windowsOf(layer)
    const through =
      source?.kind === 'gather' && source.inputs.length === 1
        ? windows.map((window) => window.map((at) => source.map[at]!))
        : source?.kind === 'max'
          ? windows.map((window) => window.flatMap((at) => windowOf(source, at)))
          : undefined
    const once = (all: readonly (readonly number[])[]): number[][] => all.map((window) => [...new Set(window)])
    const own = once(windows)
    if (through === undefined || source === undefined) return emitMax(to, layer, layer.inputs[0]!, own)
    const merged = once(through).map((window) => {
      const moved = window.filter((at) => at >= 0)
      const counts = source.kind === 'gather' && source.fill > to.infoOf(source.inputs[0]!).lo
      return counts && moved.length < window.length ? undefined : moved
    })
    const known = merged.every((window) => window !== undefined && window.length > 0)
    if (
      !known ||
      (source.kind === 'max' && comparisons(merged as number[][]) > comparisons(own) + comparisonsOf(source))
    )
      return emitMax(to, layer, layer.inputs[0]!, own)
    return emitMax(to, layer, source.inputs[0]!, merged as number[][])
  })
}

const windowOf = ({ starts, positions }: Max, j: number): number[] =>
  Array.from(positions.subarray(starts[j]!, starts[j + 1]!))
const windowsOf = (layer: Max): number[][] => Array.from({ length: sizeOf(layer.shape) }, (_, j) => windowOf(layer, j))
const comparisons = (windows: readonly (readonly number[])[]): number =>
  windows.reduce((n, window) => n + window.length - 1, 0)
const comparisonsOf = ({ starts }: Max): number => starts.at(-1)! - (starts.length - 1)

/** The maximum of each window of a value; a move where every window has one element. */
function emitMax(to: Rebuilder, { name, shape }: Max, input: number, windows: readonly (readonly number[])[]): number {
  const inputs = [input]
  if (windows.every((window) => window.length === 1))
    return to.emit({ kind: 'gather', name, inputs, shape, map: Int32Array.from(windows.flat()), fill: 0 })
  const starts = new Uint32Array(windows.length + 1)
  windows.forEach((window, j) => {
    starts[j + 1] = starts[j]! + window.length
  })
  return to.emit({ kind: 'max', name, inputs, shape, starts, positions: Uint32Array.from(windows.flat()) })
}
