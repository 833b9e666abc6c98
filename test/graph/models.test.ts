import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Graph } from '../../src/graph/graph.ts'
import { importOnnx } from '../../src/graph/import.ts'
import { runFloat } from '../../src/graph/run.ts'
import { simplify } from '../../src/graph/simplify.ts'
import { byName, corpus, difference, hasCorpus, tensorsIn } from '../support/corpus.ts'

/** Models of the corpus and the operators that are left of each once it is simplified. */
const models: Readonly<Record<string, string>> = {
  'ezkl-1l_mlp': 'Gemm Relu',
  'ezkl-3l_relu_conv_fc': 'Conv Relu Conv Relu Reshape Gemm',
  'ezkl-4l_relu_conv_fc': 'Conv Relu Conv Relu Flatten Gemm Relu Gemm',
  'ezkl-accuracy': 'Gemm Relu Gemm Relu Gemm',
  'ezkl-sklearn_mlp': 'Gemm Relu Gemm Reshape',
  'iris-mlp-deepprove': 'Gemm Relu Gemm Relu Gemm Relu Gemm Relu',
  'marabou-mnist2x10': 'Reshape Gemm Relu Gemm Relu Gemm',
  'marabou-acasxu-1-1': 'Sub Flatten Gemm Relu Gemm Relu Gemm Relu Gemm Relu Gemm Relu Gemm Relu Gemm',
  'marabou-mnist-cnnmax2': 'Transpose Conv Relu Conv Relu MaxPool Transpose Flatten Gemm Relu Gemm',
  'lenet-2-4-8': 'Conv Tanh AveragePool Conv Tanh AveragePool Flatten Gemm Tanh Gemm',
  'mnist-cntk-8': 'Conv Relu MaxPool Conv Relu MaxPool Reshape Gemm',
  'mnist-cnn-pytorch-tribuo': 'Conv MaxPool Relu Conv MaxPool Relu Reshape Gemm Relu Gemm Relu LogSoftmax',
  'mlperf-ad-autoencoder-f32': `${'Gemm Relu '.repeat(9)}Gemm`,
  'sine-tfl-onnx2c': 'Gemm Relu Gemm Relu Gemm',
  'tflm-hello-world-f32': 'Gemm Relu Gemm Relu Gemm',
  'mlperf-vww-mobilenet-f32': `Transpose ${'Conv Relu '.repeat(27)}AveragePool Reshape Gemm Softmax`,
  'mlperf-ic-resnet8-float':
    'Conv Relu Conv Relu Conv Add Relu Conv Relu Conv Conv Add Relu Conv Relu Conv Conv Add Relu ' +
    'AveragePool Transpose Reshape Gemm Softmax',
  'ezkl-1l_batch_norm': 'Mul Add',
}

describe.skipIf(!hasCorpus('models'))('models of the corpus', () => {
  test.each(Object.entries(models))('%s gives its expected outputs, simplified or not', (name, simplified) => {
    const folder = join(corpus, 'models', name)
    const graph = importOnnx(readFileSync(join(folder, 'model.onnx')))
    const inputs = byName(graph, tensorsIn(folder, 'input'))
    const expected = tensorsIn(folder, 'output')
    const problems = (g: Graph) => {
      const got = runFloat(g, inputs)
      return g.outputs.map((output, i) => difference(got.get(output)!, expected[i]!))
    }
    expect(problems(graph)).toEqual(graph.outputs.map(() => undefined))
    const small = simplify(graph)
    expect(problems(small)).toEqual(graph.outputs.map(() => undefined))
    expect(small.nodes.map((node) => node.op).join(' ')).toBe(simplified)
    expect(simplify(small)).toEqual(small)
  })
})
