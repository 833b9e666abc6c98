import { commitmentOf } from '../../../circuits/commitment.ts'
import { openGraph, openModel } from '../../artefacts/compiled.ts'
import { readManifest } from '../../artefacts/directory.ts'
import { R } from '../../groth16/bn254.ts'
import { integersOf } from '../../pipeline/prove.ts'
import { readSamples } from '../../samples/files.ts'
import { sizeOf } from '../../tensor.ts'
import { inputVisibility, isSalted } from '../../visibility.ts'
import { one, UsageError } from '../args.ts'
import { command } from '../command.ts'
import { hex } from '../describe.ts'
import { table } from '../format.ts'

export const commit = command({
  name: 'commit',
  arguments: 'DIR',
  summary: 'print the digests of inputs',
  details:
    'Commits to inputs as the circuit of DIR does, to compare with the digests among its public signals: to those that it\n' +
    'commits to, or else to all. Where the circuit takes salts, or none are fixed and digests shall hide something, give one\n' +
    'for each of these inputs.',
  options: {
    input: { type: 'strings', value: 'FILE', required: true, help: 'inputs: .pb, .npy or .json, several at once' },
    salt: {
      type: 'strings',
      value: 'HEX',
      help: 'a field element for each input, as in NAME.opening.json',
    },
    saturate: { type: 'flag', help: 'clamp values outside the calibrated range instead of refusing them' },
  },
  examples: ['veritensor commit artifacts/model --input a.pb --salt 0x2a6f…'],
  async run({ options, positionals }) {
    const directory = one(positionals, 'commit takes one DIR')
    const manifest = await readManifest(directory)
    const [graph, model] = await Promise.all([openGraph(directory, manifest), openModel(directory, manifest)])
    const salts = options.salt.map(parseSalt)
    const { visibility } = manifest
    const fixed = model.inputs.filter((port) => inputVisibility(visibility, port) === 'committed')
    const inputs = fixed.length > 0 ? fixed : model.inputs
    const salted = fixed.length > 0 ? inputs.some((port) => isSalted(visibility, port)) : salts.length > 0
    const expected = salted ? inputs.length : 0
    if (salts.length !== expected)
      throw new UsageError(`${salts.length} salts are given; the digests of ${directory} take ${expected}`)
    const samples = await readSamples(graph, options.input)
    const digests = samples.flatMap(({ name, sample }) => {
      const integers = integersOf(model, sample, options.saturate ? 'saturate' : 'refuse')
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
  },
})

/** Throws UsageError. */
function parseSalt(text: string): bigint {
  const salt = /^(0x)?[0-9a-f]{1,64}$/i.test(text) ? BigInt(`0x${text.replace(/^0x/i, '')}`) : R
  if (salt >= R) throw new UsageError('a salt is a field element of up to 64 hexadecimal digits, below r')
  return salt
}
