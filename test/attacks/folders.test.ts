import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readDeployments } from '../../src/artefacts/deployments.ts'
import { readArtefact, readManifest, readSharedArtefact } from '../../src/artefacts/directory.ts'
import { openKeys } from '../../src/artefacts/keys.ts'
import type { Manifest } from '../../src/artefacts/manifest.ts'
import { makeFolder } from '../../src/artefacts/temporary.ts'
import { readProof } from '../../src/cli/proofFiles.ts'
import { checkPtauDigest, ptauInfo } from '../../src/workers/ptauSetup.ts'

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

describe.skipIf(process.platform === 'win32')('pipes and devices in the place of files are refused, not read', () => {
  const made = join(folder, 'pipes')
  const names = ['manifest.json', 'model.vtb', 'circuit.zkey', 'deployments.json', 'a.proof.json']
  const manifest = { files: {} } as Manifest

  test.each(['pipe', 'device'])('a %s', async (kind) => {
    rmSync(made, { recursive: true, force: true })
    await makeFolder(made)
    for (const name of names)
      if (kind === 'pipe') execFileSync('mkfifo', [join(made, name)])
      else symlinkSync('/dev/zero', join(made, name))
    await expect(readManifest(made)).rejects.toMatchObject({ code: 'input/no-artefacts' })
    await expect(readArtefact(made, manifest, 'model.vtb')).rejects.toMatchObject({ code: 'input/missing-file' })
    expect(() => readSharedArtefact(made, manifest, 'circuit.zkey')).toThrow('holds no circuit.zkey')
    expect(await readDeployments(made)).toEqual([])
    const key = join(made, 'circuit.zkey')
    expect(() => ptauInfo(key)).toThrow('it is no file')
    await expect(checkPtauDigest(key, '')).rejects.toMatchObject({ code: 'input/unreadable-file' })
    expect(() => openKeys(key)).toThrow('it is no file')
    const proof = { name: 'a', proof: join(made, 'a.proof.json'), public: join(made, 'a.public.json') }
    await expect(readProof(proof, 1)).rejects.toMatchObject({ code: 'input/unreadable' })
  })
})
