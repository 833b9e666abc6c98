import { type Shape, sizeOf } from '../../tensor.ts'
import { convMapGeometry } from '../conv.ts'
import { typeAt, unsupported } from '../inputs.ts'
import { type LowerContext, type QTensor, sparseMap } from '../lowering.ts'
import { matMulGeometry } from '../matMul.ts'
import { granularityOf } from '../quantisation.ts'
import { emitProducts } from './affine.ts'
import { emitAffine } from './compare.ts'

/** An operand less its zero point: a value of the model, or constants. */
type Centred = { readonly value: number } | { readonly data: Float64Array }

/** Input `at` less the zero point that input `zeroAt` holds, if any: one for all, or one per index of an axis. */
function centred(
  context: LowerContext,
  inputs: readonly (QTensor | undefined)[],
  at: number,
  zeroAt: number,
  axis: number,
): Centred {
  const { shape } = typeAt(context, at)
  const zeroShape = context.types[zeroAt]?.shape ?? []
  const single = sizeOf(zeroShape) === 1
  const of = single ? () => 0 : granularityOf(context, shape, zeroShape, { axis, block_size: 0 })
  const [x, zero] = [inputs[at], inputs[zeroAt]]
  const known = context.constants[at]?.data
  if (zero === undefined) {
    const zeros = context.constants[zeroAt]?.data
    const offset = (i: number): number => zeros?.[of(i)] ?? 0
    if (x === undefined) return { data: known!.map((v, i) => v - offset(i)) }
    if (zeros === undefined || zeros.every((z) => z === 0)) return { value: x.value }
    return {
      value: emitAffine(
        context,
        [[1, x.value]],
        Float64Array.from({ length: sizeOf(shape) }, (_, i) => -offset(i)),
        shape,
      ),
    }
  }
  const map = Int32Array.from({ length: sizeOf(shape) }, (_, i) => of(i))
  const zeros = context.emit({ kind: 'gather', inputs: [zero.value], shape, map, fill: 0 })
  if (x === undefined) return { value: emitAffine(context, [[-1, zeros]], known!, shape) }
  const terms = [
    [1, x.value],
    [-1, zeros],
  ] as const
  return { value: emitAffine(context, terms, 0, shape) }
}

const whole = (value: number, shape: Shape): QTensor => ({ name: '', value, shape, scale: 1, shift: 0 })

/** Most terms of a map with one list of terms per result. */
const MAX_TERMS = 2 ** 24

/** Σ (a - za)·(b - zb) exactly, batched; either operand, and each zero point, may be computed. */
export function lowerIntegerMatMul(context: LowerContext, inputs: readonly (QTensor | undefined)[]): QTensor {
  const { m, k, n, batch, left, right, shape } = matMulGeometry(context)
  const a = centred(context, inputs, 0, 2, Math.max(typeAt(context, 0).shape.length - 2, 0))
  const b = centred(context, inputs, 1, 3, typeAt(context, 1).shape.length - 1)
  const results = sizeOf(shape)
  if ('value' in a && 'data' in b && right.every((of) => of === 0)) {
    const rows = left.every((of, i) => of === i) ? m * sizeOf(batch) : 0
    const map = { type: 'matMul' as const, rows, inner: k, columns: n, weights: b.data, bias: new Float64Array(n) }
    if (rows > 0) return whole(context.emit({ kind: 'linear', inputs: [a.value], shape, map }), shape)
  }
  const place = (result: number, t: number): readonly [number, number] => {
    const [stack, i, j] = [Math.floor(result / (m * n)), Math.floor(result / n) % m, result % n]
    return [(left[stack]! * m + i) * k + t, (right[stack]! * k + t) * n + j]
  }
  if (results * k > MAX_TERMS) return unsupported(context, 'products', results * k, `at most ${MAX_TERMS}`)
  const terms = Array.from({ length: k }, (_, t) => t)
  const sums = (
    of: (result: number, t: number) => number,
    weight: (result: number, t: number) => number,
    from: number,
  ) =>
    context.emit({
      ...{ kind: 'linear', inputs: [from], shape },
      map: sparseMap(
        Array.from({ length: results }, (_, j) => ({
          ...{ positions: terms.map((t) => of(j, t)), weights: terms.map((t) => weight(j, t)), bias: 0 },
        })),
        0,
      ),
    })
  if ('value' in a && 'value' in b) {
    const products = emitProducts(context, [a.value, b.value], results, k, place)
    return whole(
      sums(
        (j, t) => j * k + t,
        () => 1,
        products,
      ),
      shape,
    )
  }
  if ('value' in a)
    return whole(
      sums(
        (j, t) => place(j, t)[0],
        (j, t) => (b as { data: Float64Array }).data[place(j, t)[1]]!,
        a.value,
      ),
      shape,
    )
  if ('value' in b)
    return whole(
      sums(
        (j, t) => place(j, t)[1],
        (j, t) => a.data[place(j, t)[0]]!,
        b.value,
      ),
      shape,
    )
  return unsupported(context, 'inputs', 'constants', 'at least one tensor that the model computes')
}

/** Σ (x - zx)·(w - zw) over the windows of a convolution exactly; padding counts as zx. Weights must be constant. */
export function lowerIntegerConv(
  context: LowerContext,
  inputs: readonly (QTensor | undefined)[],
  shape: Shape,
): QTensor {
  const x = centred(context, inputs, 0, 2, 0)
  const w = centred(context, inputs, 1, 3, 0)
  if ('data' in x || 'value' in w)
    return unsupported(
      context,
      'inputs',
      'computed weights or a constant image',
      'a computed image and constant weights',
    )
  const geometry = convMapGeometry(context, shape)
  const bias = new Float64Array(geometry.outChannels)
  const map = { type: 'conv' as const, ...geometry, weights: w.data, bias }
  return whole(context.emit({ kind: 'linear', inputs: [x.value], shape, map }), shape)
}
