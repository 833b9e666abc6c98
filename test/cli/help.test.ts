import { expect, test } from 'vitest'
import { commands } from '../../src/cli/commands/index.ts'
import { cli, json } from './support.ts'

// The help is the specification: a change of it shows up in these files, in the diff. Re-make them with `vitest run -u`.
test.each(commands.map(({ name }) => [name]))('help of %s', async (name) => {
  const { code, out } = await cli(name, '--help')
  expect(code).toBe(0)
  await expect(`${out.join('\n')}\n`).toMatchFileSnapshot(`help/${name}.txt`)
  expect((await cli('help', name)).out).toEqual(out)
  expect((await cli(name, 'with', '--other', 'words', '-h')).out).toEqual(out)
})

test('help of the program', async () => {
  const { code, out } = await cli('--help')
  expect(code).toBe(0)
  await expect(`${out.join('\n')}\n`).toMatchFileSnapshot('help/veritensor.txt')
  expect(await cli('help')).toEqual({ code: 0, out, err: '' })
  expect(await cli('-h')).toEqual({ code: 0, out, err: '' })
  expect(await cli()).toEqual({ code: 2, out, err: '' })
})

test('help is one line with --json', async () => {
  const { json: help } = await json('setup', '--help')
  expect(help).toEqual({ schema: 'veritensor/help@1', text: (await cli('setup', '--help')).out[0] })
})

test('help fits a terminal, and every option has one line', () => {
  for (const { name, options, examples, summary, details } of commands) {
    for (const [option, { help }] of Object.entries(options)) expect(help, `${name} --${option}`).toMatch(/\S/)
    expect(summary.length, name).toBeLessThanOrEqual(80)
    for (const line of [...examples, ...(details ?? '').split('\n')])
      expect(line.length, `${name}: ${line}`).toBeLessThanOrEqual(120)
  }
})
