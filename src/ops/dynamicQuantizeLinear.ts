import { attributesOf } from './attributes.ts'
import { typeOf } from './inputs.ts'
import { lowerDynamicQuantisation } from './lower/dynamic.ts'
import type { Op } from './op.ts'
import { quantiseTensor, roundToEven, saturate } from './quantisation.ts'

/**
 * Quantises to uint8 with a scale taken from the tensor itself: [min, max] widened to contain 0, in 255 steps. A model that does
 * so has no integers of its own: it is calibrated, and its integers follow those of its input.
 * https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html
 */
export const dynamicQuantizeLinear: Op = {
  type: 'DynamicQuantizeLinear',
  domain: '',
  opsets: [11, 25],
  arity: [1, 1],
  doc: {
    integers:
      'M = max(q, 0), m = max(-q, 0), D = max(M + m, 1): scale D·s / 255, zero point z = ⌊255·m / D + 1/2⌋, integers ' +
      'clamp(⌊255·q / D + 1/2⌋ + z, 0, 255)',
    rows: 'two maxima, and a quotient by D for each element and for z',
    error: '1/2 step of the input, times 255 / D; halves go up',
    refuses: 'its integers as outputs of the model',
    example: { inputs: [[2, 3]] },
  },
  infer: (context) => {
    attributesOf(context.node, {})
    const { shape } = typeOf(context, 0, ['float32'])
    return [
      { dtype: 'uint8', shape },
      { dtype: 'float32', shape: [] },
      { dtype: 'uint8', shape: [] },
    ]
  },
  compute: (_, [x]) => {
    const least = x!.data.reduce((m, v) => Math.min(m, v), 0)
    const most = x!.data.reduce((m, v) => Math.max(m, v), 0)
    const step = Math.fround(Math.fround(most - least) / 255)
    const size = step === 0 ? 1 : step
    const zero = saturate(roundToEven(Math.fround(-least / size)), 0, 255)
    const scale = { dtype: 'float32' as const, shape: [], data: Float64Array.of(size) }
    const zeroPoint = { dtype: 'uint8' as const, shape: [], data: Float64Array.of(zero) }
    return [quantiseTensor(x!, scale, zeroPoint, 'uint8'), scale, zeroPoint]
  },
  scaling: { nonNegative: () => true },
  lower: (context, [x]) => lowerDynamicQuantisation(context, x!),
}
