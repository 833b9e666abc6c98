/**
 * Geometry of sliding windows, shared by convolution and pooling: sizes, padding, and which elements a window sees. Plain
 * data, so that the integer model uses the same.
 * @module
 */
import type { Node } from '../graph/graph.ts'
import { formatShape, maxElements, type Shape, sizeOf } from '../tensor.ts'
import { attributesOf, flag, int, ints, oneOf, required } from './attributes.ts'
import { InvalidNodeError, UnsupportedError } from './unsupported.ts'

/** Windows over the spatial axes; every list has one entry per spatial axis. */
export type WindowGeometry = {
  readonly inSpatial: Shape
  readonly outSpatial: Shape
  readonly kernel: Shape
  readonly strides: Shape
  readonly dilations: Shape
  readonly padsBegin: Shape
  readonly padsEnd: Shape
}

/** Input channels fall into `group` groups of equal size; output channels too, each seeing its own group. */
export type ConvGeometry = WindowGeometry & { readonly group: number }

/** Most pairs of window and element: 128 MiB as an index map. */
const maxTaps = 2 ** 25

const autoPads = ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'] as const

/** Geometry of a Conv over x [n, c, …spatial] with weights [m, c / group, …kernel]. */
export function convGeometry(node: Node, x: Shape, w: Shape): ConvGeometry {
  const given = attributesOf(node, {
    auto_pad: oneOf(autoPads, 'NOTSET'),
    dilations: ints(),
    group: int(1),
    kernel_shape: ints(),
    pads: ints(),
    strides: ints(),
  })
  const fail = failOf(node)
  if (x.length < 3) fail(`the input must have at least 3 axes [n, channels, …], not ${formatShape(x)}`)
  if (w.length !== x.length) fail(`weights ${formatShape(w)} do not fit an input ${formatShape(x)}`)
  const kernel = w.slice(2)
  if (given.kernel_shape !== undefined && given.kernel_shape.join() !== kernel.join())
    fail(`kernel_shape ${formatShape(given.kernel_shape)} differs from that of the weights, ${formatShape(kernel)}`)
  const { group } = given
  if (group < 1 || x[1] !== w[1]! * group || w[0]! % group !== 0)
    fail(`weights ${formatShape(w)} in ${group} groups do not fit ${x[1]} channels`)
  return { group, ...geometry(node, x.slice(2), kernel, given, false) }
}

/** Attributes that MaxPool and AveragePool share. */
export const poolAttributes = {
  auto_pad: oneOf(autoPads, 'NOTSET'),
  ceil_mode: flag(false),
  dilations: ints(),
  kernel_shape: required(ints()),
  pads: ints(),
  strides: ints(),
}

type Given = {
  readonly auto_pad: (typeof autoPads)[number]
  readonly pads: readonly number[] | undefined
  readonly strides: readonly number[] | undefined
  readonly dilations: readonly number[] | undefined
}

/** Geometry of a pooling over x [n, c, …spatial]. Every window sees at least one element. */
export function poolGeometry(
  node: Node,
  x: Shape,
  given: Given & { readonly kernel_shape: readonly number[]; readonly ceil_mode: boolean },
): WindowGeometry {
  if (x.length < 3) failOf(node)(`the input must have at least 3 axes [n, channels, …], not ${formatShape(x)}`)
  const g = geometry(node, x.slice(2), given.kernel_shape, given, given.ceil_mode)
  for (let axis = 0; axis < g.kernel.length; axis++) {
    const taps = axisTaps(g, axis)
    const k = g.kernel[axis]!
    for (let o = 0; o < g.outSpatial[axis]!; o++)
      if (taps.subarray(o * k, (o + 1) * k).every((t) => t < 0))
        throw new UnsupportedError({
          node: node.name,
          op: node.op,
          attribute: 'pads',
          got: [...g.padsBegin, ...g.padsEnd],
          supported: 'padding that leaves no window without elements',
        })
  }
  return g
}

function geometry(node: Node, inSpatial: Shape, kernel: Shape, given: Given, ceil: boolean): WindowGeometry {
  const fail = failOf(node)
  const rank = inSpatial.length
  const list = (
    name: string,
    values: readonly number[] | undefined,
    length: number,
    otherwise: number,
    least: number,
  ) => {
    const found = values ?? new Array<number>(length).fill(otherwise)
    if (found.length !== length || !found.every((v) => v >= least && v <= maxElements))
      fail(`${name} = ${formatShape(found)} must be ${length} numbers of at least ${least}`)
    return found
  }
  list('kernel_shape', kernel, rank, 1, 1)
  const strides = list('strides', given.strides, rank, 1, 1)
  const dilations = list('dilations', given.dilations, rank, 1, 1)
  const pads = list('pads', given.pads, 2 * rank, 0, 0)
  const padsBegin: number[] = []
  const padsEnd: number[] = []
  const outSpatial: number[] = []
  for (let i = 0; i < rank; i++) {
    const [size, stride] = [inSpatial[i]!, strides[i]!]
    const extent = (kernel[i]! - 1) * dilations[i]! + 1
    let [begin, end] = [pads[i]!, pads[i + rank]!]
    if (given.auto_pad === 'SAME_UPPER' || given.auto_pad === 'SAME_LOWER') {
      const total = Math.max((Math.ceil(size / stride) - 1) * stride + extent - size, 0)
      begin = given.auto_pad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)
      end = total - begin
    } else if (given.auto_pad === 'VALID') {
      begin = end = 0
    }
    // some exporters write both; they must then agree
    if (
      given.auto_pad !== 'NOTSET' &&
      given.pads?.some((p) => p !== 0) &&
      (begin !== pads[i] || end !== pads[i + rank])
    )
      fail(`pads = ${formatShape(pads)} contradicts auto_pad = ${given.auto_pad}`)
    const room = size + begin + end - extent
    let out = (ceil && given.auto_pad === 'NOTSET' ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1
    // a window that would start in the padding at the end is left out
    if (ceil && (out - 1) * stride >= size + begin) out--
    if (room < 0 || out < 1)
      fail(`a window of ${extent} does not fit into ${size} elements with padding ${begin} and ${end} (axis ${i + 2})`)
    padsBegin.push(begin)
    padsEnd.push(end)
    outSpatial.push(out)
  }
  if (sizeOf(kernel) * sizeOf(outSpatial) > maxTaps)
    fail(`windows of ${formatShape(kernel)} at ${formatShape(outSpatial)} positions are too many (${maxTaps} in all)`)
  return { inSpatial, outSpatial, kernel, strides, dilations, padsBegin, padsEnd }
}

const failOf =
  (node: Node) =>
  (why: string): never => {
    throw new InvalidNodeError(node, why)
  }

/** Positions along one axis that each window sees, [outSpatial, kernel]: -1 in the padding, -2 beyond it. */
function axisTaps(g: WindowGeometry, axis: number): Int32Array {
  const [size, k, out] = [g.inSpatial[axis]!, g.kernel[axis]!, g.outSpatial[axis]!]
  const taps = new Int32Array(out * k)
  for (let o = 0; o < out; o++)
    for (let t = 0; t < k; t++) {
      const at = o * g.strides[axis]! + t * g.dilations[axis]! - g.padsBegin[axis]!
      taps[o * k + t] = at >= size + g.padsEnd[axis]! ? -2 : at < 0 || at >= size ? -1 : at
    }
  return taps
}

/**
 * Which element of a channel's plane each window sees: entry [tap, output] of the row-major matrix
 * [Π kernel, Π outSpatial], -1 for padding.
 */
export function windowTaps(g: WindowGeometry): Int32Array {
  let map = Int32Array.of(0)
  let [taps, outputs] = [1, 1]
  for (let axis = 0; axis < g.kernel.length; axis++) {
    const along = axisTaps(g, axis)
    const [size, k, out] = [g.inSpatial[axis]!, g.kernel[axis]!, g.outSpatial[axis]!]
    const next = new Int32Array(map.length * along.length)
    let at = 0
    for (let tap = 0; tap < taps; tap++)
      for (let t = 0; t < k; t++)
        for (let output = 0; output < outputs; output++) {
          const base = map[tap * outputs + output]!
          for (let o = 0; o < out; o++) {
            const position = along[o * k + t]!
            next[at++] = base < 0 || position < 0 ? -1 : base * size + position
          }
        }
    map = next
    taps *= k
    outputs *= out
  }
  return map
}

/** Positions of the elements of each window of x [n, c, …], padding left out. */
export function windowPositions(shape: Shape, geometry: WindowGeometry): number[][] {
  const [plane, outputs, taps] = [sizeOf(geometry.inSpatial), sizeOf(geometry.outSpatial), windowTaps(geometry)]
  const planes = sizeOf(shape.slice(0, 2))
  const windows: number[][] = []
  for (let p = 0; p < planes; p++)
    for (let o = 0; o < outputs; o++) {
      const window: number[] = []
      for (let tap = o; tap < taps.length; tap += outputs) if (taps[tap]! >= 0) window.push(p * plane + taps[tap]!)
      windows.push(window)
    }
  return windows
}

/** Number of elements that each window sees, with or without the padding, [Π outSpatial]. */
export function windowCounts(g: WindowGeometry, padding: 'counts' | 'does not count'): Int32Array {
  const least = padding === 'counts' ? -1 : 0
  let counts = Int32Array.of(1)
  for (let axis = 0; axis < g.kernel.length; axis++) {
    const along = axisTaps(g, axis)
    const [k, out] = [g.kernel[axis]!, g.outSpatial[axis]!]
    const next = new Int32Array(counts.length * out)
    counts.forEach((count, i) => {
      for (let o = 0; o < out; o++)
        next[i * out + o] = count * along.subarray(o * k, (o + 1) * k).filter((t) => t >= least).length
    })
    counts = next
  }
  return counts
}

/** One window over the whole plane of x [n, c, …spatial]. */
export function wholePlane(x: Shape): WindowGeometry {
  const inSpatial = x.slice(2)
  const [ones, zeros] = [inSpatial.map(() => 1), inSpatial.map(() => 0)]
  return {
    inSpatial,
    outSpatial: ones,
    kernel: inSpatial,
    strides: ones,
    dilations: ones,
    padsBegin: zeros,
    padsEnd: zeros,
  }
}
