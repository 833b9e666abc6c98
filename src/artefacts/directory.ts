/**
 * Artefact directories: what `compile`, `setup` and `contract` leave for the stages after them. Files are written aside and
 * renamed, so that an interrupted command leaves either the old state or the new one.
 * @module
 */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { readRegular, readRegularText } from '../files.ts'
import { readShared } from '../workers/files.ts'
import { ArtefactError, type Manifest, parseManifest } from './manifest.ts'
import { discard, makeFolder, renameAll, SECRET, temporaryBeside, unwritable, writeWhole } from './temporary.ts'

/** Files of an artefact directory. */
export const FILES = {
  manifest: 'manifest.json',
  onnx: 'model.onnx',
  weights: 'weights.vtb',
  model: 'model.vtb',
  circuit: 'circuit.vtb',
  r1cs: 'circuit.r1cs',
  zkey: 'circuit.zkey',
  qkey: 'circuit.qkey',
  verificationKey: 'verification_key.json',
  verifier: 'Verifier.sol',
} as const

/** The files that make up a key; a quotient key may be there. */
const KEY_FILES: readonly string[] = [FILES.zkey, FILES.verificationKey]
const KEY_PARTS: readonly string[] = [...KEY_FILES, FILES.qkey]

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** SHA-256 of a file of any size. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

export const manifestText = (manifest: Manifest): string => `${JSON.stringify(manifest, null, 2)}\n`

/**
 * Writes a new artefact directory whole or not at all. An artefact directory or empty folder that is in the way is
 * replaced; files in it that are not artefacts stay, and so does its key where the circuit is still the same. Anything else
 * is refused with `usage/directory-in-use`, and so is a directory with a ceremony's key for another circuit, or with the salt of
 * another weight set.
 */
export async function writeDirectory(
  directory: string,
  manifest: Omit<Manifest, 'files' | 'key'>,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<Manifest> {
  // where a link leads, and not in the place of the link
  const target = existsSync(directory) ? realpathSync(directory) : resolve(directory)
  const digests = Object.fromEntries(
    Object.entries(files).map(([name, content]) => [
      name,
      sha256(typeof content === 'string' ? Buffer.from(content) : content),
    ]),
  )
  const kept = await keyToKeep(directory, digests)
  const complete: Manifest = { ...manifest, ...(kept && { key: kept.key! }), files: { ...digests, ...kept?.files } }
  const aside = temporaryBeside(target)
  try {
    try {
      await makeFolder(aside)
      for (const [name, content] of Object.entries(files))
        await writeFile(join(aside, name), content, name === FILES.weights ? SECRET : {})
      await writeFile(join(aside, FILES.manifest), manifestText(complete))
    } catch (cause) {
      throw unwritable(directory, cause)
    }
    if (existsSync(target)) await replaceDirectory(target, aside, kept === undefined ? [] : Object.keys(kept.files))
    else renameAll([[aside, target]])
    return complete
  } finally {
    await discard(aside)
  }
}

/** Puts a directory in the place of another, of which only artefacts are lost, and of these not the kept ones. */
async function replaceDirectory(target: string, by: string, kept: readonly string[]): Promise<void> {
  const replaced: readonly string[] = Object.values(FILES).filter((name) => !kept.includes(name))
  const staying = readdirSync(target).filter((name) => !replaced.includes(name))
  const old = `${by}.old`
  renameAll([[target, old]])
  try {
    renameAll([[by, target]])
  } catch (error) {
    renameAll([[old, target]])
    throw error
  }
  // should one of these fail, the old directory stays with what is left in it
  renameAll(staying.map((name) => [join(old, name), join(target, name)]))
  await rm(old, { recursive: true, force: true })
}

/** What of an earlier directory's key fits the new circuit. Throws where the directory must not be replaced. */
async function keyToKeep(
  directory: string,
  digests: Readonly<Record<string, string>>,
): Promise<Pick<Manifest, 'key' | 'files'> | undefined> {
  if (!existsSync(directory)) return undefined
  const refuse = (why: string, fix: string): never => {
    throw new ArtefactError('usage/directory-in-use', `${directory} ${why}`, { fix })
  }
  const present = await readdir(directory).catch(() => refuse('exists and is no folder', 'choose another name with -o'))
  if (present.length === 0) return undefined
  if (!present.includes(FILES.manifest))
    refuse('exists and is no artefact directory', 'choose another folder with -o, or remove this one')
  const before = await readManifest(directory).catch(() => undefined)
  const salted = present.includes(FILES.weights) && before?.visibility.weights === 'private'
  if (salted && before.files[FILES.weights] !== digests[FILES.weights])
    refuse(
      `holds the salt of private weights in ${FILES.weights}, which would be lost`,
      `choose another folder with -o, or move ${FILES.weights} away`,
    )
  if (!present.includes(FILES.zkey)) return undefined
  const r1cs = digests[FILES.r1cs]
  if (before?.key !== undefined && r1cs !== undefined && before.files[FILES.r1cs] === r1cs) {
    const keys = KEY_PARTS.filter((name) => present.includes(name) && before.files[name] !== undefined)
    if (KEY_FILES.every((name) => keys.includes(name)))
      return { key: before.key, files: Object.fromEntries(keys.map((name) => [name, before.files[name]!])) }
  }
  // development keys are made again in no time
  if (before?.key?.kind !== 'dev')
    refuse('holds the proving key of another circuit, which would be lost', 'choose another folder with -o')
  return undefined
}

/** The manifest of a directory. Throws ArtefactError `input/no-artefacts` or `input/manifest`. */
export async function readManifest(directory: string): Promise<Manifest> {
  const path = join(directory, FILES.manifest)
  const text = await readRegularText(path).catch((cause) => {
    throw new ArtefactError('input/no-artefacts', `${directory} holds no ${FILES.manifest}`, {
      fix: 'make it with: veritensor compile MODEL.onnx -o DIR',
      cause,
    })
  })
  return parseManifest(text, path)
}

/**
 * A file of the directory, checked against the manifest's digest. Throws ArtefactError `input/missing-file` with what makes
 * the file, or `input/digest-mismatch` (`key/digest-mismatch` for a key).
 */
export async function readArtefact(directory: string, manifest: Manifest, name: string): Promise<Uint8Array> {
  const path = join(directory, name)
  const bytes = await readRegular(path).catch((cause) => {
    throw missing(directory, name, cause)
  })
  checkDigest(manifest, name, sha256(bytes), path)
  return bytes
}

/** Whether there is a file, and no pipe or device. */
export const isRegular = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true

/** The same in memory that all threads share. */
export function readSharedArtefact(directory: string, manifest: Manifest, name: string): Uint8Array {
  const path = join(directory, name)
  if (!isRegular(path)) throw missing(directory, name)
  const bytes = readShared(path)
  checkDigest(manifest, name, sha256(bytes), path)
  return bytes
}

/** Records a file that `contract` made beside the others, file and manifest in one go. */
export async function addArtefact(
  directory: string,
  manifest: Manifest,
  name: string,
  content: string,
): Promise<Manifest> {
  const updated = { ...manifest, files: { ...manifest.files, [name]: sha256(Buffer.from(content)) } }
  await writeWhole({ [join(directory, name)]: content, [join(directory, FILES.manifest)]: manifestText(updated) })
  return updated
}

function checkDigest(manifest: Manifest, name: string, digest: string, path: string): void {
  const expected = Object.hasOwn(manifest.files, name) ? manifest.files[name] : undefined
  if (digest === expected) return
  const key = KEY_PARTS.includes(name)
  throw new ArtefactError(
    key ? 'key/digest-mismatch' : 'input/digest-mismatch',
    expected === undefined
      ? `${path} is not listed in ${FILES.manifest}`
      : `${path} has digest ${digest.slice(0, 12)}…, the manifest names ${expected.slice(0, 12)}…`,
    {
      details: { file: name, digest, expected: expected ?? null },
      fix: `the file was changed or replaced: ${repair(name, key, dirname(path))}`,
    },
  )
}

const repair = (name: string, key: boolean, directory: string): string => {
  if (name === FILES.qkey) return `remove it, or make it again with: veritensor setup quotient ${directory}`
  return key ? 'put the right one back or set up a new key' : 'compile the model again'
}

const makers: Readonly<Record<string, string>> = {
  [FILES.zkey]: 'veritensor setup DIR --dev',
  [FILES.qkey]: 'veritensor setup quotient DIR',
  [FILES.verificationKey]: 'veritensor setup DIR --dev',
  [FILES.verifier]: 'veritensor contract DIR',
}

const missing = (directory: string, name: string, cause?: unknown): ArtefactError =>
  new ArtefactError('input/missing-file', `${directory} holds no ${name}`, {
    details: { file: name },
    fix: `make it with: ${(makers[name] ?? 'veritensor compile MODEL.onnx -o DIR').replace('DIR', () => directory)}`,
    ...(cause === undefined ? {} : { cause }),
  })

/** Parent folder of a path, created if need be. Throws ArtefactError `input/unwritable`. */
export async function ensureParent(path: string): Promise<void> {
  await makeFolder(dirname(resolve(path))).catch((cause) => {
    throw unwritable(path, cause)
  })
}
