import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { openCompiled } from '../../artefacts/compiled.ts'
import { openDirectoryKeys } from '../../artefacts/keys.ts'
import { makeFolder, unwritable, writeWhole } from '../../artefacts/temporary.ts'
import { estimateCircuit } from '../../estimate.ts'
import { encodePublicSignals } from '../../groth16/keys.ts'
import { prove as proveSamples } from '../../pipeline/prove.ts'
import { hex } from '../../pipeline/signals.ts'
import { readSamples } from '../../samples/files.ts'
import { one, UsageError } from '../args.ts'
import { command } from '../command.ts'
import { announce, DEV_WARNING, describeStatement, openingText, statementJson } from '../describe.ts'
import { destinationJson, destinationText, parseDestination } from '../destination.ts'
import { counted, table, thousands } from '../format.ts'
import { formatSeconds } from '../progress.ts'
import { OPENING_SUFFIX, PROOF_SUFFIX, PUBLIC_SUFFIX, proofText } from '../proofFiles.ts'
import { uniqueNames } from '../uniqueNames.ts'
import { WEIGHTS_HELP } from '../weights.ts'

export const prove = command({
  name: 'prove',
  arguments: 'DIR',
  summary: 'run the model on inputs and prove the results',
  details:
    'Writes NAME.proof.json and NAME.public.json (snarkjs’ JSON) for every input; proofs that are there already are replaced.\n' +
    'Inputs are checked before the first proof begins. Each proof is verified before it is written.\n' +
    'NAME.opening.json, where something is committed, opens the commitment: it holds the elements and the salt.\n' +
    'Where public tensors are compressed, a proof is for one contract on one chain (--for), and for a context (--ctx) that\n' +
    'the contract may ask for: the beneficiary, a request. Without --for it is for verification off the chain.',
  options: {
    input: { type: 'strings', value: 'FILE', required: true, help: 'inputs: .pb, .npy or .json, several at once' },
    out: { type: 'string', short: 'o', value: 'OUT', required: true, help: 'folder for the proofs' },
    weights: { type: 'string', value: 'FILE', help: WEIGHTS_HELP },
    for: {
      type: 'string',
      value: 'CHAINID:ADDRESS',
      help: 'the contract that shall accept the proof, or local: that of verify --anvil',
    },
    ctx: { type: 'string', value: 'HEX', help: 'what else the proof is bound to, up to 32 bytes (default zeros)' },
    jobs: {
      type: 'integer',
      short: 'j',
      value: 'N',
      min: 1,
      max: 256,
      help: 'proofs at a time (default all cores, if memory allows)',
    },
    saturate: { type: 'flag', help: 'clamp values outside the calibrated range instead of refusing them' },
  },
  examples: [
    'veritensor prove artifacts/model --input samples.npy -o proofs',
    'veritensor prove artifacts/model --input a.pb b.pb --jobs 4 -o proofs',
    'veritensor prove artifacts/model --input a.npy --for 1:0x1234…cdef --ctx 0x5aff… -o proofs',
    'veritensor prove artifacts/model --input a.pb --weights retrained.onnx -o proofs',
  ],
  async run({ options, positionals, progress, signal }) {
    const directory = one(positionals, 'prove takes one DIR')
    const out = options.out!
    const { manifest, graph, model, circuit, weights } = await openCompiled(directory, options.weights)
    const compressed = manifest.visibility.compressed === true
    if (!compressed && (options.for !== undefined || options.ctx !== undefined))
      throw new UsageError(
        `--for and --ctx belong to compressed tensors; proofs of ${directory} are for everyone`,
        'compile with --compress on',
      )
    const destination = parseDestination(options.for, options.ctx)
    const samples = await readSamples(graph, options.input)
    const names = uniqueNames(samples.map(({ name }) => name))
    progress.phase('read key')
    const keys = openDirectoryKeys(directory, manifest)
    const { dev } = keys.verifyingKey
    progress.done()
    await makeFolder(out).catch((cause) => {
      throw unwritable(out, cause)
    })
    const started = performance.now()
    const estimate = estimateCircuit(circuit)
    const threads = Math.min(options.jobs ?? availableParallelism(), samples.length)
    const seconds = estimate.proveSeconds * Math.ceil(samples.length / threads)
    const long = announce(counted(samples.length, 'proof'), circuit.rows, seconds, estimate.proveBytes * threads)
    if (long !== undefined) progress.note(long)
    if (dev) progress.note(DEV_WARNING)
    progress.phase('prove')
    const files = names.map((name) => ({
      proof: join(out, name + PROOF_SUFFIX),
      public: join(out, name + PUBLIC_SUFFIX),
      opening: join(out, name + OPENING_SUFFIX),
    }))
    const inferences = await proveSamples(
      { model, circuit, visibility: manifest.visibility, ...(weights === undefined ? {} : { weights }) },
      keys,
      samples.map(({ sample }) => sample),
      {
        names,
        outOfRange: options.saturate ? 'saturate' : 'refuse',
        ...(options.jobs === undefined ? {} : { threads: options.jobs }),
        destination,
        signal,
        onProgress: (fraction, complete) => progress.update(fraction, `${complete} of ${samples.length}`),
        onProof: ({ proof, publicSignals, openings, compressed: bytes }, i) =>
          writeWhole(
            {
              ...(openings.length === 0 ? {} : { [files[i]!.opening]: openingText(openings) }),
              [files[i]!.public]: `${JSON.stringify(encodePublicSignals(publicSignals), null, 1)}\n`,
              [files[i]!.proof]: proofText(proof, bytes),
            },
            [files[i]!.opening],
          ),
      },
    )
    progress.done(counted(samples.length, 'proof'))
    const committed = manifest.signals.some(({ kind, commitment }) => kind !== 'weights' && commitment !== undefined)
    const took = (performance.now() - started) / 1000
    const rows = inferences.map(({ statement, stats }, i) => {
      const { outputs, largest } = describeStatement(statement)
      return [names[i]!, outputs, largest, formatSeconds((stats.witnessMs + stats.proofMs + stats.checkMs) / 1000)]
    })
    return {
      json: {
        schema: 'veritensor/prove@1',
        directory,
        out,
        dev,
        rows: circuit.rows,
        weights: weights === undefined ? null : hex(weights.digest),
        destination: compressed ? destinationJson(destination) : null,
        seconds: took,
        proofs: inferences.map(({ statement, stats }, i) => ({
          name: names[i],
          ...files[i],
          ...(committed ? { opening: files[i]!.opening } : {}),
          statement: statementJson(statement),
          ...stats,
        })),
        warning: dev ? DEV_WARNING : null,
      },
      text: [
        table(['input', 'output', 'largest', 'time'], rows),
        `${counted(samples.length, 'proof')} of ${thousands(circuit.rows)} rows in ${formatSeconds(took)} → ${out}`,
        ...(weights === undefined ? [] : [`weights ${hex(weights.digest)}`]),
        ...(compressed
          ? [
              `${destinationText(destination)}${options.for === undefined ? '; for a contract: --for CHAINID:ADDRESS' : ''}`,
            ]
          : []),
        ...(dev ? [DEV_WARNING] : []),
        ...(committed ? [`NAME${OPENING_SUFFIX} opens the commitments: keep it, and keep it secret`] : []),
        `  next   veritensor verify ${directory} ${out}`,
      ].join('\n'),
    }
  },
})
