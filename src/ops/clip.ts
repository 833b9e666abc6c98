import { attributesOf, float, optional } from './attributes.ts'
import { constantOf } from './doc.ts'
import { mapTensor } from './elementwise.ts'
import { atMostInputs, constantScalar, numericTypes, typeLikeFirst, typeOf } from './inputs.ts'
import { lowerClip } from './lower/activations.ts'
import type { InferContext, Op } from './op.ts'

/** Bounds [min, max], infinite where left out: attributes before opset 11, then inputs. */
export function clipBounds(context: InferContext): readonly [min: number, max: number] {
  const given = attributesOf(
    context.node,
    context.node.opset < 11 ? { min: optional(float(0)), max: optional(float(0)) } : {},
  )
  const min = 'min' in given ? given.min : constantScalar(context, 1, 'min')
  const max = 'max' in given ? given.max : constantScalar(context, 2, 'max')
  return [min ?? Number.NEGATIVE_INFINITY, max ?? Number.POSITIVE_INFINITY]
}

/** y = min(max(x, min), max), elementwise; where min > max, max. https://onnx.ai/onnx/operators/onnx__Clip.html */
export const clip: Op = {
  type: 'Clip',
  domain: '',
  opsets: [6, 25],
  arity: [1, 3],
  doc: {
    integers: 'clamp(q, round(min / sy), round(max / sy))',
    rows: 'in one step with the requantisation of an accumulator; else a clamp an element',
    error: 'half a step of the bounds',
    refuses: 'bounds that the model computes',
    example: { inputs: [[2, 3]], constants: [constantOf([], [0]), constantOf([], [0.5])] },
  },
  infer: (context) => {
    if (context.node.opset < 11) atMostInputs(context, 1)
    clipBounds(context)
    for (const i of [1, 2]) if (context.types[i] !== undefined) typeLikeFirst(context, i)
    return [typeOf(context, 0, numericTypes)]
  },
  compute: (context, [x]) => {
    const [min, max] = clipBounds(context)
    return [mapTensor(x!, (v) => Math.min(Math.max(v, min), max))]
  },
  scaling: {
    tied: true,
    wideInput: 'absorbs',
    nonNegative: (context, [x]) => x === true || clipBounds(context)[0] >= 0,
  },
  lower: (context, [x]) => {
    const [min, max] = clipBounds(context)
    return [lowerClip(context, x!, Math.min(min, max), max)]
  },
}
