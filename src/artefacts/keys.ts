/**
 * Keys: made from a circuit, read from files, filed in artefact directories.
 * @module
 */
import { closeSync, existsSync, fstatSync, readSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Circuit } from '../../circuits/circuit.ts'
import { openRegular } from '../files.ts'
import { FileFormatError, readSectionTable } from '../groth16/binfile.ts'
import { decodeVerifyingKey, encodeVerifyingKey, KeyError, type VerifyingKey } from '../groth16/keys.ts'
import { checkKeyOfCircuit, devMark, readZkey, SECTION_ORDER } from '../groth16/zkey.ts'
import { verifyingKeyDigest } from '../solidity/verifier.ts'
import { type Beacon, checkBeacon, contribution, runSteps } from '../workers/contributions.ts'
import { setupDev } from '../workers/devSetup.ts'
import { readShared } from '../workers/files.ts'
import { setupPtau, verifyPtauKey } from '../workers/ptauSetup.ts'
import { setupQuotient } from '../workers/quotientSetup.ts'
import { openCircuit } from './compiled.ts'
import {
  FILES,
  isRegular,
  manifestText,
  readArtefact,
  readManifest,
  readSharedArtefact,
  sha256,
  sha256File,
} from './directory.ts'
import { ArtefactError, type KeyInfo, type Manifest } from './manifest.ts'
import { discard, renameAll, temporaryBeside, unwritable } from './temporary.ts'

/** What proves and what verifies. `verifyingKey.dev` tells whether somebody could forge proofs. */
export type Keys = {
  /** The .zkey file, as snarkjs reads it, on memory that threads share. */
  readonly zkey: Uint8Array
  /** The .qkey file, if one was made with it: with it, proofs are faster. */
  readonly qkey?: Uint8Array | undefined
  readonly verifyingKey: VerifyingKey
}

/** Where the quotient key of a .zkey lies: beside it. */
export const quotientPath = (path: string): string => `${path.replace(/\.zkey$/, '')}.qkey`

export type SetupOptions = (
  | {
      /** A key from secrets drawn here. **Forgeable by whoever saw them**: for development. */
      readonly dev: true
    }
  | {
      /** A ceremony's file of powers of tau, prepared for phase 2. */
      readonly ptau: string
      /** BLAKE2b-512 of the file, in hex, as the ceremony published it: compared before use. */
      readonly ptauDigest?: string
      readonly beacon?: Beacon
    }
) & {
  /** Where to keep the .zkey file, with the .qkey file beside it; default: nowhere. */
  readonly path?: string
  /** Default: as many as the machine can run at once. */
  readonly threads?: number
  readonly signal?: AbortSignal
  /** Share done in [0, 1]; the contribution to a ceremony's key comes after. */
  readonly onProgress?: (fraction: number) => void
}

/**
 * Sets up keys for a circuit.
 *
 * Throws `circuit/wrong-field`, `limit/circuit-too-large`, `limit/engine-memory`, `environment/engine`, `key/malformed-ptau`, `key/ptau-too-small`,
 * `key/ptau-not-prepared`, `key/ptau-digest`, `key/setup-failed`, `usage/beacon`, `input/unreadable-file`, `input/unwritable`,
 * `aborted/by-caller`, and what a pool of threads throws.
 */
export async function setup({ circuit }: { readonly circuit: Circuit }, options: SetupOptions): Promise<Keys> {
  const folder = options.path === undefined ? await mkdtemp(join(tmpdir(), 'veritensor-')) : undefined
  const path = options.path ?? join(folder!, FILES.zkey)
  const { signal, threads, onProgress } = options
  try {
    if ('ptau' in options) {
      const { ptau, ptauDigest, beacon } = options
      await setupPtau(circuit, { ptau, ptauDigest, path, beacon, threads, signal, onProgress })
      rmSync(quotientPath(path), { force: true }) // that of a key before
    } else await setupDev(circuit, { path, quotientPath: quotientPath(path), threads, signal, onProgress })
    const keys = openKeys(path)
    checkKeyOfCircuit(readZkey(keys.zkey), circuit)
    return keys
  } catch (error) {
    throw typedFileError(path, error)
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  }
}

/** `input/unwritable` for an error of the file system. */
const typedFileError = (path: string, error: unknown): unknown =>
  typeof (error as { syscall?: unknown } | null)?.syscall === 'string' ? unwritable(path, error) : error

/** Keys of a .zkey file, and of the .qkey beside it if there is one. Throws `input/unreadable-file`, `key/malformed-zkey` and `key/unsafe`. */
export function openKeys(path: string): Keys {
  const zkey = readShared(path)
  const beside = quotientPath(path)
  return {
    zkey,
    ...(isRegular(beside) && { qkey: readShared(beside) }),
    verifyingKey: readZkey(zkey).verifyingKey,
  }
}

/**
 * Sets up keys for the circuit of a directory and files them there in one go. A development key that is there already is
 * replaced, and its contract removed; any other is refused.
 *
 * Throws as `setup` and ArtefactError, `usage/key-in-the-way` among them.
 */
export async function setupDirectory(
  directory: string,
  options: Exclude<SetupOptions, 'path'>,
): Promise<{ readonly manifest: Manifest; readonly keys: Keys }> {
  const before = await readManifest(directory)
  if (before.key?.kind !== 'dev' && existsSync(join(directory, FILES.zkey)))
    throw new ArtefactError('usage/key-in-the-way', `${directory} holds a ${FILES.zkey} that can not be made again`, {
      fix: `move ${FILES.zkey} away first, or compile into another folder`,
    })
  const circuit = await openCircuit(directory, before)
  return fileKeys(directory, before, async (path) => {
    const keys = await setup({ circuit }, { ...options, path })
    return { keys, key: await describeKey(options) }
  })
}

/** Files the keys that `make` leaves at a path, with their description, in a directory, in one go. */
async function fileKeys(
  directory: string,
  before: Manifest,
  make: (path: string) => Promise<{ readonly keys: Keys; readonly key: KeyInfo }>,
): Promise<{ readonly manifest: Manifest; readonly keys: Keys }> {
  const stage = temporaryBeside(join(directory, 'setup'))
  try {
    await mkdir(stage).catch((cause) => {
      throw unwritable(stage, cause)
    })
    const { keys, key } = await make(join(stage, FILES.zkey))
    const json = `${JSON.stringify(encodeVerifyingKey(keys.verifyingKey), null, 1)}\n`
    const { [FILES.verifier]: _, [FILES.qkey]: __, ...files } = before.files
    const digests = {
      [FILES.zkey]: sha256(keys.zkey),
      ...(keys.qkey && { [FILES.qkey]: sha256(keys.qkey) }),
      [FILES.verificationKey]: sha256(Buffer.from(json)),
    }
    const manifest: Manifest = { ...before, files: { ...files, ...digests }, key }
    await writeFile(join(stage, FILES.verificationKey), json)
    await writeFile(join(stage, FILES.manifest), manifestText(manifest))
    await refuseChanges(directory, before)
    for (const name of [FILES.verifier, FILES.qkey]) rmSync(join(directory, name), { force: true })
    renameAll([...Object.keys(digests), FILES.manifest].map((name) => [join(stage, name), join(directory, name)]))
    return { manifest, keys }
  } finally {
    await discard(stage)
  }
}

/** What to add to a ceremony's key: a contribution of fresh randomness, or the beacon that ends phase 2. */
export type ContributeOptions = (
  | { /** Kept in the key, for all to see. */ readonly name: string }
  | { readonly beacon: Beacon }
) & { readonly signal?: AbortSignal }

/**
 * Adds a contribution to the ceremony's key of a directory; its contract, which is for the key before, is removed.
 *
 * Throws as `openDirectoryKeys`, ArtefactError `usage/dev-key` and `usage/beacon-done`, `usage/beacon`, and what
 * `runSteps` throws.
 */
export async function contributeDirectory(
  directory: string,
  options: ContributeOptions,
): Promise<{ readonly manifest: Manifest; readonly keys: Keys }> {
  const before = await readManifest(directory)
  const { verifyingKey } = openProvingKey(directory, before)
  if (verifyingKey.dev || before.key?.kind !== 'ptau')
    throw new ArtefactError('usage/dev-key', 'only keys of a ceremony take contributions', {
      fix: 'make a key with --ptau FILE',
    })
  if (before.key.beacon !== undefined)
    throw new ArtefactError('usage/beacon-done', 'a beacon has ended phase 2 of this key', {
      fix: 'make a new key with --ptau FILE',
    })
  if ('beacon' in options) checkBeacon(options.beacon)
  const circuit = await openCircuit(directory, before)
  const from = join(directory, FILES.zkey)
  const key = { ...before.key, ...('beacon' in options ? { beacon: options.beacon } : {}) }
  return fileKeys(directory, before, async (to) => {
    const step =
      'beacon' in options ? { kind: 'beacon' as const, from, to, ...options } : contribution(from, to, options.name)
    await runSteps([step], options.signal)
    const zkey = readShared(to)
    const made = readZkey(zkey)
    checkKeyOfCircuit(made, circuit)
    return { keys: { zkey, verifyingKey: made.verifyingKey }, key }
  })
}

/**
 * Makes the quotient key of a directory's key, which need not be one of a ceremony, and files it there in one go.
 *
 * Throws as `openDirectoryKeys`, `setupQuotient` and ArtefactError.
 */
export async function quotientDirectory(
  directory: string,
  options: Pick<SetupOptions, 'threads' | 'signal' | 'onProgress'>,
): Promise<{ readonly manifest: Manifest; readonly qkey: Uint8Array }> {
  const before = await readManifest(directory)
  const { zkey } = openProvingKey(directory, before)
  const circuit = await openCircuit(directory, before)
  const stage = temporaryBeside(join(directory, 'setup'))
  try {
    await mkdir(stage).catch((cause) => {
      throw unwritable(stage, cause)
    })
    const path = join(stage, FILES.qkey)
    await setupQuotient(circuit, readZkey(zkey), { ...options, path })
    const qkey = readShared(path)
    const manifest: Manifest = { ...before, files: { ...before.files, [FILES.qkey]: sha256(qkey) } }
    await writeFile(join(stage, FILES.manifest), manifestText(manifest))
    await refuseChanges(directory, before)
    renameAll([FILES.qkey, FILES.manifest].map((name) => [join(stage, name), join(directory, name)]))
    return { manifest, qkey }
  } catch (error) {
    throw typedFileError(join(directory, FILES.qkey), error)
  } finally {
    await discard(stage)
  }
}

/** Throws `input/changed` if the manifest is not what it was. */
async function refuseChanges(directory: string, before: Manifest): Promise<void> {
  if (manifestText(await readManifest(directory)) !== manifestText(before))
    throw new ArtefactError('input/changed', `${directory} was changed by another command meanwhile`, {
      fix: 'run the set-up again',
    })
}

/**
 * Checks the key of a directory against its ceremony's file: every point, and all contributions.
 *
 * Returns names and kinds of the contributions. Throws as `verifyPtauKey` and `openDirectoryKeys`.
 */
export async function verifyDirectoryKey(
  directory: string,
  { ptau, signal }: { readonly ptau: string; readonly signal?: AbortSignal },
): Promise<ReturnType<typeof readZkey>['contributions']> {
  const manifest = await readManifest(directory)
  readSharedArtefact(directory, manifest, FILES.zkey) // compares its digest
  const circuit = await openCircuit(directory, manifest)
  return (await verifyPtauKey(circuit, { ptau, zkey: join(directory, FILES.zkey), signal })).contributions
}

async function describeKey(options: SetupOptions): Promise<KeyInfo> {
  if (!('ptau' in options)) return { kind: 'dev' }
  const ptau = { file: basename(options.ptau), sha256: await sha256File(options.ptau) }
  return { kind: 'ptau', ptau, ...(options.beacon && { beacon: options.beacon }) }
}

/**
 * The keys of a directory. The verifying key is marked as a development key if either the .zkey or the manifest says so: snarkjs
 * drops our mark from the .json.
 *
 * Throws ArtefactError `input/missing-file`, `key/digest-mismatch`, and what `openKeys` throws.
 */
export function openDirectoryKeys(directory: string, manifest: Manifest): Keys {
  // without it proofs take longer, and that is all
  const listed = Object.hasOwn(manifest.files, FILES.qkey) && isRegular(join(directory, FILES.qkey))
  const qkey = listed ? readSharedArtefact(directory, manifest, FILES.qkey) : undefined
  return { ...openProvingKey(directory, manifest), qkey }
}

/** The same without the quotient key. */
function openProvingKey(directory: string, manifest: Manifest): Keys {
  const zkey = readSharedArtefact(directory, manifest, FILES.zkey)
  const { verifyingKey } = readZkey(zkey)
  return { zkey, verifyingKey: { ...verifyingKey, dev: verifyingKey.dev || manifest.key?.kind === 'dev' } }
}

/**
 * The verifying key of a directory from its .json alone, for verifying where there is no .zkey. It is marked as a
 * development key if the .json, the manifest or a .zkey that is there says so.
 *
 * Throws ArtefactError `input/missing-file`, `key/digest-mismatch`, and KeyError `key/malformed`, `key/unsafe`.
 */
export async function openVerifyingKey(directory: string, manifest: Manifest): Promise<VerifyingKey> {
  const bytes = await readArtefact(directory, manifest, FILES.verificationKey)
  const key = decodeVerifyingKey(parseJson(bytes))
  const zkey = join(directory, FILES.zkey)
  const marked = isRegular(zkey) && isMarkedDev(zkey)
  return { ...key, dev: key.dev || manifest.key?.kind === 'dev' || marked }
}

/**
 * The verifying key of a directory for a contract: that of the .zkey, which must belong to the circuit and agree with the
 * .json, so that what is deployed can be proved for.
 *
 * Throws as `openDirectoryKeys` and `openVerifyingKey`, and KeyError `key/other-circuit`.
 */
export async function openCheckedKey(directory: string, manifest: Manifest): Promise<VerifyingKey> {
  const { zkey, verifyingKey } = openProvingKey(directory, manifest)
  checkKeyOfCircuit(readZkey(zkey), await openCircuit(directory, manifest))
  const stated = await openVerifyingKey(directory, manifest)
  if (verifyingKeyDigest(stated) !== verifyingKeyDigest(verifyingKey))
    throw new KeyError('other-circuit', `${FILES.verificationKey} and ${FILES.zkey} in ${directory} are different keys`)
  return { ...verifyingKey, dev: verifyingKey.dev || stated.dev }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new KeyError('malformed', `${FILES.verificationKey} is not JSON`)
  }
}

/** Whether a .zkey file bears the mark of a development key; reads a few bytes only. What is no .zkey bears none. */
function isMarkedDev(path: string): boolean {
  const fd = openRegular(path)
  try {
    const read = (position: number, length: number): Uint8Array => {
      const bytes = new Uint8Array(length)
      readSync(fd, bytes, 0, length, position)
      return bytes
    }
    const history = readSectionTable('zkey', fstatSync(fd).size, read, SECTION_ORDER).get(10)!
    const mark = devMark('').subarray(0, 32)
    return Buffer.from(mark).equals(read(history.offset, mark.length))
  } catch (error) {
    if (error instanceof FileFormatError) return false
    throw error
  } finally {
    closeSync(fd)
  }
}
