/**
 * Files at the edge: read into shared memory, written whole or not at all.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { VeritensorError } from '../errors.ts'
import { openRegular } from '../files.ts'

/** A file can't be read. */
export class UnreadableFileError extends VeritensorError {
  constructor(path: string, cause: unknown) {
    super('input/unreadable-file', `can't read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      details: { path },
      fix: 'Check the path and its permissions.',
      cause,
    })
  }
}

/**
 * A file's bytes in memory that all threads share.
 *
 * Throws UnreadableFileError.
 */
export function readShared(path: string): Uint8Array {
  try {
    const fd = openRegular(path)
    try {
      const { size } = fstatSync(fd)
      const bytes = new Uint8Array(new SharedArrayBuffer(size))
      for (let at = 0; at < size; ) {
        const read = readSync(fd, bytes, at, Math.min(size - at, 1 << 30), at)
        if (read === 0) return bytes.slice(0, at) // the file shrank
        at += read
      }
      return bytes
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    throw new UnreadableFileError(path, error)
  }
}

/** Writes all bytes at a position of an open file. */
export function writeAll(fd: number, position: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, position + at)
}

/** A name beside `path` that nothing has. */
export const temporaryName = (path: string): string => `${path}.${randomBytes(6).toString('hex')}.tmp`

/**
 * Makes a file under a temporary name beside it and gives it its name when it is complete. If `write` throws, nothing is
 * left behind, and an older file of that name stays as it was.
 */
export async function writeWhole(path: string, write: (fd: number) => Promise<void> | void): Promise<void> {
  const temporary = temporaryName(path)
  try {
    const fd = openSync(temporary, 'wx')
    try {
      await write(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}
