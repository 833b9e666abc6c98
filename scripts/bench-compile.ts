/**
 * Time and memory of compiling a large convolutional network: generated, seeded, millions of multiplications.
 *
 * usage: npx tsx scripts/bench-compile.ts [--json]
 *
 * Everything from the bytes of the ONNX file to the circuit counts. Exit code 1 above `limits`.
 */
import { parseArguments } from '../src/cli/args.ts'
import { formatBytes, table, thousands } from '../src/cli/format.ts'
import { encodeModel, type ModelSpec } from '../src/graph/onnx.ts'
import { compileModel } from '../src/pipeline/compileModel.ts'
import { type Shape, sizeOf, type Tensor } from '../src/tensor.ts'
import { runScript } from './support/script.ts'
import { createRandom } from './training/random.ts'

/** The network must be at least this large, and compiling it must not take more. */
const least = { macs: 3e6, rows: 400_000 }
const limits = { seconds: 20, bytes: 2e9 }

const seed = 1
const side = 32

/** Convolutions 3×3 with padding 1, each before a Relu; then a global average and a classifier of ten classes. */
const convolutions = [
  { channels: 16, stride: 1 },
  { channels: 16, stride: 1 },
  { channels: 32, stride: 2 },
] as const

/** The network as an ONNX file, and the products of weights and values that one inference takes. */
function generate(): { readonly onnx: Uint8Array; readonly macs: number; readonly input: Shape } {
  const random = createRandom(seed)
  const tensor = (shape: Shape, deviation: number): Tensor => ({
    dtype: 'float32',
    shape,
    data: Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(deviation * random.normal())),
  })
  const nodes: ModelSpec['nodes'][number][] = []
  const initializers: Record<string, Tensor> = {}
  let [channels, size, macs, value] = [3, side, 0, 'image']
  convolutions.forEach(({ channels: made, stride }, i) => {
    const fan = 9 * channels
    initializers[`weight${i}`] = tensor([made, channels, 3, 3], Math.sqrt(2 / fan))
    initializers[`bias${i}`] = tensor([made], 0.1)
    nodes.push({
      op: 'Conv',
      name: `conv${i}`,
      inputs: [value, `weight${i}`, `bias${i}`],
      outputs: [`conv${i}`],
      attributes: { pads: { ints: [1, 1, 1, 1] }, strides: { ints: [stride, stride] } },
    })
    nodes.push({ op: 'Relu', name: `relu${i}`, inputs: [`conv${i}`], outputs: [`relu${i}`] })
    size /= stride
    macs += size * size * made * fan
    channels = made
    value = `relu${i}`
  })
  initializers.weight = tensor([10, channels], Math.sqrt(1 / channels))
  initializers.bias = tensor([10], 0.1)
  nodes.push({ op: 'GlobalAveragePool', inputs: [value], outputs: ['mean'] })
  nodes.push({ op: 'Flatten', inputs: ['mean'], outputs: ['features'] })
  nodes.push({
    ...{ op: 'Gemm', inputs: ['features', 'weight', 'bias'], outputs: ['logits'] },
    attributes: { transB: { int: 1 } },
  })
  macs += 10 * channels
  const input = [1, 3, side, side]
  const onnx = encodeModel({
    name: 'generated',
    inputs: [{ name: 'image', shape: input }],
    outputs: [{ name: 'logits', shape: [1, 10] }],
    nodes,
    initializers,
  })
  return { onnx, macs, input }
}

await runScript((words) => {
  const { options } = parseArguments(words, { json: { type: 'flag', help: 'print one line of JSON' } })
  const { onnx, macs, input } = generate()
  const random = createRandom(seed + 1)
  const samples = Array.from({ length: 4 }, () => {
    const data = Float64Array.from({ length: sizeOf(input) }, () => Math.fround(random.uniform()))
    return new Map([['image', { dtype: 'float32' as const, shape: input, data }]])
  })
  const phases: Record<string, number> = {}
  const start = performance.now()
  let [phase, since] = ['', start]
  const enter = (next: string): void => {
    const now = performance.now()
    if (phase !== '' && phase !== next) phases[phase] = (now - since) / 1000
    if (phase !== next) since = now
    phase = next
  }
  const { circuit } = compileModel(onnx, { calibration: samples, onProgress: enter })
  const seconds = (performance.now() - start) / 1000
  enter('end')
  const { rows, wires } = circuit
  const peakBytes = process.resourceUsage().maxRSS * 1024
  const failures = [
    ...(macs < least.macs || rows < least.rows ? ['the network is too small to tell anything'] : []),
    ...(seconds > limits.seconds ? [`more than ${limits.seconds} s`] : []),
    ...(peakBytes > limits.bytes ? [`more than ${formatBytes(limits.bytes)}`] : []),
  ]
  if (options.json)
    console.log(
      JSON.stringify({ schema: 'veritensor/bench-compile@1', macs, rows, wires, seconds, peakBytes, phases, failures }),
    )
  else {
    console.log(
      table(
        ['multiplications', 'rows', 'wires', 'seconds', 'peak memory'],
        [[thousands(macs), thousands(rows), thousands(wires), seconds.toFixed(2), formatBytes(peakBytes)]],
      ),
    )
    console.log(
      Object.entries(phases)
        .map(([name, s]) => `${name} ${s.toFixed(2)} s`)
        .join(' · '),
    )
    for (const failure of failures) console.log(`FAILED: ${failure}`)
  }
  return failures.length > 0 ? 1 : 0
})
