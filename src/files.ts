import { openSync, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'

/**
 * A file's bytes. Throws what the file system throws, and an Error for what is no file: reading a pipe or a device that a
 * folder from somebody else holds, or links to, may never end, and could not be interrupted.
 */
export async function readRegular(path: string): Promise<Uint8Array> {
  if (!(await stat(path)).isFile()) throw new Error('it is no file')
  return readFile(path)
}

/** Opens a file for reading; throws as `readRegular` does, as opening a pipe already waits for whoever writes to it. */
export function openRegular(path: string): number {
  if (!statSync(path).isFile()) throw new Error('it is no file')
  return openSync(path, 'r')
}

/** `readRegular` as text. */
export const readRegularText = async (path: string): Promise<string> =>
  new TextDecoder().decode(await readRegular(path))
