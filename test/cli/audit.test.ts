import { expect, test } from 'vitest'
import { openCompiled, saveCompiled } from '../../src/artefacts/compiled.ts'
import { parseArguments } from '../../src/cli/args.ts'
import type { Result } from '../../src/cli/command.ts'
import { audit } from '../../src/cli/commands/audit.ts'
import { silent } from '../../src/cli/progress.ts'
import { compileModel } from '../../src/pipeline/compileModel.ts'
import { withoutRow } from '../support/everyWitness.ts'
import { temporaryFolder, tinyInputs, tinyModel } from './support.ts'

const folder = temporaryFolder()
const compiled = compileModel(tinyModel(), {
  calibration: tinyInputs(8).map(
    (x) => new Map([['x', { dtype: 'float32' as const, shape: [1, 4], data: Float64Array.from(x) }]]),
  ),
})

const run = async (...words: string[]): Promise<Result> =>
  audit.run({
    ...parseArguments(words, audit.options),
    progress: silent,
    signal: new AbortController().signal,
    blocking: (work) => work(),
    json: false,
  })

test('of a sound circuit: every wire is determined', async () => {
  const dir = `${folder}/sound`
  await saveCompiled(dir, compiled)
  const { text, json, exitCode } = await run(dir)
  expect(exitCode).toBeUndefined()
  expect(text.split('\n').at(-1)).toBe('Every wire is determined.')
  expect(text).toMatch(/relu\/\w+ +\d+ +\d+$/m)
  const { circuit } = await openCompiled(dir)
  expect(json).toMatchObject({
    schema: 'veritensor/audit@1',
    directory: dir,
    name: 'tiny',
    determined: true,
    clean: true,
    undetermined: [],
    counts: { rows: circuit.rows, wires: circuit.wires, freeWires: 0 },
  })
  expect(() => JSON.stringify(json)).not.toThrow()
})

test('of a circuit that lacks a row: node, gadget, reason and second witness, exit code 3', async () => {
  const { circuit } = compiled
  const row = circuit.rowScope.findIndex((s) => circuit.scopes[s]!.startsWith('relu/'))
  const scope = circuit.scopes[circuit.rowScope[row]!]!
  const dir = `${folder}/unsound`
  await saveCompiled(dir, { ...compiled, circuit: withoutRow(circuit, row) })
  const { text, json, exitCode } = await run(dir, '--named', '3', '--seed', '5')
  expect(exitCode).toBe(3)
  expect(text).toContain(`in ${scope}: row`)
  expect(text).toContain('a second witness with the same inputs: wire')
  expect(text).toMatch(/NOT DETERMINED: \d+ wires may differ for the same inputs$/)
  const [first] = json.undetermined as {
    scopes: string[]
    secondWitness: { changes: { from: string; to: string }[] }
  }[]
  expect(first!.scopes).toContain(scope)
  expect(first!.secondWitness.changes[0]).toMatchObject({ from: expect.stringMatching(/^\d+$/) })
  expect((json.undetermined as unknown[]).length).toBeLessThanOrEqual(3)
})

test('takes one directory', async () => {
  await expect(run()).rejects.toThrow('audit takes one DIR')
  await expect(run(`${folder}/none`)).rejects.toThrow()
})
