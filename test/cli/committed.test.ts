import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cli, compileTiny, json, temporaryFolder, tinyFiles } from './support.ts'

const folder = temporaryFolder()
const files = tinyFiles(folder)

test('committed inputs and outputs, from compile to the chain', async () => {
  const dir = await compileTiny(folder, 'committed', '--input', 'committed', '--output', 'committed')
  const out = join(folder, 'proofs')
  expect((await cli('setup', dir, '--dev', '--jobs', '1')).code).toBe(0)
  const proved = await json('prove', dir, '--input', files.proto, '-o', out, '--jobs', '1')
  expect(proved.code).toBe(0)
  const opening = JSON.parse(readFileSync(join(out, 'single.opening.json'), 'utf8'))
  if (process.platform !== 'win32') expect(statSync(join(out, 'single.opening.json')).mode & 0o777).toBe(0o600)
  expect(opening).toMatchObject({ schema: 'veritensor/opening@1', notice: expect.stringMatching(/opens/) })
  const [y, x] = opening.commitments
  expect(proved.json.proofs[0].statement.map((s: { digest: string }) => s.digest)).toEqual([y.digest, x.digest])
  const verified = await json('verify', dir, out, '--anvil')
  expect([verified.code, verified.json.proofs[0].onChain]).toEqual([0, true])
  expect((await cli('verify', dir, out)).out[0]).toContain(y.digest)
  const printed = await json('commit', dir, '--input', files.proto, '--salt', x.salt)
  expect(printed.json).toMatchObject({ salted: true, digests: [{ name: 'single', input: 'x', digest: x.digest }] })
  const other = await json('commit', dir, '--input', files.proto, '--salt', '2a')
  expect(other.json.digests[0].digest).not.toBe(x.digest)
  for (const salt of [[], ['--salt', 'xyz'], ['--salt', 'f'.repeat(64)], ['--salt', '1', '2']])
    expect((await json('commit', dir, '--input', files.proto, ...salt)).code, salt.join(' ')).toBe(2)
})

test('no salt only where it is asked for', async () => {
  const refused = await json(
    'compile',
    files.model,
    '-o',
    join(folder, 'x'),
    '--calibrate',
    files.calibration,
    '--unsalted',
  )
  expect([refused.code, refused.json.code]).toEqual([2, 'usage/unsalted'])
  const dir = await compileTiny(folder, 'bare', '--input', 'committed', '--unsalted')
  expect((await json('commit', dir, '--input', files.proto)).json.salted).toBe(false)
  expect((await json('commit', dir, '--input', files.proto, '--salt', '1')).code).toBe(2)
})

test('a visibility for each input and output', async () => {
  const dir = await compileTiny(folder, 'named', '--input', 'public', 'x=committed', '--output', 'logits=private')
  const inspected = await json('inspect', dir)
  expect(inspected.json.manifest.visibility).toEqual({
    ...{ input: 'public', output: 'public' },
    ...{ inputs: { x: 'committed' }, outputs: { logits: 'private' } },
  })
  expect(inspected.json.manifest.signals).toMatchObject([{ kind: 'input', name: 'x', count: 1 }])
  expect((await cli('inspect', dir)).out[0]).toMatch(/input +x +\[1, 4\] +committed/)
  const compile = (...words: string[]) =>
    json('compile', files.model, '-o', join(folder, 'y'), '--calibrate', files.calibration, ...words)
  for (const [words, code] of [
    [['--input', 'z=public'], 'usage/visibility'],
    [['--output', 'x=public'], 'usage/visibility'],
    [['--input', 'secret'], 'usage/command-line'],
    [['--input', 'x=secret'], 'usage/command-line'],
    [['--input', 'public', 'private'], 'usage/command-line'],
    [['--input', 'x=public', 'x=public'], 'usage/command-line'],
  ] as const) {
    const refused = await compile(...words)
    expect([refused.code, refused.json.code], words.join(' ')).toEqual([2, code])
  }
})
