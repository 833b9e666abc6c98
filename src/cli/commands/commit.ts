import { commitmentOf } from '../../../circuits/commitment.ts'
import { openGraph, openModel } from '../../artefacts/compiled.ts'
import { readManifest } from '../../artefacts/directory.ts'
import { isSalted } from '../../compile.ts'
import { R } from '../../groth16/bn254.ts'
import { circuitInputs } from '../../pipeline/prove.ts'
import { readSamples } from '../../samples/files.ts'
import { sizeOf } from '../../tensor.ts'
import { one, UsageError } from '../args.ts'
import { command } from '../command.ts'
import { hex } from '../describe.ts'
import { table } from '../format.ts'

export const commit = command({
  name: 'commit',
  arguments: 'DIR',
  summary: 'print the digests of inputs',
  details:
    'Commits to inputs as the circuit of DIR does, to compare with the digests among its public signals. Where the circuit\n' +
    'takes salts, or none are fixed and digests shall hide something, give one for each input of the model.',
  options: {
    input: { type: 'strings', value: 'FILE', required: true, help: 'inputs: .pb, .npy or .json, several at once' },
    salt: {
      type: 'strings',
      value: 'HEX',
      help: 'a field element for each input of the model, as in NAME.opening.json',
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
    const salted = visibility.input === 'committed' ? isSalted(visibility) : salts.length > 0
    const expected = salted ? model.inputs.length : 0
    if (salts.length !== expected)
      throw new UsageError(`${salts.length} salts are given; the digests of ${directory} take ${expected}`)
    const samples = await readSamples(graph, options.input)
    const digests = samples.flatMap(({ name, sample }) => {
      const integers = circuitInputs(model, sample, options.saturate ? 'saturate' : 'refuse')
      let from = 0
      return model.inputs.map(({ name: input, shape, lo, hi }, i) => {
        const count = sizeOf(shape)
        from += count
        const elements = integers.subarray(from - count, from)
        return { name, input, digest: hex(commitmentOf({ count, lo, hi, salted }, elements, salts[i])) }
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
