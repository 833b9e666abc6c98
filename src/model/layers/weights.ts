import { sizeOf } from '../../tensor.ts'
import { type LayerBase, type LayerKind, require } from '../layer.ts'

/**
 * A tensor that the model does not hold: every weight set of the architecture gives it, as integers in [lo, hi], a power of two
 * of them, that stand for scale · integer. It has no inputs. Runs take it after the model's inputs, in the order of such
 * layers.
 */
export type Weights = LayerBase & {
  readonly kind: 'weights'
  readonly lo: number
  readonly hi: number
  readonly scale: number
}

export const weights: LayerKind<Weights> = {
  run: (_A, _layer, [given]) => given!,
  bounds: ({ lo, hi }) => ({ lo, hi, peak: Math.max(Math.abs(lo), Math.abs(hi)) }),
  validate({ lo, hi, scale, inputs, shape }) {
    require(inputs.length === 0, 'weights have no inputs')
    require(Number.isSafeInteger(lo) && Number.isSafeInteger(hi) && lo <= hi, 'lo and hi must be integers, lo ≤ hi')
    const bits = Math.log2(hi - lo + 1)
    require(Number.isInteger(bits) && bits >= 1 && bits <= 48, 'hi - lo + 1 must be a power of two')
    require(Number.isFinite(scale) && scale > 0, 'the scale must be positive')
    require(sizeOf(shape) <= 2 ** 31, 'the tensor is too large')
  },
}
