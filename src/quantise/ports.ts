import { floatNumber, realOf } from '../model/floatOrder.ts'
import type { IntegerModel, Port } from '../model/model.ts'
import { ModelError } from '../model/model.ts'
import { roundToEven, saturate } from '../ops/quantisation.ts'
import type { Tensor } from '../tensor.ts'

/** What to do with a real value whose integer leaves the input's bounds. */
export type OutOfRange = 'refuse' | 'saturate'

/**
 * Integers of one input: ⌊x / scale + 1/2⌋ per element, or as its `rounding` says; an input that the model quantises itself
 * saturates, as QuantizeLinear does.
 *
 * Throws ModelError `input/wrong-shape`, `input/not-finite`, or `input/out-of-range` where an integer leaves the bounds that
 * the circuit enforces (with 'saturate' it is clamped).
 */
export function quantiseInput(
  port: IntegerModel['inputs'][number],
  tensor: Tensor,
  outOfRange: OutOfRange,
): Float64Array {
  const { name, shape, scale, lo, hi, rounding } = port
  if (tensor.shape.join() !== shape.join())
    throw new ModelError(
      'input/wrong-shape',
      `input "${name}" has shape [${tensor.shape.join(', ')}], the model takes [${shape.join(', ')}]`,
      { details: { input: name, got: tensor.shape, expected: shape } },
    )
  return Float64Array.from(tensor.data, (x, element) => {
    if (!Number.isFinite(x)) throw new ModelError('input/not-finite', `input "${name}"[${element}] is ${x}`)
    if (rounding === 'even') return saturate(roundToEven(Math.fround(Math.fround(x) / scale)), lo, hi)
    const q = port.encoding === 'float32' ? floatNumber(x) : Math.floor(x / scale + 0.5)
    if (q >= lo && q <= hi) return q
    if (outOfRange === 'saturate') return Math.min(Math.max(q, lo), hi)
    throw new ModelError(
      'input/out-of-range',
      `input "${name}"[${element}] is ${x}; the model was calibrated for values from ${lo * scale} to ${hi * scale}`,
      {
        details: { input: name, element, value: x, lo: lo * scale, hi: hi * scale },
        fix: 'compile with calibration samples that include such values, or saturate them (--saturate)',
      },
    )
  })
}

/** Real values of a port's integers. */
export const dequantise = (port: Port, values: ArrayLike<number | bigint>): Tensor => ({
  dtype: 'float32',
  shape: port.shape,
  data: Float64Array.from(values, (v) => realOf(port, Number(v))),
})
