import { shiftAt } from '../../model/layers/requantise.ts'
import { type Shape, sizeOf } from '../../tensor.ts'
import { emitSparse, integerStats, type LowerContext, type QTensor, type RealRow, sparseMap } from '../lowering.ts'
import { type WindowGeometry, windowPositions } from '../windows.ts'
import { emitAffine, emitOneHot } from './compare.ts'
import { linesAlong, toWindows } from './softmax.ts'

/**
 * The greatest (sign 1) or least (sign -1: the greatest of the negatives) element of each group, of an accumulator as it is: its
 * shift is that of the channel.
 */
export function lowerExtreme(
  context: LowerContext,
  x: QTensor,
  groups: readonly (readonly number[])[],
  shape: Shape,
  sign: 1 | -1,
): QTensor {
  const uniform = groups.every((w) => w.every((at) => shiftOf(x, at) === shiftOf(x, w[0]!)))
  const source = uniform ? x : context.narrow(x)
  const from = sign === 1 ? source.value : emitAffine(context, [[-1, source.value]], 0, source.shape)
  const greatest = context.emit({ kind: 'max', inputs: [from], shape, ...toWindows(groups) })
  const value = sign === 1 ? greatest : emitAffine(context, [[-1, greatest]], 0, shape)
  if (typeof source.shift === 'number') return { ...source, name: '', value, shape }
  const shifts = Uint8Array.from(groups, (w) => shiftOf(source, w[0]!))
  return { name: '', value, shape, scale: source.scale, shift: { shifts, inner: 1 } }
}

const shiftOf = ({ shift }: QTensor, at: number): number => (typeof shift === 'number' ? shift : shiftAt(shift, at))

/**
 * `index` of the position of the first greatest element of each window: Σ [place = i]·index(window[i]) for its place among the
 * window's elements.
 */
export function lowerPlaces(
  context: LowerContext,
  input: QTensor,
  windows: readonly (readonly number[])[],
  index: (position: number) => number,
  shape: Shape,
): QTensor {
  const x = typeof input.shift === 'number' ? input : context.narrow(input)
  const places = context.emit({ kind: 'argmax', inputs: [x.value], shape: [windows.length], ...toWindows(windows) })
  const depth = windows.reduce((n, window) => Math.max(n, window.length), 0)
  const bits = emitOneHot(context, places, windows.length, depth)
  const rows = windows.map((window, w) => ({
    positions: window.map((_, i) => w * depth + i),
    weights: window.map(index),
    bias: 0,
  }))
  const value = context.emit({ kind: 'linear', inputs: [bits], shape, map: sparseMap(rows, 0) })
  return { name: '', value, shape, scale: 1, shift: 0 }
}

/** The mean of each window: the sum times 1 / divisor, rounded when the result is requantised. Wide result. */
export function lowerAveragePool(
  context: LowerContext,
  input: QTensor,
  geometry: WindowGeometry,
  divisors: ArrayLike<number>,
  shape: Shape,
): QTensor {
  const x = context.narrow(input)
  const target = context.target()
  const factor = x.scale / target.scale
  const rows = windowPositions(x.shape, geometry).map(
    (positions, j): RealRow => ({
      positions,
      weights: positions.map(() => factor / divisors[j % divisors.length]!),
      bias: 0,
    }),
  )
  const { value, shift } = emitSparse(context, [{ value: x.value, ...integerStats(context, x) }], rows, shape)
  return { name: '', value, shape, scale: target.scale, shift }
}

/** Index of the greatest element along an axis: of equal ones the first, or the last. */
export function lowerArgMax(
  context: LowerContext,
  input: QTensor,
  axis: number,
  lastOfEqual: boolean,
  shape: Shape,
): QTensor {
  const x = typeof input.shift === 'number' ? input : context.narrow(input)
  const lines = linesAlong(x.shape, axis)
  if (!lastOfEqual) {
    const value = context.emit({ kind: 'argmax', inputs: [x.value], shape, ...toWindows(lines) })
    return { name: '', value, shape, scale: 1, shift: 0 }
  }
  // the last of equal ones is the first of the line read backwards
  const backwards = lines.map((line) => [...line].reverse())
  const index = context.emit({ kind: 'argmax', inputs: [x.value], shape, ...toWindows(backwards) })
  const size = sizeOf(shape)
  const map = {
    type: 'sparse' as const,
    starts: Uint32Array.from({ length: size + 1 }, (_, i) => i),
    positions: Uint32Array.from({ length: size }, (_, i) => i),
    weights: new Float64Array(size).fill(-1),
    bias: new Float64Array(size).fill(x.shape[axis]! - 1),
  }
  const value = context.emit({ kind: 'linear', inputs: [index], shape, map })
  return { name: '', value, shape, scale: 1, shift: 0 }
}

/** [i = index of the first greatest element] for each element of each line. */
export function lowerHardmax(context: LowerContext, input: QTensor, lines: readonly (readonly number[])[]): QTensor {
  const x = typeof input.shift === 'number' ? input : context.narrow(input)
  const depth = lines[0]!.length
  const index = context.emit({ kind: 'argmax', inputs: [x.value], shape: [lines.length], ...toWindows(lines) })
  const bits = emitOneHot(context, index, lines.length, depth)
  const map = new Int32Array(sizeOf(x.shape))
  lines.forEach((line, j) => {
    line.forEach((at, i) => {
      map[at] = j * depth + i
    })
  })
  const value = context.emit({ kind: 'gather', inputs: [bits], shape: x.shape, map, fill: 0 })
  return { name: '', value, shape: x.shape, scale: 1, shift: 0 }
}
