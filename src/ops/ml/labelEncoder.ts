import { type DType, isFloat, sizeOf, type TensorType } from '../../tensor.ts'
import { attributesOf, float, floats, int, ints, tensor } from '../attributes.ts'
import { wholes } from '../doc.ts'
import { invalid, typeAt, unsupported } from '../inputs.ts'
import { lowerTrees } from '../lower/trees.ts'
import type { InferContext, Op } from '../op.ts'
import { strings, type TreeNode } from './treeModel.ts'

/** A map from numbers to numbers; what is no key becomes `otherwise`. Of equal keys the first counts. */
type Dictionary = { readonly type: TensorType; readonly map: ReadonlyMap<number, number>; readonly otherwise: number }

function dictionary(context: InferContext): Dictionary {
  const given = attributesOf(context.node, {
    default_float: float(-0),
    default_int64: int(-1),
    default_string: { expects: 'a string', read: (v) => (typeof v === 'string' ? v : undefined), otherwise: () => '' },
    default_tensor: tensor(),
    keys_floats: floats(),
    keys_int64s: ints(),
    keys_strings: strings(),
    keys_tensor: tensor(),
    values_floats: floats(),
    values_int64s: ints(),
    values_strings: strings(),
    values_tensor: tensor(),
  })
  if (given.keys_strings !== undefined)
    unsupported(context, 'keys_strings', given.keys_strings, 'keys that are numbers')
  if (given.values_strings !== undefined)
    unsupported(context, 'values_strings', given.values_strings, 'values that are numbers')
  const keys = given.keys_tensor?.data ?? given.keys_int64s ?? given.keys_floats ?? []
  const values = given.values_tensor?.data ?? given.values_int64s ?? given.values_floats ?? []
  if (keys.length === 0 || keys.length !== values.length)
    invalid(context, `${keys.length} keys and ${values.length} values`)
  if (Array.from(keys).some(Number.isNaN)) unsupported(context, 'keys', 'NaN', 'keys that are numbers')
  const keyType: DType = given.keys_tensor?.dtype ?? (given.keys_int64s !== undefined ? 'int64' : 'float32')
  const { dtype, shape } = typeAt(context, 0)
  if (isFloat(dtype) !== isFloat(keyType)) invalid(context, `the input is ${dtype}, the keys are ${keyType}`)
  const whole = given.values_int64s !== undefined
  const type: DType = given.values_tensor?.dtype ?? (whole ? 'int64' : 'float32')
  const map = new Map<number, number>()
  Array.from(keys).forEach((key, i) => {
    if (!map.has(key)) map.set(key, values[i]!)
  })
  const fallback = isFloat(type) ? given.default_float : given.default_int64
  return { type: { dtype: type, shape }, map, otherwise: given.default_tensor?.data[0] ?? fallback }
}

/** Numbers to numbers by a list of keys and values. https://onnx.ai/onnx/operators/onnx_aionnxml_LabelEncoder.html */
export const labelEncoder: Op = {
  type: 'LabelEncoder',
  domain: 'ai.onnx.ml',
  opsets: [2, 5],
  arity: [1, 1],
  doc: {
    integers: 'the label of the key that is equal, exactly as float32 compares',
    rows: 'the place of each element among the keys',
    error: 'none',
    refuses: 'keys that are strings',
    example: {
      inputs: [wholes(1, 2, 3)],
      attributes: { keys_int64s: [1, 2, 3], values_int64s: [5, 6, 9], default_int64: 0 },
    },
  },
  infer: (context) => [dictionary(context).type],
  compute: (context, [x]) => {
    const { type, map, otherwise } = dictionary(context)
    return [{ ...type, data: x!.data.map((v) => map.get(v + 0) ?? otherwise) }]
  },
  scaling: { wantsWide: true, ordersInput: true },
  lower: (context, [x]) => {
    const { type, map, otherwise } = dictionary(context)
    // a chain of comparisons with one value is linear in its place among the keys
    const nodes: TreeNode[] = []
    for (const [key, value] of map) {
      const at = nodes.length
      nodes.push({ feature: 0, mode: 'EQ', values: [key], missing: false, yes: at + 1, no: at + 2 })
      nodes.push({ weights: [[0, value]] })
    }
    nodes.push({ weights: [[0, otherwise]] })
    const each = { ...x!, shape: [sizeOf(x!.shape), 1] }
    const { scale } = context.target()
    const exact = isFloat(type.dtype) ? {} : { shift: 0 }
    const trees = { nodes, roots: [0], features: 1 }
    const { value, shift } = lowerTrees(context, each, trees, 1, { base: [], factor: 1, step: scale, ...exact })
    return [{ name: '', value, shape: x!.shape, scale, shift }]
  },
}
