import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { makeFolder } from '../../src/artefacts/temporary.ts'

const folder = mkdtempSync(join(tmpdir(), 'veritensor-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('makeFolder', () => {
  test('makes missing parents, side by side', async () => {
    const paths = ['a/b/ü c', 'a/b/d', 'a/b/ü c'].map((name) => join(folder, name))
    await Promise.all(paths.map(makeFolder))
    for (const path of paths) expect(statSync(path).isDirectory()).toBe(true)
  })

  test('refuses what a file stands in the way of', async () => {
    writeFileSync(join(folder, 'file'), '')
    await expect(makeFolder(join(folder, 'file'))).rejects.toThrow('EEXIST')
    await expect(makeFolder(join(folder, 'file', 'below'))).rejects.toThrow(/EEXIST|ENOTDIR/)
  })

  test.skipIf(!existsSync('/proc/self'))('ends where the system makes no folders', async () => {
    await expect(makeFolder('/proc/veritensor/proofs')).rejects.toThrow('ENOENT')
  })
})
