import { openCircuit } from '../../artefacts/compiled.ts'
import { FILES, readManifest } from '../../artefacts/directory.ts'
import { type SetupOptions, setupDirectory } from '../../artefacts/keys.ts'
import { estimateCircuit } from '../../estimate.ts'
import { verifyingKeyDigest } from '../../solidity/verifier.ts'
import { one, UsageError } from '../args.ts'
import { command } from '../command.ts'
import { announce, DEV_WARNING } from '../describe.ts'
import { counted, formatBytes, thousands } from '../format.ts'

export const setup = command({
  name: 'setup',
  arguments: 'DIR',
  summary: 'make the proving and the verifying key',
  details:
    '--dev draws the secrets here and forgets them: quick, but whoever ran it could forge proofs, so such keys are marked and\n' +
    'refused on chains that others use. --ptau takes a public ceremony’s powers of tau (.ptau, prepared for phase 2) and adds\n' +
    'one contribution; a beacon ends it. For more contributors use snarkjs on circuit.r1cs.',
  options: {
    dev: { type: 'flag', help: 'a development key: UNSAFE, for tests only' },
    ptau: { type: 'string', value: 'FILE', help: 'a key from a ceremony’s powers of tau' },
    beacon: { type: 'string', value: 'HEX', help: 'with --ptau: public randomness that ends phase 2' },
    'beacon-iterations': {
      type: 'integer',
      value: 'N',
      min: 10,
      max: 63,
      help: 'with --beacon: hash it 2^N times (default 10)',
    },
    jobs: {
      type: 'integer',
      short: 'j',
      value: 'N',
      min: 1,
      max: 256,
      help: 'with --dev: threads (default all cores)',
    },
  },
  examples: ['veritensor setup artifacts/model --dev', 'veritensor setup artifacts/model --ptau pot16_final.ptau'],
  async run({ options, positionals, progress, signal }) {
    const directory = one(positionals, 'setup takes one DIR')
    const { dev, ptau, beacon, jobs } = options
    const iterationsExp = options['beacon-iterations']
    if (dev === (ptau !== undefined))
      throw new UsageError('setup takes either --dev or --ptau FILE', 'for a first try: --dev')
    if (ptau === undefined && (beacon !== undefined || iterationsExp !== undefined))
      throw new UsageError('--beacon belongs to --ptau')
    if (beacon === undefined && iterationsExp !== undefined) throw new UsageError('--beacon-iterations needs --beacon')
    if (ptau !== undefined && jobs !== undefined) throw new UsageError('--jobs belongs to --dev')

    const estimate = estimateCircuit(await openCircuit(directory, await readManifest(directory)), jobs)
    const long = announce('set-up', estimate.rows, estimate.setupSeconds, estimate.setupBytes)
    if (long !== undefined) progress.note(long)
    if (dev) progress.note(DEV_WARNING)
    progress.phase('setup')
    const started = performance.now()
    const how: SetupOptions =
      ptau === undefined
        ? { dev: true, ...(jobs === undefined ? {} : { threads: jobs }) }
        : { ptau, ...(beacon === undefined ? {} : { beacon: { hash: beacon, iterationsExp: iterationsExp ?? 10 } }) }
    const { manifest, keys } = await setupDirectory(directory, {
      ...how,
      signal,
      onProgress: (fraction) => progress.update(fraction),
    })
    const seconds = (performance.now() - started) / 1000
    progress.done()
    const { verifyingKey, zkey } = keys
    const vkDigest = verifyingKeyDigest(verifyingKey)
    return {
      json: {
        schema: 'veritensor/setup@1',
        directory,
        dev: verifyingKey.dev,
        key: manifest.key,
        rows: manifest.rows,
        publicSignals: verifyingKey.nPublic,
        zkeyBytes: zkey.length,
        zkeyDigest: manifest.files[FILES.zkey],
        vkDigest,
        seconds,
        warning: verifyingKey.dev ? DEV_WARNING : null,
      },
      text: [
        ...(verifyingKey.dev ? [DEV_WARNING] : []),
        `keys of ${manifest.name} → ${directory}`,
        `  ${FILES.zkey}            ${formatBytes(zkey.length)}, for ${thousands(manifest.rows)} rows`,
        `  ${FILES.verificationKey}   ${counted(verifyingKey.nPublic, 'public signal')}, digest ${vkDigest}`,
        `  next   veritensor prove ${directory} --input FILE -o proofs`,
      ].join('\n'),
    }
  },
})
