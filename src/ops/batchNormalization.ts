import { floatTypes, formatShape, sizeOf, type Tensor } from '../tensor.ts'
import { attributesOf, float, oneOf } from './attributes.ts'
import { constantOf, WEIGHT_ERROR } from './doc.ts'
import { constantAt, invalid, typeAt, typeOf } from './inputs.ts'
import { lowerAffineChannels } from './lower/elementwise.ts'
import type { InferContext, Op } from './op.ts'

/** Attributes; only inference is supported, with statistics per channel. */
const attributes = ({ node }: InferContext) =>
  attributesOf(node, {
    epsilon: float(1e-5),
    momentum: float(0.9),
    spatial: oneOf([1], 1),
    training_mode: oneOf([0], 0),
  })

/** The node as y = factor[c] · x + offset[c]; scale, bias, mean and variance are those of the node's inputs 1 to 4. */
export function batchNormalizationTerms(
  context: InferContext,
  [scale, bias, mean, variance]: readonly [Tensor, Tensor, Tensor, Tensor],
): { readonly factor: Float64Array; readonly offset: Float64Array } {
  const { epsilon } = attributes(context)
  const factor = scale.data.map((s, c) => s / Math.sqrt(variance.data[c]! + epsilon))
  return { factor, offset: bias.data.map((b, c) => b - mean.data[c]! * factor[c]!) }
}

/** y = scale · (x - mean) / √(variance + epsilon) + bias per channel (axis 1). https://onnx.ai/onnx/operators/onnx__BatchNormalization.html */
export const batchNormalization: Op = {
  type: 'BatchNormalization',
  domain: '',
  opsets: [7, 25],
  arity: [5, 5],
  doc: {
    integers: 'Σ W·q + B per channel; fused into the Conv, Gemm or MatMul before it where that is possible',
    rows: '0',
    error: WEIGHT_ERROR,
    refuses: 'training, and parameters that the model computes',
    example: {
      inputs: [[1, 2, 3]],
      constants: [constantOf([2], [1, 2]), constantOf([2], [0, 1]), constantOf([2], [0, 1]), constantOf([2], [1, 2])],
    },
  },
  infer: (context) => {
    attributes(context)
    const x = typeOf(context, 0, floatTypes)
    const channels = x.shape[1]
    if (channels === undefined) invalid(context, `the input must be [n, channels, …], not ${formatShape(x.shape)}`)
    for (const i of [1, 2, 3, 4]) {
      // parameters may be of a wider type than the data (opset 14)
      const { shape } = typeOf(context, i, floatTypes)
      if (shape.length !== 1 || shape[0] !== channels)
        invalid(context, `input ${i} is ${formatShape(shape)}, the data have ${channels} channels`)
    }
    return [x]
  },
  compute: (context, [x, scale, bias, mean, variance]) => {
    const { factor, offset } = batchNormalizationTerms(context, [scale!, bias!, mean!, variance!])
    const { shape } = typeAt(context, 0)
    const [channels, plane] = [shape[1]!, sizeOf(shape.slice(2))]
    const channel = (i: number): number => Math.floor(i / plane) % channels
    return [{ ...x!, data: x!.data.map((v, i) => factor[channel(i)]! * v + offset[channel(i)]!) }]
  },
  scaling: { accumulates: true },
  lower: (context, [x]) => {
    const parameter = (i: number, name: string): Tensor => constantAt(context, i, name)!
    const { factor, offset } = batchNormalizationTerms(context, [
      parameter(1, 'scale'),
      parameter(2, 'B'),
      parameter(3, 'input_mean'),
      parameter(4, 'input_var'),
    ])
    return [lowerAffineChannels(context, x!, factor, offset)]
  },
}
