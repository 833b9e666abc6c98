/**
 * Temporary files and folders that are gone afterwards, also when the process is made to end in the midst.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { renameSync, rmSync } from 'node:fs'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { ArtefactError } from './manifest.ts'

const present = new Set<string>()
let watching = false

/** A name beside `path` that nothing has. What is made there goes away when the process exits, or by `discard`. */
export function temporaryBeside(path: string): string {
  if (!watching) {
    watching = true
    process.on('exit', () => {
      for (const left of present)
        try {
          rmSync(left, { recursive: true, force: true })
        } catch {
          // nobody is left to be told
        }
    })
  }
  const temporary = `${resolve(path)}.${randomBytes(6).toString('hex')}.partial`
  present.add(temporary)
  return temporary
}

export async function discard(temporary: string): Promise<void> {
  // what fails here was never made (a file stands where its folder should be), or is tried again at exit
  const gone = await rm(temporary, { recursive: true, force: true }).then(
    () => true,
    () => false,
  )
  if (gone) present.delete(temporary)
}

/** Permissions of files that nobody else shall read. */
export const SECRET = { mode: 0o600 } as const

/**
 * Writes files whole: first beside their places, then all are renamed in one go that no signal interrupts. Those that are
 * secret can be read by the user alone. Throws ArtefactError `input/unwritable`.
 */
export async function writeWhole(
  files: Readonly<Record<string, string | Uint8Array>>,
  secret: readonly string[] = [],
): Promise<void> {
  const staged = Object.entries(files).map(([path, content]) => ({ path, content, temporary: temporaryBeside(path) }))
  try {
    for (const { path, content, temporary } of staged)
      await writeFile(temporary, content, secret.includes(path) ? SECRET : {}).catch((cause) => {
        throw unwritable(path, cause)
      })
    renameAll(staged.map(({ temporary, path }) => [temporary, path]))
  } finally {
    await Promise.all(staged.map(({ temporary }) => discard(temporary)))
  }
}

/** Renames files one after the other without a pause. Throws ArtefactError `input/unwritable`. */
export function renameAll(renames: readonly (readonly [from: string, to: string])[]): void {
  for (const [from, to] of renames)
    try {
      renameSync(from, to)
    } catch (cause) {
      throw unwritable(to, cause)
    }
}

/**
 * Makes a folder and those above it, where they are missing. Throws what the file system throws.
 *
 * Node's own recursive mkdir never returns where a folder can't be made although the one above it is there, as in /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  const target = resolve(path)
  const exists = await stat(target).then(
    (info) => info.isDirectory(),
    () => false,
  )
  if (exists) return
  if (dirname(target) !== target) await makeFolder(dirname(target))
  await mkdir(target).catch(async (error: NodeJS.ErrnoException) => {
    // another process may have been faster
    if (error.code !== 'EEXIST' || !(await stat(target)).isDirectory()) throw error
  })
}

export const unwritable = (path: string, cause: unknown): ArtefactError =>
  new ArtefactError('input/unwritable', `${path} can't be written: ${(cause as Error).message}`, {
    details: { path },
    fix: 'check the permissions and the space left',
    cause,
  })
