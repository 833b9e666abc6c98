import { commitmentOf } from '../../../circuits/commitment.ts'
import { openModel } from '../../artefacts/compiled.ts'
import { FILES, readManifest } from '../../artefacts/directory.ts'
import { writeWhole } from '../../artefacts/temporary.ts'
import { encodeWeightsFile, openWeightsOf } from '../../artefacts/weights.ts'
import { integersOf } from '../../pipeline/prove.ts'
import { hex } from '../../pipeline/signals.ts'
import { readSamples } from '../../samples/files.ts'
import { sizeOf } from '../../tensor.ts'
import { inputVisibility, isSalted, weightVisibility } from '../../visibility.ts'
import { one, UsageError } from '../args.ts'
import { command, type Result } from '../command.ts'
import { table } from '../format.ts'
import { parseElement } from '../weights.ts'

export const commit = command({
  name: 'commit',
  arguments: 'DIR',
  summary: 'print the digests of inputs, or of other weights',
  details:
    'Commits to inputs as the circuit of DIR does, to compare with the digests among its public signals: to those that it\n' +
    'commits to, or else to all. Where the circuit takes salts, or none are fixed and digests shall hide something, give one\n' +
    'for each of these inputs.\n' +
    'With --weights: to the weights of another model of the same architecture, for a DIR that was compiled with open weights.\n' +
    'The file of -o is what prove --weights takes; it holds the weights and, of private ones, the salt: keep it secret.',
  options: {
    input: { type: 'strings', value: 'FILE', help: 'inputs: .pb, .npy or .json, several at once' },
    weights: { type: 'string', value: 'FILE', help: 'weights: an .onnx file, or one that this command wrote' },
    salt: {
      type: 'strings',
      value: 'HEX',
      help: 'a field element for each input, as in NAME.opening.json; for private weights one (default: drawn)',
    },
    out: { type: 'string', short: 'o', value: 'FILE', help: 'with --weights: where to write the weight set' },
    saturate: { type: 'flag', help: 'clamp values outside the calibrated range instead of refusing them' },
  },
  examples: [
    'veritensor commit artifacts/model --input a.pb --salt 0x2a6f…',
    'veritensor commit artifacts/model --weights retrained.onnx -o retrained.vtb',
  ],
  async run({ options, positionals }) {
    const directory = one(positionals, 'commit takes one DIR')
    if ((options.weights === undefined) === (options.input.length === 0))
      throw new UsageError('commit takes either --input FILE… or --weights FILE')
    const salts = options.salt.map((text) => parseElement(text, 'a salt'))
    if (options.weights !== undefined) {
      if (options.saturate) throw new UsageError('--saturate belongs to --input')
      return commitToWeights(directory, options.weights, salts, options.out)
    }
    if (options.out !== undefined) throw new UsageError('--out belongs to --weights')
    return commitToInputs(directory, options.input, salts, options.saturate)
  },
})

async function commitToInputs(
  directory: string,
  files: readonly string[],
  salts: readonly bigint[],
  saturate: boolean,
): Promise<Result> {
  const manifest = await readManifest(directory)
  const model = await openModel(directory, manifest)
  const { visibility } = manifest
  const fixed = model.inputs.filter((port) => inputVisibility(visibility, port) === 'committed')
  const inputs = fixed.length > 0 ? fixed : model.inputs
  const salted = fixed.length > 0 ? inputs.some((port) => isSalted(visibility, port)) : salts.length > 0
  const expected = salted ? inputs.length : 0
  if (salts.length !== expected)
    throw new UsageError(`${salts.length} salts are given; the digests of ${directory} take ${expected}`)
  // whoever has inputs need not have the graph, whose weights may be secret
  const taken = { inputs: model.inputs.map(({ name, shape }) => ({ name, shape, dtype: 'float32' as const })) }
  const samples = await readSamples(taken, files)
  const digests = samples.flatMap(({ name, sample }) => {
    const integers = integersOf(model, sample, saturate ? 'saturate' : 'refuse')
    return inputs.map((port, i) => {
      const { shape, lo, hi } = port
      const elements = integers[model.inputs.indexOf(port)]!
      const digest = commitmentOf({ count: sizeOf(shape), lo, hi, salted }, elements, salts[i])
      return { name, input: port.name, digest: hex(digest) }
    })
  })
  return {
    json: { schema: 'veritensor/commit@1', directory, salted, digests },
    text: table(
      ['sample', 'input', 'digest'],
      digests.map(({ name, input, digest }) => [name, input, digest]),
    ),
  }
}

async function commitToWeights(
  directory: string,
  file: string,
  salts: readonly bigint[],
  out: string | undefined,
): Promise<Result> {
  const manifest = await readManifest(directory)
  const model = await openModel(directory, manifest)
  const salted = weightVisibility(manifest.visibility) === 'private'
  if (salts.length > (salted ? 1 : 0))
    throw new UsageError(`${salts.length} salts are given; the weights of ${directory} take ${salted ? 'one' : 'none'}`)
  const { onnx, weights, drawn } = await openWeightsOf(manifest, model, file, salts[0])
  if (drawn && out === undefined)
    throw new UsageError(
      'a salt would be drawn and lost, and with it what the digest stands for',
      'name a file for the weight set with -o, or give a --salt',
    )
  const digest = hex(weights.digest)
  if (out !== undefined)
    await writeWhole({ [out]: encodeWeightsFile(onnx, weights, manifest.files[FILES.model]!) }, [out])
  return {
    json: { schema: 'veritensor/commit@1', directory, salted, weights: { file, digest, out: out ?? null } },
    text: [
      `weights ${digest}`,
      ...(out === undefined ? [] : [`  → ${out}, for veritensor prove ${directory} --weights ${out}: keep it secret`]),
    ].join('\n'),
  }
}
