import { abs } from './abs.ts'
import { acos } from './acos.ts'
import { acosh } from './acosh.ts'
import { add } from './add.ts'
import { and } from './and.ts'
import { argMax } from './argMax.ts'
import { argMin } from './argMin.ts'
import { asin } from './asin.ts'
import { asinh } from './asinh.ts'
import { atan } from './atan.ts'
import { atanh } from './atanh.ts'
import { attention } from './attention.ts'
import { averagePool } from './averagePool.ts'
import { batchNormalization } from './batchNormalization.ts'
import { cast } from './cast.ts'
import { castLike } from './castLike.ts'
import { ceil } from './ceil.ts'
import { celu } from './celu.ts'
import { clip } from './clip.ts'
import { concat } from './concat.ts'
import { constant } from './constant.ts'
import { constantOfShape } from './constantOfShape.ts'
import { conv } from './conv.ts'
import { convTranspose } from './convTranspose.ts'
import { cos } from './cos.ts'
import { cosh } from './cosh.ts'
import { cumSum } from './cumSum.ts'
import { depthToSpace } from './depthToSpace.ts'
import { dequantizeLinear } from './dequantizeLinear.ts'
import { div } from './div.ts'
import { dropout } from './dropout.ts'
import { dynamicQuantizeLinear } from './dynamicQuantizeLinear.ts'
import { einsum } from './einsum.ts'
import { elu } from './elu.ts'
import { equal } from './equal.ts'
import { erf } from './erf.ts'
import { exp } from './exp.ts'
import { expand } from './expand.ts'
import { eyeLike } from './eyeLike.ts'
import { flatten } from './flatten.ts'
import { floor } from './floor.ts'
import { fusedMatMul } from './fusedMatMul.ts'
import { gather } from './gather.ts'
import { gatherElements } from './gatherElements.ts'
import { gatherND } from './gatherND.ts'
import { gelu } from './gelu.ts'
import { gemm } from './gemm.ts'
import { globalAveragePool } from './globalAveragePool.ts'
import { globalMaxPool } from './globalMaxPool.ts'
import { greater } from './greater.ts'
import { greaterOrEqual } from './greaterOrEqual.ts'
import { groupNormalization } from './groupNormalization.ts'
import { gru } from './gru.ts'
import { hardmax } from './hardmax.ts'
import { hardSigmoid } from './hardSigmoid.ts'
import { hardSwish } from './hardSwish.ts'
import { identity } from './identity.ts'
import { instanceNormalization } from './instanceNormalization.ts'
import { isInf } from './isInf.ts'
import { isNan } from './isNaN.ts'
import { layerNormalization } from './layerNormalization.ts'
import { leakyRelu } from './leakyRelu.ts'
import { less } from './less.ts'
import { lessOrEqual } from './lessOrEqual.ts'
import { linearSum } from './linearSum.ts'
import { log } from './log.ts'
import { logSoftmax } from './logSoftmax.ts'
import { lpPool } from './lpPool.ts'
import { lrn } from './lrn.ts'
import { lstm } from './lstm.ts'
import { maskedSoftmax } from './maskedSoftmax.ts'
import { matMul } from './matMul.ts'
import { max } from './max.ts'
import { maxPool } from './maxPool.ts'
import { mean } from './mean.ts'
import { meanVarianceNormalization } from './meanVarianceNormalization.ts'
import { min } from './min.ts'
import { mish } from './mish.ts'
import { mlOps } from './ml/index.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'
import { not } from './not.ts'
import { oneHot } from './oneHot.ts'
import type { Op } from './op.ts'
import { or } from './or.ts'
import { pad } from './pad.ts'
import { pow } from './pow.ts'
import { pRelu } from './pRelu.ts'
import { productSum } from './productSum.ts'
import { microsoftDequantizeLinear, microsoftQuantizeLinear, quantisedOperators } from './qlinear.ts'
import { quantizeLinear } from './quantizeLinear.ts'
import { range } from './range.ts'
import { reciprocal } from './reciprocal.ts'
import { reduceL1 } from './reduceL1.ts'
import { reduceL2 } from './reduceL2.ts'
import { reduceLogSum } from './reduceLogSum.ts'
import { reduceLogSumExp } from './reduceLogSumExp.ts'
import { reduceMax } from './reduceMax.ts'
import { reduceMean } from './reduceMean.ts'
import { reduceMin } from './reduceMin.ts'
import { reduceProd } from './reduceProd.ts'
import { reduceSum } from './reduceSum.ts'
import { reduceSumSquare } from './reduceSumSquare.ts'
import { relu } from './relu.ts'
import { reshape } from './reshape.ts'
import { resize } from './resize.ts'
import { rmsNormalization } from './rmsNormalization.ts'
import { rnn } from './rnn.ts'
import { round } from './round.ts'
import { scatterElements } from './scatterElements.ts'
import { selu } from './selu.ts'
import { shape } from './shape.ts'
import { shrink } from './shrink.ts'
import { sigmoid } from './sigmoid.ts'
import { sign } from './sign.ts'
import { sin } from './sin.ts'
import { sinh } from './sinh.ts'
import { size } from './size.ts'
import { slice } from './slice.ts'
import { softmax } from './softmax.ts'
import { softplus } from './softplus.ts'
import { softsign } from './softsign.ts'
import { spaceToDepth } from './spaceToDepth.ts'
import { split } from './split.ts'
import { sqrt } from './sqrt.ts'
import { squeeze } from './squeeze.ts'
import { sub } from './sub.ts'
import { sum } from './sum.ts'
import { swish } from './swish.ts'
import { tan } from './tan.ts'
import { tanh } from './tanh.ts'
import { thresholdedRelu } from './thresholdedRelu.ts'
import { tile } from './tile.ts'
import { topK } from './topK.ts'
import { transpose } from './transpose.ts'
import { trilu } from './trilu.ts'
import { unsqueeze } from './unsqueeze.ts'
import { UnsupportedError } from './unsupported.ts'
import { upsample } from './upsample.ts'
import { where } from './where.ts'
import { xor } from './xor.ts'

/** All operators. A new one is a file and a line here. */
export const ops: readonly Op[] = [
  isInf,
  isNan,
  swish,
  shrink,
  tan,
  sinh,
  sin,
  cosh,
  cos,
  atanh,
  atan,
  asinh,
  asin,
  acosh,
  acos,
  abs,
  add,
  and,
  argMax,
  argMin,
  attention,
  averagePool,
  batchNormalization,
  cast,
  castLike,
  ceil,
  celu,
  clip,
  concat,
  constant,
  constantOfShape,
  conv,
  convTranspose,
  cumSum,
  depthToSpace,
  dequantizeLinear,
  div,
  dropout,
  dynamicQuantizeLinear,
  einsum,
  elu,
  equal,
  erf,
  exp,
  expand,
  eyeLike,
  flatten,
  floor,
  fusedMatMul,
  gather,
  gatherElements,
  gatherND,
  gelu,
  gemm,
  globalAveragePool,
  globalMaxPool,
  greater,
  greaterOrEqual,
  groupNormalization,
  gru,
  hardSigmoid,
  hardSwish,
  hardmax,
  identity,
  instanceNormalization,
  layerNormalization,
  leakyRelu,
  less,
  lessOrEqual,
  log,
  logSoftmax,
  lpPool,
  lrn,
  lstm,
  matMul,
  max,
  maxPool,
  mean,
  meanVarianceNormalization,
  microsoftDequantizeLinear,
  microsoftQuantizeLinear,
  min,
  mish,
  ...mlOps,
  mul,
  neg,
  not,
  oneHot,
  or,
  pRelu,
  pad,
  pow,
  ...quantisedOperators,
  quantizeLinear,
  range,
  reciprocal,
  reduceL1,
  reduceL2,
  reduceLogSum,
  reduceLogSumExp,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
  reduceSumSquare,
  relu,
  reshape,
  resize,
  rmsNormalization,
  rnn,
  round,
  scatterElements,
  selu,
  shape,
  sigmoid,
  sign,
  size,
  slice,
  softmax,
  softplus,
  softsign,
  spaceToDepth,
  split,
  sqrt,
  squeeze,
  sub,
  sum,
  tanh,
  thresholdedRelu,
  tile,
  topK,
  transpose,
  trilu,
  unsqueeze,
  upsample,
  where,
  xor,
]

/** Operators that only simplification makes. */
const internal: readonly Op[] = [linearSum, maskedSoftmax, productSum]

const byType = new Map<string, Op[]>()
for (const op of [...ops, ...internal]) {
  const key = `${op.domain}:${op.type}`
  byType.set(key, [...(byType.get(key) ?? []), op])
}

/**
 * The operator of a domain ('' for ai.onnx) in an opset. Throws UnsupportedError, naming the node where one is given.
 */
export function findOp(domain: string, type: string, opset: number, node = ''): Op {
  const versions = byType.get(`${domain}:${type}`) ?? []
  const found = versions.find(({ opsets: [since, last] }) => opset >= since && opset <= last)
  if (found !== undefined) return found
  if (versions.length === 0)
    throw new UnsupportedError({
      node,
      op: domain === '' ? type : `${domain}.${type}`,
      supported: ops.map((op) => (op.domain === '' ? op.type : `${op.domain}.${op.type}`)).join(', '),
    })
  throw new UnsupportedError({
    node,
    op: type,
    attribute: 'opset',
    got: opset,
    supported: versions.map(({ opsets: [since, last] }) => `${since} to ${last}`).join(', '),
  })
}
