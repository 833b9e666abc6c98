import { type Shape, sizeOf } from '../../tensor.ts'
import { emitSparse, type LowerContext, type QTensor, sparseMap } from '../lowering.ts'
import { tabulate } from './activations.ts'
import { emitSums, inTarget } from './reductions.ts'

/** Bits of the sums that go into the table of factors. */
const INDEX_BITS = 16

/** A typical factor is this many of its steps; one may be up to 64 times as large. */
const TYPICAL = 2 ** 10
const LARGEST = 2 ** 16

/** What is multiplied by what. */
export type Scaled = {
  /** Integers v of the result's shape. */
  readonly value: number
  /** Integers, none negative, of which each element of the result reads one. */
  readonly sums: number
  readonly count: number
  readonly sumOf: (element: number) => number
  /** The real factor that a sum stands for: y = f(sum) · v · weight + bias. */
  readonly f: (sum: number) => number
  /** Sums beyond this count as this. */
  readonly limit: number
  /** A sum as calibration met it. */
  readonly typical: number
  readonly weight: (element: number) => number
  readonly bias: (element: number) => number
  /** Root mean square of f(sum) · v. */
  readonly rms: number
}

/**
 * v times a factor that depends on a sum: the sum's upper 16 bits, ⌊sum / 2^d + 1/2⌋, go into a table of the factor in steps of
 * 1/1,024 of a typical one, at most 65,536 steps; the product is exact, then weighted. Wide result; and the factors, with the real
 * value of one step.
 */
export function lowerScaled(
  context: LowerContext,
  scaled: Scaled,
  shape: Shape,
): { readonly result: QTensor; readonly factor: number; readonly step: number } {
  const { value, sums, count, f } = scaled
  const target = context.target()
  const size = sizeOf(shape)
  const most = Math.max(1, Math.min(context.boundsOf(sums).hi, Math.ceil(scaled.limit)))
  const drop = Math.max(0, Math.ceil(Math.log2((most + 1) / 2 ** INDEX_BITS)))
  const index = context.emit({
    kind: 'requantise',
    inputs: [sums],
    shape: [count],
    shifts: Uint8Array.of(drop),
    inner: count,
    lo: 0,
    hi: Math.max(1, Math.floor(most / 2 ** drop)),
  })
  const step = f(Math.min(scaled.typical, most)) / TYPICAL
  const wanted = { scale: step, lo: 0, hi: LARGEST, wide: false }
  const table = tabulate(context, index, [count], (i) => f(i * 2 ** drop), wanted)
  const factor = context.emit({
    kind: 'requantise',
    inputs: [table.value],
    shape: [count],
    shifts: Uint8Array.of(table.shift),
    inner: count,
    lo: 0,
    hi: LARGEST,
  })
  const factors = context.emit({
    kind: 'gather',
    inputs: [factor],
    shape,
    map: Int32Array.from({ length: size }, (_, j) => scaled.sumOf(j)),
    fill: 0,
  })
  const product = context.emit({ kind: 'multiply', inputs: [value, factors], shape })
  const rows = Array.from({ length: size }, (_, j) => ({
    positions: [j],
    weights: [(scaled.weight(j) * step) / target.scale],
    bias: scaled.bias(j) / target.scale,
  }))
  const result = emitSparse(context, [{ value: product, rms: Math.max(scaled.rms / step, 1), mean: 0 }], rows, shape)
  return {
    result: { name: '', value: result.value, shape, scale: target.scale, shift: result.shift },
    ...{ factor, step },
  }
}

type Groups = readonly (readonly number[])[]

/**
 * (x - mean) / √(variance + epsilon) of each group of n elements, weighted; without `centred` the mean counts as 0. With
 * d = n·q - Σ q (or q) and V = Σ d², both exact, it is d times a factor of V. V beyond twice what calibration can have met
 * counts as that. Outputs 1 and 2 of the node, where they are used, are means and factors.
 */
export function lowerNormalised(
  context: LowerContext,
  input: QTensor,
  groups: Groups,
  {
    epsilon,
    centred,
    outer = [groups.length],
  }: { readonly epsilon: number; readonly centred: boolean; readonly outer?: Shape },
  weight: (element: number) => number = () => 1,
  bias: (element: number) => number = () => 0,
): QTensor[] {
  const x = context.narrow(input)
  const { shape, scale } = x
  const [size, n, count] = [sizeOf(shape), groups[0]!.length, groups.length]
  const groupOf = new Int32Array(size)
  for (const [g, group] of groups.entries()) for (const at of group) groupOf[at] = g
  const times = centred ? n : 1
  let differences = x.value
  const totals = centred ? emitSums(context, x.value, groups) : undefined
  if (totals !== undefined) {
    const map = sparseMap(
      Array.from({ length: size }, (_, j) => ({ positions: [j, size + groupOf[j]!], weights: [n, -1], bias: 0 })),
      0,
    )
    differences = context.emit({ kind: 'linear', inputs: [x.value, totals], shape, map })
  }
  const squares = context.emit({ kind: 'multiply', inputs: [differences, differences], shape })
  const sums = emitSums(context, squares, groups)
  const { min, max, rms } = context.stats(x.name)
  // V = times² · n · variance / scale²
  const inSums = (variance: number): number => (times * times * n * variance) / (scale * scale)
  const most = centred ? (max - min) / 2 : Math.max(Math.abs(min), Math.abs(max))
  const { result, factor, step } = lowerScaled(
    context,
    {
      value: differences,
      sums,
      count,
      sumOf: (j) => groupOf[j]!,
      f: (sum) => scale / (times * Math.sqrt(Math.max(sum, 0) / inSums(1) + epsilon)),
      limit: inSums(2 * most * most),
      typical: inSums(Math.min(rms * rms, most * most)),
      weight,
      bias,
      rms: 1,
    },
    shape,
  )
  const [, means, factors] = context.node.outputs
  const statistics = (output: number, value: number, unit: number): QTensor =>
    inTarget(context, value, unit, outer, output)
  return [
    result,
    // an output that nothing uses has no name
    means && totals !== undefined ? statistics(1, totals, scale / n) : result,
    factors ? statistics(2, factor, (step * times) / scale) : result,
  ]
}
