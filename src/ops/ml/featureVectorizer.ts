import { sizeOf, type TensorType } from '../../tensor.ts'
import { attributesOf, ints, required } from '../attributes.ts'
import { movement } from '../doc.ts'
import { invalid, typeOf } from '../inputs.ts'
import { lowerConcat } from '../lower/moves.ts'
import { gather } from '../movement.ts'
import type { InferContext, Moves, Op } from '../op.ts'

/** Number of features that each input gives, and their type. */
function parts(context: InferContext): { readonly widths: readonly number[]; readonly rows: number } {
  const { inputdimensions: widths } = attributesOf(context.node, { inputdimensions: required(ints()) })
  const shapes = context.node.inputs.map((_, i) => typeOf(context, i, ['float32', 'float64']).shape)
  const rows = shapes[0]!.length === 2 ? shapes[0]![0]! : 1
  if (widths.length !== shapes.length || widths.some((w) => w < 0))
    invalid(context, `${widths.length} sizes for ${shapes.length} inputs`)
  for (const shape of shapes)
    if (shape.length < 1 || shape.length > 2 || sizeOf(shape) !== rows * shape.at(-1)!)
      invalid(context, 'the inputs do not have the same number of rows')
  return { widths, rows }
}

const resultType = (context: InferContext): TensorType => {
  const { widths, rows } = parts(context)
  return { dtype: 'float32', shape: [rows, widths.reduce((n, w) => n + w, 0)] }
}

const moves = (context: InferContext): Moves => {
  const { widths, rows } = parts(context)
  const given = context.types.map((type) => type!.shape.at(-1)!)
  const map: number[] = []
  for (let row = 0; row < rows; row++) {
    let start = 0
    widths.forEach((width, i) => {
      // longer inputs are cut, shorter ones are followed by zeros
      for (let k = 0; k < width; k++) map.push(k < given[i]! ? start + row * given[i]! + k : -1)
      start += rows * given[i]!
    })
  }
  return { map: Int32Array.from(map), fill: 0 }
}

/** Features of several inputs side by side. https://onnx.ai/onnx/operators/onnx_aionnxml_FeatureVectorizer.html */
export const featureVectorizer: Op = {
  type: 'FeatureVectorizer',
  domain: 'ai.onnx.ml',
  opsets: [1, 5],
  arity: [1, Number.POSITIVE_INFINITY],
  doc: movement({ inputs: [[2, 3]], attributes: { inputdimensions: [3] } }),
  infer: (context) => [resultType(context)],
  moves,
  compute: (context, inputs) => [
    gather(
      resultType(context),
      moves(context),
      inputs.map((x) => x!),
    ),
  ],
  scaling: { tied: true, wideInput: 'keeps' },
  lower: (context, inputs) => [lowerConcat(context, inputs, moves(context), resultType(context).shape)],
}
