/**
 * Sums of products that are rounded once: what a step of a recurrent network is made of.
 * @module
 */
import { type Shape, sizeOf, type Tensor } from '../../tensor.ts'
import { chooseShift, integerStats, type LowerContext, type QTensor, toInteger } from '../lowering.ts'

/** b + Σ Xᵢ · Wᵢ with Xᵢ [m, kᵢ], Wᵢ [kᵢ, n] and b [m, n] in real units. Wide result: one shift per column. */
export function lowerLinearSum(
  context: LowerContext,
  terms: readonly { readonly x: QTensor; readonly weights: Float64Array }[],
  bias: Float64Array,
  shape: readonly [rows: number, columns: number],
): QTensor {
  const [rows, columns] = shape
  const target = context.target()
  const blocks = terms.map(({ x: given, weights }) => {
    const x = context.narrow(given)
    return { x, weights, inner: x.shape[1]!, factor: x.scale / target.scale, stats: integerStats(context, x) }
  })
  const shifts = new Uint8Array(columns)
  for (const { weights, inner, factor, stats } of blocks)
    for (let n = 0; n < columns; n++) {
      const column = Float64Array.from({ length: inner }, (_, k) => weights[k * columns + n]! * factor)
      shifts[n] = Math.max(shifts[n]!, chooseShift(column, stats.rms, stats.mean, context.scheme.weightBits))
    }
  // a shift of 0 would mark the sums as requantised
  if (shifts.every((s) => s === 0)) shifts.fill(1)
  // a wide result is compared and read across channels: one shift for all
  if (target.wide) shifts.fill(shifts.reduce((m, s) => Math.max(m, s), 0))
  const inner = blocks.reduce((n, block) => n + block.inner, 0)
  const weights = new Float64Array(inner * columns)
  let at = 0
  for (const block of blocks)
    for (let i = 0; i < block.inner * columns; i++)
      weights[at++] = toInteger(block.weights[i]! * block.factor, shifts[i % columns]!)
  const biasAt = (j: number): number => toInteger(bias[j]! / target.scale, shifts[j % columns]!)
  const rowsAgree = bias.every((v, j) => v === bias[j % columns])
  let value = context.emit({
    kind: 'linear',
    inputs: sideBySide(context, blocks, rows),
    shape,
    map: {
      type: 'matMul',
      rows,
      inner,
      columns,
      weights,
      bias: Float64Array.from({ length: columns }, (_, n) => (rowsAgree ? biasAt(n) : 0)),
    },
  })
  if (!rowsAgree)
    value = context.emit({
      kind: 'linear',
      inputs: [value],
      shape,
      map: {
        type: 'sparse',
        starts: Uint32Array.from({ length: bias.length + 1 }, (_, j) => j),
        positions: Uint32Array.from({ length: bias.length }, (_, j) => j),
        weights: new Float64Array(bias.length).fill(1),
        bias: Float64Array.from(bias, (_, j) => biasAt(j)),
      },
    })
  const uniform = shifts.every((s) => s === shifts[0])
  return { name: '', value, shape, scale: target.scale, shift: uniform ? shifts[0]! : { shifts, inner: 1 } }
}

/** The rows of matrices side by side, as inputs of one matrix product: integers of different scales. */
function sideBySide(
  context: LowerContext,
  blocks: readonly { readonly x: QTensor; readonly inner: number }[],
  rows: number,
): number[] {
  const values = blocks.map(({ x }) => x.value)
  if (rows === 1 || blocks.length === 1) return values
  const width = blocks.reduce((n, { inner }) => n + inner, 0)
  const map = new Int32Array(rows * width)
  let [column, offset] = [0, 0]
  for (const { inner } of blocks) {
    for (let i = 0; i < rows; i++) for (let k = 0; k < inner; k++) map[i * width + column + k] = offset + i * inner + k
    column += inner
    offset += rows * inner
  }
  return [context.emit({ kind: 'gather', inputs: values, shape: [rows, width], map, fill: 0 })]
}

/** A factor of a product: a computed tensor or a constant. */
type Factor = { readonly tensor: QTensor | undefined; readonly constant: Tensor | undefined }

/** Σ ± a ⊙ b for tensors of one shape. Exact products, one row each where both sides are computed. Wide result. */
export function lowerProductSum(
  context: LowerContext,
  terms: readonly { readonly sign: number; readonly factors: readonly Factor[] }[],
  shape: Shape,
): QTensor {
  const target = context.target()
  const size = sizeOf(shape)
  const bias = new Float64Array(size)
  /** Values with the weight of each of their elements. */
  const parts: { readonly value: number; readonly weight: (j: number) => number }[] = []
  let shift = 1 // 0 would mark the sums as requantised
  for (const { sign, factors } of terms) {
    const computed = factors.flatMap(({ tensor }) => (tensor === undefined ? [] : [context.narrow(tensor)]))
    const constants = factors.flatMap(({ tensor, constant }) => (tensor === undefined ? [constant!.data] : []))
    const constant = (j: number): number => constants.reduce((v, data) => v * data[j]!, sign / target.scale)
    const [a, b] = computed
    if (a === undefined) {
      for (let j = 0; j < size; j++) bias[j]! += constant(j)
      continue
    }
    const stats = computed.map((x) => integerStats(context, x))
    const scale = computed.reduce((v, x) => v * x.scale, 1)
    const weight = (j: number): number => constant(j) * scale
    const rms = stats.reduce((v, x) => v * Math.max(x.rms, 1), 1)
    const mean = stats.reduce((v, x) => v * x.mean, 1)
    const distinct = constants.length === 0 ? [weight(0)] : new Set(Array.from({ length: size }, (_, j) => weight(j)))
    for (const w of distinct) shift = Math.max(shift, chooseShift([w], rms, mean, context.scheme.weightBits))
    const value = b === undefined ? a.value : context.emit({ kind: 'multiply', inputs: [a.value, b.value], shape })
    parts.push({ value, weight })
  }
  const n = parts.length
  const value = context.emit({
    kind: 'linear',
    inputs: parts.map((part) => part.value),
    shape,
    map: {
      type: 'sparse',
      starts: Uint32Array.from({ length: size + 1 }, (_, j) => j * n),
      positions: Uint32Array.from({ length: size * n }, (_, i) => (i % n) * size + Math.floor(i / n)),
      weights: Float64Array.from({ length: size * n }, (_, i) =>
        toInteger(parts[i % n]!.weight(Math.floor(i / n)), shift),
      ),
      bias: Float64Array.from(bias, (v) => toInteger(v, shift)),
    },
  })
  return { name: '', value, shape, scale: target.scale, shift }
}
