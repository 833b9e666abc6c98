import type { Shape } from '../../tensor.ts'
import type { LowerContext, QTensor } from '../lowering.ts'
import { emitAffine, spread } from './compare.ts'
import { inScaleOf } from './moves.ts'

/** b + c·(a - b) for a boolean c and requantised a and b in the output's scale. */
export function lowerChoice(context: LowerContext, condition: QTensor, a: QTensor, b: QTensor, shape: Shape): QTensor {
  const integers = (x: QTensor): number => {
    const narrow = inScaleOf(context, x.shift === 0 ? x : context.narrow(x))
    return spread(context, narrow.value, narrow.shape, shape)
  }
  const [x, y] = [integers(a), integers(b)]
  const difference = emitAffine(
    context,
    [
      [1, x],
      [-1, y],
    ],
    0,
    shape,
  )
  const chosen = context.emit({
    kind: 'multiply',
    inputs: [spread(context, condition.value, condition.shape, shape), difference],
    shape,
  })
  const value = emitAffine(
    context,
    [
      [1, chosen],
      [1, y],
    ],
    0,
    shape,
  )
  return { name: '', value, shape, scale: context.target().scale, shift: 0 }
}
