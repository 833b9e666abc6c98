import { type ConvMap, type Linear, linearMap, type MatMulMap } from '../layers/linear.ts'
import { type Requantise, requantise, shiftAt } from '../layers/requantise.ts'
import type { IntegerModel } from '../model.ts'
import { rebuild } from './rebuild.ts'

/** How many times 2 divides an integer, at most `most`. */
function twosIn(x: number, most: number): number {
  let n = 0
  for (let v = x; n < most && v % 2 === 0; v /= 2) n++
  return n
}

/**
 * Sums that are all multiples of 2ᵏ before a rounding shift of s ≥ k bits are divided by 2ᵏ, and shifted by s - k:
 * ⌊(2ᵏ·x + 2^(s-1)) / 2ˢ⌋ = ⌊(x + 2^(s-k-1)) / 2^(s-k)⌋, and x for s = k. Each bit less is a row less.
 */
export function shortenShifts(model: IntegerModel): IntegerModel {
  return rebuild(model, (layer, to) => {
    const id = layer.inputs[0]!
    const source = to.layerOf(id)
    if (layer.kind !== 'requantise' || source?.kind !== 'linear' || !to.isRead(id, 1)) return undefined
    const { size } = to.infoOf(id)
    const own = commonTwos(source, layer, size)
    const least = own.reduce((m, k) => Math.min(m, k), 255)
    // one bound stands for all outputs: where they are divided unequally it may grow, and readers rest on it
    for (const by of [own, new Uint8Array(size).fill(least)]) {
      if (by.every((k) => k === 0)) continue
      const divided: Linear = { ...source, map: dividedMap(source.map, by) }
      const shifts = Uint8Array.from({ length: size }, (_, j) => shiftAt(layer, j) - by[j]!)
      const uniform = shifts.every((s) => s === shifts[0])
      const short: Requantise = {
        ...layer,
        ...(uniform ? { shifts: shifts.slice(0, 1), inner: size } : { shifts, inner: 1 }),
      }
      const [before, after] = [to.boundsOf(layer), requantise.bounds(short, [{ ...to.boundsOf(divided), size }])]
      if (after.lo >= before.lo && after.hi <= before.hi) return to.emit({ ...short, inputs: [to.emit(divided)] })
    }
    return undefined
  })
}

/** Channel of each output, where a map has the same weights for all outputs of a channel. */
const channelOf = (map: ConvMap | MatMulMap): ((j: number) => number) => {
  if (map.type === 'matMul') return (j) => j % map.columns
  const plane = map.outSize[0] * map.outSize[1]
  return (j) => Math.floor(j / plane) % map.outChannels
}

/** For every output, the k by which all outputs that share its weights may be divided. */
function commonTwos({ map }: Linear, layer: Requantise, size: number): Uint8Array {
  const own = new Uint8Array(size)
  if (map.type === 'sparse') {
    for (let j = 0; j < size; j++) {
      let k = twosIn(map.bias[j]!, shiftAt(layer, j))
      for (let i = map.starts[j]!; k > 0 && i < map.starts[j + 1]!; i++) k = twosIn(map.weights[i]!, k)
      own[j] = k
    }
    return own
  }
  const channel = channelOf(map)
  const channels = map.bias.length
  const least = new Uint8Array(channels).fill(255)
  for (let j = 0; j < size; j++) least[channel(j)] = Math.min(least[channel(j)]!, shiftAt(layer, j))
  const perChannel = map.weights.length / channels
  for (let c = 0; c < channels; c++) {
    let k = twosIn(map.bias[c]!, least[c]!)
    for (let i = 0; k > 0 && i < perChannel; i++)
      k = twosIn(map.weights[map.type === 'conv' ? c * perChannel + i : i * channels + c]!, k)
    least[c] = k
  }
  for (let j = 0; j < size; j++) own[j] = least[channel(j)]!
  return own
}

/** The map with each output divided by a power of two. */
function dividedMap(map: Linear['map'], by: Uint8Array): Linear['map'] {
  const bias = Float64Array.from(map.bias)
  const weights = Float64Array.from(map.weights)
  if (map.type === 'sparse') {
    for (let j = 0; j < bias.length; j++) {
      bias[j]! /= 2 ** by[j]!
      for (let i = map.starts[j]!; i < map.starts[j + 1]!; i++) weights[i]! /= 2 ** by[j]!
    }
    return { ...map, weights, bias }
  }
  const channel = channelOf(map)
  const k = new Uint8Array(bias.length)
  for (let j = 0; j < linearMap(map).outputs; j++) k[channel(j)] = by[j]!
  const perChannel = weights.length / bias.length
  for (let c = 0; c < bias.length; c++) {
    bias[c]! /= 2 ** k[c]!
    for (let i = 0; i < perChannel; i++)
      weights[map.type === 'conv' ? c * perChannel + i : i * bias.length + c]! /= 2 ** k[c]!
  }
  return { ...map, weights, bias }
}
