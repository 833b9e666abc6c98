import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findForge } from '../../scripts/forge/forge.ts'
import { packageRoot } from '../../src/packageRoot.ts'
import { cli, compileTiny, json, temporaryFolder, tinyFiles } from './support.ts'

const folder = temporaryFolder()
const files = tinyFiles(folder)
const at = (...parts: string[]): string => join(folder, ...parts)

test.each(['on', 'off'])('contract --test writes a test for forge, compression %s', async (compress) => {
  const dir = await compileTiny(folder, compress, '--input', 'public', '--compress', compress)
  const [project, proofs] = [at(`project-${compress}`), at(`proofs-${compress}`)]
  mkdirSync(project)
  const words = compress === 'on' ? ['--for', `31337:0x${'c0de'.repeat(10)}`, '--ctx', '0x1234'] : []
  expect((await cli('setup', dir, '--dev', '--jobs', '1')).code).toBe(0)
  expect((await json('prove', dir, '--input', files.inputs, '-o', proofs, '--jobs', '1', ...words)).code).toBe(0)
  const proof = join(proofs, 'inputs-0.proof.json')
  const contract = join(project, 'Tiny.sol')
  const written = await json('contract', dir, '-o', contract, '--name', 'Tiny', '--test', proof)
  expect(written.json.test).toBe(join(project, 'Tiny.t.sol'))

  const forge = (): { readonly passed: boolean; readonly out: string } => {
    const settings = { FOUNDRY_SRC: '.', FOUNDRY_TEST: '.', FOUNDRY_OFFLINE: 'true' }
    const solc = { FOUNDRY_SOLC: join(packageRoot, 'scripts/forge/solc.cjs'), FOUNDRY_AUTO_DETECT_SOLC: 'false' }
    const { status, stdout, stderr } = spawnSync(findForge().forge, ['test', '--root', project, '--optimize', 'true'], {
      ...{ encoding: 'utf8', env: { ...process.env, ...settings, ...solc } },
    })
    return { passed: status === 0, out: stdout + stderr }
  }
  const honest = forge()
  expect(honest.passed, honest.out).toBe(true)
  expect(honest.out.match(/\[PASS\]/g)).toHaveLength(compress === 'on' ? 5 : 4)
  // a verifier that does not look at the pairing's answer
  const source = readFileSync(contract, 'utf8')
  const broken = source.replace('eq(mload(m), 1)', '1')
  expect(broken).not.toBe(source)
  writeFileSync(contract, broken)
  expect(forge()).toMatchObject({ passed: false, out: expect.stringMatching(/changed (input|bytes) accepted/) })

  // nor is a test made from a proof that is none
  const other = await json('contract', dir, '-o', contract, '--test', at('nothing.proof.json'))
  expect(other.json.code).toBe('input/unreadable')
})
