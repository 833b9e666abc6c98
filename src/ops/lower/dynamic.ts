import { sizeOf } from '../../tensor.ts'
import { unsupported } from '../inputs.ts'
import type { LowerContext, QTensor } from '../lowering.ts'
import { emitAffine, emitClamp, spread } from './compare.ts'
import { emitRoundedQuotient } from './quotient.ts'
import { inTarget } from './reductions.ts'
import { toWindows } from './softmax.ts'

/** Steps that the range of a tensor is divided in. */
const STEPS = 255

/**
 * DynamicQuantizeLinear of integers q in steps of s: with M = max(q, 0), m = max(-q, 0) and D = max(M + m, 1), the scale is
 * D·s / 255, the zero point z = ⌊255·m / D + 1/2⌋, and the integers are clamp(⌊255·q / D + 1/2⌋ + z, 0, 255): the same but for
 * the rounding of q and of halves. A tensor of zeros has z = 0 and zeros, and s / 255 for a scale.
 */
export function lowerDynamicQuantisation(context: LowerContext, input: QTensor): QTensor[] {
  for (const output of [0, 2])
    if (context.node.outputs[output] && context.target(output).wide)
      unsupported(
        context,
        'use of its integers as outputs of the model',
        context.node.outputs[output],
        'what MatMulInteger and ConvInteger make of them, times its scale',
      )
  const x = context.narrow(input)
  const size = sizeOf(x.shape)
  const { lo, hi } = context.boundsOf(x.value)
  const all = toWindows([Array.from({ length: size }, (_, i) => i)])
  const greatest = (sign: 1 | -1): number => {
    const from = sign === 1 ? x.value : emitAffine(context, [[-1, x.value]], 0, x.shape)
    const most = context.emit({ kind: 'max', inputs: [from], shape: [], ...all })
    return emitClamp(context, most, [], 0, Math.max(sign === 1 ? hi : -lo, 0))
  }
  const [above, below] = [greatest(1), greatest(-1)]
  const width = emitAffine(
    context,
    [
      [1, above],
      [1, below],
    ],
    0,
    [],
  )
  const divisor = emitClamp(context, width, [], 1, Math.max(context.boundsOf(width).hi, 1))
  const zero = emitRoundedQuotient(context, emitAffine(context, [[STEPS, below]], 0, []), divisor, [])
  const scaled = emitAffine(context, [[STEPS, x.value]], 0, x.shape)
  const steps = emitRoundedQuotient(context, scaled, spread(context, divisor, [], x.shape), x.shape)
  const raised = emitAffine(
    context,
    [
      [1, steps],
      [1, spread(context, zero, [], x.shape)],
    ],
    0,
    x.shape,
  )
  const integers = emitClamp(context, raised, x.shape, 0, STEPS)
  const bounded = emitClamp(context, zero, [], 0, STEPS)
  const whole = { name: '', scale: 1, shift: 0 }
  return [
    { ...whole, value: integers, shape: x.shape },
    context.node.outputs[1]
      ? inTarget(context, divisor, x.scale / STEPS, [], 1)
      : { ...whole, value: divisor, shape: [] },
    { ...whole, value: bounded, shape: [] },
  ]
}
