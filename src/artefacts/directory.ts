/**
 * Artefact directories: what `compile`, `setup` and `contract` leave for the stages after them. Files are written aside and
 * renamed, so that an interrupted command leaves either the old state or the new one.
 * @module
 */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { ArtefactError, type Manifest, parseManifest } from './manifest.ts'

/** Files of an artefact directory. */
export const FILES = {
  manifest: 'manifest.json',
  onnx: 'model.onnx',
  model: 'model.vtb',
  circuit: 'circuit.vtb',
  r1cs: 'circuit.r1cs',
  zkey: 'circuit.zkey',
  verificationKey: 'verification_key.json',
  verifier: 'Verifier.sol',
} as const

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** SHA-256 of a file of any size. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

const temporary = (path: string): string => `${path}.partial-${process.pid}-${Date.now().toString(36)}`

/** Writes a file whole or not at all. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const aside = temporary(path)
  try {
    await writeFile(aside, content)
    await rename(aside, path)
  } catch (cause) {
    await rm(aside, { force: true })
    throw new ArtefactError('input/unwritable', `${path} can't be written: ${(cause as Error).message}`, { cause })
  }
}

/**
 * Writes a new artefact directory whole or not at all. An artefact directory or empty folder that is in the way is replaced;
 * anything else is refused with `usage/directory-in-use`.
 */
export async function writeDirectory(
  directory: string,
  manifest: Omit<Manifest, 'files'>,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<Manifest> {
  const target = resolve(directory)
  if (existsSync(target)) {
    const present = await readdir(target).catch(() => ['?'])
    if (present.length > 0 && !present.includes(FILES.manifest))
      throw new ArtefactError('usage/directory-in-use', `${directory} exists and is no artefact directory`, {
        fix: 'choose another folder with -o, or remove this one',
      })
  }
  const aside = temporary(target)
  const old = `${aside}-old`
  try {
    await mkdir(aside, { recursive: true })
    const digests: Record<string, string> = {}
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content
      await writeFile(join(aside, name), bytes)
      digests[name] = sha256(bytes)
    }
    const complete: Manifest = { ...manifest, files: digests }
    await writeFile(join(aside, FILES.manifest), `${JSON.stringify(complete, null, 2)}\n`)
    if (existsSync(target)) await rename(target, old)
    await rename(aside, target)
    return complete
  } catch (cause) {
    if (existsSync(old) && !existsSync(target)) await rename(old, target)
    throw new ArtefactError('input/unwritable', `${directory} can't be written: ${(cause as Error).message}`, { cause })
  } finally {
    await rm(aside, { recursive: true, force: true })
    await rm(old, { recursive: true, force: true })
  }
}

/** The manifest of a directory. Throws ArtefactError `input/no-artefacts` or `input/manifest`. */
export async function readManifest(directory: string): Promise<Manifest> {
  const path = join(directory, FILES.manifest)
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new ArtefactError('input/no-artefacts', `${directory} holds no ${FILES.manifest}`, {
      fix: 'make it with: veritensor compile MODEL.onnx -o DIR',
      cause,
    })
  })
  return parseManifest(text, path)
}

/**
 * A file of the directory, checked against the manifest's digest. Throws ArtefactError `input/missing-file` with what makes
 * the file, or `input/digest-mismatch`.
 */
export async function readArtefact(directory: string, manifest: Manifest, name: string): Promise<Uint8Array> {
  const path = join(directory, name)
  const bytes = await readFile(path).catch((cause) => {
    throw missing(directory, name, cause)
  })
  checkDigest(manifest, name, sha256(bytes), path)
  return bytes
}

/** Path of a large file of the directory, checked likewise without reading it whole. */
export async function artefactPath(directory: string, manifest: Manifest, name: string): Promise<string> {
  const path = join(directory, name)
  if (!existsSync(path)) throw missing(directory, name)
  checkDigest(manifest, name, await sha256File(path), path)
  return path
}

/** Adds or replaces files that are already in place, and other fields, in the manifest. */
export async function updateManifest(
  directory: string,
  manifest: Manifest,
  files: Readonly<Record<string, string>>,
  fields: Partial<Pick<Manifest, 'key'>> = {},
): Promise<Manifest> {
  const updated: Manifest = { ...manifest, ...fields, files: { ...manifest.files, ...files } }
  await writeWhole(join(directory, FILES.manifest), `${JSON.stringify(updated, null, 2)}\n`)
  return updated
}

function checkDigest(manifest: Manifest, name: string, digest: string, path: string): void {
  const expected = manifest.files[name]
  if (digest !== expected)
    throw new ArtefactError(
      'input/digest-mismatch',
      expected === undefined
        ? `${path} is not listed in ${FILES.manifest}`
        : `${path} has digest ${digest.slice(0, 12)}…, the manifest names ${expected.slice(0, 12)}…`,
      { details: { file: name, digest, expected }, fix: 'the file was changed or replaced: make the directory again' },
    )
}

const makers: Readonly<Record<string, string>> = {
  [FILES.zkey]: 'veritensor setup DIR --dev',
  [FILES.verificationKey]: 'veritensor setup DIR --dev',
  [FILES.verifier]: 'veritensor contract DIR',
}

const missing = (directory: string, name: string, cause?: unknown): ArtefactError =>
  new ArtefactError('input/missing-file', `${directory} holds no ${name}`, {
    fix: `make it with: ${(makers[name] ?? 'veritensor compile MODEL.onnx -o DIR').replace('DIR', basename(directory) === '' ? 'DIR' : directory)}`,
    ...(cause === undefined ? {} : { cause }),
  })

/** Parent folder of a path, created if need be. */
export async function ensureParent(path: string): Promise<void> {
  await mkdir(dirname(resolve(path)), { recursive: true })
}
