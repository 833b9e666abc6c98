import { openCircuit } from '../../artefacts/compiled.ts'
import { FILES, readManifest } from '../../artefacts/directory.ts'
import {
  contributeDirectory,
  type Keys,
  quotientDirectory,
  type SetupOptions,
  setupDirectory,
  verifyDirectoryKey,
} from '../../artefacts/keys.ts'
import type { Manifest } from '../../artefacts/manifest.ts'
import { estimateCircuit } from '../../estimate.ts'
import { verifyingKeyDigest } from '../../solidity/verifier.ts'
import { one, UsageError } from '../args.ts'
import { command, type Result } from '../command.ts'
import { announce, DEV_WARNING } from '../describe.ts'
import { counted, formatBytes, thousands } from '../format.ts'

export const setup = command({
  name: 'setup',
  arguments: '[contribute|beacon|verify|quotient] DIR',
  summary: 'make the proving and the verifying key',
  details:
    '--dev draws the secrets here and forgets them: quick, but whoever ran it could forge proofs, so such keys are marked and\n' +
    'refused on chains that others use. --ptau takes a public ceremony’s powers of tau (.ptau, prepared for phase 2) and adds\n' +
    'one contribution; a beacon ends it. `contribute` adds the contribution of whoever runs it, `beacon` ends phase 2,\n' +
    '`verify` checks every point of a key, and all contributions, against the ceremony’s file. `quotient` derives the\n' +
    'quotient key (.qkey), with which proofs are faster, from a finished key; development keys come with one.',
  options: {
    dev: { type: 'flag', help: 'a development key: UNSAFE, for tests only' },
    ptau: { type: 'string', value: 'FILE', help: 'a key from a ceremony’s powers of tau' },
    'ptau-digest': { type: 'string', value: 'HEX', help: 'with --ptau: refuse another BLAKE2b-512 of the file' },
    name: { type: 'string', value: 'NAME', help: 'with contribute: kept in the key (default "contribution")' },
    beacon: { type: 'string', value: 'HEX', help: 'public randomness that ends phase 2' },
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
      help: 'threads (default all cores)',
    },
  },
  examples: [
    'veritensor setup artifacts/model --dev',
    'veritensor setup artifacts/model --ptau pot16_final.ptau',
    'veritensor setup contribute artifacts/model --name alice',
    'veritensor setup beacon artifacts/model --beacon 00…ff',
    'veritensor setup verify artifacts/model --ptau pot16_final.ptau',
    'veritensor setup quotient artifacts/model',
  ],
  async run({ options, positionals, progress, signal }) {
    const { dev, ptau, beacon, jobs, name } = options
    const verb = verbs.find((word) => word === positionals[0] && positionals.length === 2)
    const directory = one(verb === undefined ? positionals : positionals.slice(1), 'setup takes one DIR')
    const iterationsExp = options['beacon-iterations']
    const ptauDigest = options['ptau-digest']
    if (name !== undefined && verb !== 'contribute') throw new UsageError('--name belongs to contribute')
    if (ptauDigest !== undefined && (ptau === undefined || verb !== undefined))
      throw new UsageError('--ptau-digest belongs to --ptau')
    if (ptauDigest !== undefined && !/^[0-9a-f]{128}$/i.test(ptauDigest))
      throw new UsageError('--ptau-digest takes the 128 hexadecimal digits of a BLAKE2b-512 digest')
    if (beacon === undefined && iterationsExp !== undefined) throw new UsageError('--beacon-iterations needs --beacon')
    const ending = beacon === undefined ? undefined : { hash: beacon, iterationsExp: iterationsExp ?? 10 }
    if (verb === 'contribute' || verb === 'beacon') {
      if (dev || ptau !== undefined || jobs !== undefined || (verb === 'beacon') !== (ending !== undefined))
        throw new UsageError(`setup ${verb} takes ${verb === 'beacon' ? '--beacon' : 'no option but --name'}`)
      progress.phase(verb)
      const what = ending === undefined ? { name: name ?? 'contribution' } : { beacon: ending }
      const { manifest, keys } = await contributeDirectory(directory, { ...what, signal })
      progress.done()
      return contributed(verb, directory, manifest, keys)
    }
    if (verb === 'quotient') {
      if (dev || ptau !== undefined || beacon !== undefined)
        throw new UsageError('setup quotient takes no option but --jobs')
      const { rows, quotientSeconds, quotientBytes } = estimateCircuit(
        await openCircuit(directory, await readManifest(directory)),
        jobs,
      )
      const long = announce('quotient key', rows, quotientSeconds, quotientBytes)
      if (long !== undefined) progress.note(long)
      progress.phase('quotient')
      const { manifest, qkey } = await quotientDirectory(directory, {
        ...(jobs === undefined ? {} : { threads: jobs }),
        signal,
        onProgress: (fraction) => progress.update(fraction),
      })
      progress.done()
      return {
        json: {
          schema: 'veritensor/setup-quotient@1',
          ...{ directory, qkeyBytes: qkey.length, qkeyDigest: manifest.files[FILES.qkey] },
        },
        text: [`quotient key of ${manifest.name} → ${directory}`, quotientLine(qkey)].join('\n'),
      }
    }
    if (verb === 'verify') {
      if (dev || ptau === undefined || beacon !== undefined || jobs !== undefined)
        throw new UsageError('setup verify takes --ptau FILE')
      progress.phase('verify')
      const contributions = await verifyDirectoryKey(directory, { ptau, signal })
      progress.done()
      return {
        json: { schema: 'veritensor/setup-verify@1', directory, ptau, contributions },
        text: [
          `the key in ${directory} comes from ${ptau}`,
          ...contributions.map(({ name, beacon }) => `  ${beacon ? 'beacon' : 'contribution'}   ${printable(name)}`),
        ].join('\n'),
      }
    }
    if (dev === (ptau !== undefined))
      throw new UsageError('setup takes either --dev or --ptau FILE', 'for a first try: --dev')
    if (ptau === undefined && beacon !== undefined) throw new UsageError('--beacon belongs to --ptau')

    const estimate = estimateCircuit(await openCircuit(directory, await readManifest(directory)), jobs)
    const long = announce('set-up', estimate.rows, estimate.setupSeconds, estimate.setupBytes)
    if (long !== undefined) progress.note(long)
    if (dev) progress.note(DEV_WARNING)
    progress.phase('setup')
    const started = performance.now()
    const how: SetupOptions =
      ptau === undefined
        ? { dev: true }
        : { ptau, ...(ptauDigest && { ptauDigest }), ...(ending && { beacon: ending }) }
    const { manifest, keys } = await setupDirectory(directory, {
      ...how,
      ...(jobs === undefined ? {} : { threads: jobs }),
      signal,
      onProgress: (fraction) => progress.update(fraction),
    })
    const seconds = (performance.now() - started) / 1000
    progress.done()
    const { verifyingKey, zkey, qkey } = keys
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
        qkeyBytes: qkey?.length ?? null,
        vkDigest,
        seconds,
        warning: verifyingKey.dev ? DEV_WARNING : null,
      },
      text: [
        ...(verifyingKey.dev ? [DEV_WARNING] : []),
        `keys of ${manifest.name} → ${directory}`,
        `  ${FILES.zkey}            ${formatBytes(zkey.length)}, for ${thousands(manifest.rows)} rows`,
        ...(qkey === undefined ? [] : [quotientLine(qkey)]),
        `  ${FILES.verificationKey}   ${counted(verifyingKey.nPublic, 'public signal')}, digest ${vkDigest}`,
        `  next   veritensor prove ${directory} --input FILE -o proofs`,
        ...(qkey === undefined ? [fasterProofs(directory)] : []),
      ].join('\n'),
    }
  },
})

const verbs = ['contribute', 'beacon', 'verify', 'quotient'] as const

const fasterProofs = (directory: string): string =>
  `  for faster proofs, when phase 2 is over: veritensor setup quotient ${directory}`

const quotientLine = (qkey: Uint8Array): string =>
  `  ${FILES.qkey}            ${formatBytes(qkey.length)}, with which proofs are faster`

/** Names come from whoever contributed: no control characters reach the terminal. */
const printable = (name: string): string => name.replaceAll(/[^\x20-\x7e]/g, '?')

function contributed(verb: string, directory: string, manifest: Manifest, { verifyingKey, zkey }: Keys): Result {
  const vkDigest = verifyingKeyDigest(verifyingKey)
  return {
    json: {
      schema: 'veritensor/setup@1',
      ...{ directory, dev: verifyingKey.dev, key: manifest.key, rows: manifest.rows },
      ...{ publicSignals: verifyingKey.nPublic, zkeyBytes: zkey.length },
      ...{ zkeyDigest: manifest.files[FILES.zkey], vkDigest, warning: null },
    },
    text: [
      `${verb === 'beacon' ? 'phase 2 is over' : 'contributed'}: keys of ${manifest.name} → ${directory}`,
      `  ${FILES.verificationKey}   ${counted(verifyingKey.nPublic, 'public signal')}, digest ${vkDigest}`,
      `  next   veritensor setup verify ${directory} --ptau FILE`,
      ...(verb === 'beacon' ? [fasterProofs(directory)] : []),
    ].join('\n'),
  }
}
