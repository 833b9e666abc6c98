import { type Shape, sizeOf, type Tensor } from '../../tensor.ts'
import { unsupported } from '../inputs.ts'
import { emitSparse, type LowerContext, type QTensor } from '../lowering.ts'
import { emitAffine, emitClamp, emitOneHot } from './compare.ts'
import { inScaleOf } from './moves.ts'
import { emitSums } from './reductions.ts'

/** Most pairs of an element and an index that it may have. */
const MAX_PAIRS = 2 ** 22

/** Where each element of a result comes from. */
export type Selection = {
  /** Values that an index may take, 0 to size - 1; negative ones count from the end. */
  readonly size: number
  /** Which index an element of the result reads. */
  readonly indexOf: (element: number) => number
  /** Position in the data for an element of the result and a value of its index. */
  readonly source: (element: number, index: number) => number
}

/** Indices with the negative ones counted from the end: k + size·[k < 0]. */
export function fromFront(context: LowerContext, { value, shape }: QTensor, size: number): number {
  if (context.boundsOf(value).lo >= 0) return value
  const negative = emitClamp(context, emitAffine(context, [[-1, value]], 0, shape), shape, 0, 1)
  const terms = [
    [1, value],
    [size, negative],
  ] as const
  return emitAffine(context, terms, 0, shape)
}

/**
 * Elements by computed indices: Σ [index = i]·data[source(i)]. An index outside its axis gives 0. With constant data that is a
 * linear layer over the bits, otherwise one product per value of the index.
 */
export function lowerSelection(
  context: LowerContext,
  data: QTensor | Tensor,
  indices: QTensor,
  { size, indexOf, source }: Selection,
  shape: Shape,
): QTensor {
  const target = context.target()
  const [count, elements] = [sizeOf(indices.shape), sizeOf(shape)]
  if (elements * size > MAX_PAIRS)
    return unsupported(context, 'elements times indices', elements * size, `at most ${MAX_PAIRS}`)
  const index = fromFront(context, indices, size)
  const bits = emitOneHot(context, index, count, size)
  const all = Array.from({ length: size }, (_, i) => i)
  if (!('value' in data)) {
    const rows = Array.from({ length: elements }, (_, k) => ({
      positions: all.map((i) => indexOf(k) * size + i),
      weights: all.map((i) => data.data[source(k, i)]! / target.scale),
      bias: 0,
    }))
    const { value, shift } = emitSparse(context, [{ value: bits, rms: 1, mean: 0 }], rows, shape)
    return { name: '', value, shape, scale: target.scale, shift }
  }
  const x = inScaleOf(context, data.shift === 0 ? data : context.narrow(data))
  const pairs = [elements * size]
  const gathered = (value: number, at: (k: number, i: number) => number): number => {
    const map = Int32Array.from({ length: elements * size }, (_, p) => at(Math.floor(p / size), p % size))
    return context.emit({ kind: 'gather', inputs: [value], shape: pairs, map, fill: 0 })
  }
  const products = context.emit({
    kind: 'multiply',
    inputs: [gathered(bits, (k, i) => indexOf(k) * size + i), gathered(x.value, source)],
    shape: pairs,
  })
  const groups = Array.from({ length: elements }, (_, k) => all.map((i) => k * size + i))
  return { name: '', value: emitSums(context, products, groups), shape, scale: target.scale, shift: 0 }
}
