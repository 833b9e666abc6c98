import { isFloat, sizeOf } from '../../tensor.ts'
import { attributesOf, float } from '../attributes.ts'
import { mapTensor } from '../elementwise.ts'
import { typeOf } from '../inputs.ts'
import { lowerTrees } from '../lower/trees.ts'
import type { InferContext, Op } from '../op.ts'
import { mlTypes } from './classes.ts'

const thresholdOf = (context: InferContext): number => attributesOf(context.node, { threshold: float(0) }).threshold

/**
 * 1 for elements above the threshold, 0 for others, compared exactly as decision trees do.
 * https://onnx.ai/onnx/operators/onnx_aionnxml_Binarizer.html
 */
export const binarizer: Op = {
  type: 'Binarizer',
  domain: 'ai.onnx.ml',
  opsets: [1, 5],
  arity: [1, 1],
  doc: {
    integers: '[q > t], exactly as float32 compares',
    rows: 'the place of each element among the thresholds',
    error: 'none',
    example: { inputs: [[2, 3]], attributes: { threshold: 0.25 } },
  },
  infer: (context) => {
    thresholdOf(context)
    return [typeOf(context, 0, mlTypes)]
  },
  compute: (context, [x]) => {
    const threshold = thresholdOf(context)
    const round = isFloat(x!.dtype) && x!.dtype !== 'float64' ? Math.fround : (v: number) => v
    return [mapTensor(x!, (v) => (round(v) > threshold ? 1 : 0))]
  },
  scaling: { wantsWide: true, ordersInput: true, fixedScale: () => 1, nonNegative: () => true },
  lower: (context, [x]) => {
    const branch = { feature: 0, mode: 'GT', values: [thresholdOf(context)], missing: false, yes: 1, no: 2 } as const
    const trees = { nodes: [branch, { weights: [[0, 1]] as const }, { weights: [] }], roots: [0], features: 1 }
    const { shape } = x!
    const each = { ...x!, shape: [sizeOf(shape), 1] }
    const { value } = lowerTrees(context, each, trees, 1, { base: [], factor: 1, step: 1, shift: 0 })
    return [{ name: '', value, shape, scale: 1, shift: 0 }]
  },
}
