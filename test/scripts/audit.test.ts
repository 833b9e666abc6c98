import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatOutcomes, type Outcome, verdictOf } from '../../scripts/audit/report.ts'
import { encodeModel } from '../../src/graph/onnx.ts'
import { runScript, smallModel, smallSet, writeModel } from './support.ts'

const root = mkdtempSync(join(tmpdir(), 'veritensor-test-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const reason = (code: string) => ({ code, message: 'm', fix: null, stage: 'compile' })

describe('report', () => {
  test('verdicts', () => {
    const sound = { rows: 10, determined: true, clean: true }
    expect(verdictOf(sound, null, 10)).toBe('determined')
    expect(verdictOf({ ...sound, clean: false }, null, 10)).toBe('not sound')
    expect(verdictOf({ ...sound, determined: false, clean: false }, null, 10)).toBe('not sound')
    expect(verdictOf({ rows: 11 }, null, 10)).toBe('too large')
    expect(verdictOf({ rows: 10 }, null, 10)).toBe('failed')
    expect(verdictOf({}, reason('model/unsupported'), 10)).toBe('refused')
    expect(verdictOf(sound, reason('internal/crashed'), 10)).toBe('failed')
  })

  test('the table has every model, faults and reasons below, and a count', () => {
    const outcomes: Outcome[] = [
      { name: 'good', verdict: 'determined', reason: null, rows: 1234, auditSeconds: 0.5, peakBytes: 2e8 },
      { name: 'bad', verdict: 'not sound', reason: null, faults: ['wire 3 in relu: it occurs in no row'] },
      { name: 'odd', verdict: 'refused', reason: reason('model/unsupported') },
    ]
    const text = formatOutcomes(outcomes)
    expect(text).toMatch(/^good +1,234 +0.50 +200.0 MB +determined$/m)
    expect(text).toContain('bad: wire 3 in relu: it occurs in no row')
    expect(text).toContain('odd: model/unsupported (compile): m')
    expect(text).toContain('3 models: 1 determined, 1 not sound, 1 refused')
  })
})

describe('the script', () => {
  beforeAll(() => {
    writeModel(join(root, 'good'), smallModel(), { 0: smallSet(1.5, -2), 1: smallSet(0.25, 1) })
    const nodes = [{ op: 'Undoable', inputs: ['x'], outputs: ['y'] }]
    const unsupported = encodeModel({ inputs: [{ name: 'x', shape: [1, 2] }], outputs: [{ name: 'y' }], nodes })
    writeModel(join(root, 'unsupported'), unsupported, { 0: smallSet(1, 2) })
    writeFileSync(join(root, 'models.csv'), 'model,group,note\ngood,public,"a, b"\nunsupported,other,\n')
  })

  test('audits the models of a folder, with commitments too', async () => {
    const { code, out, err } = await runScript('audit', [root, '--json', '--visibility', 'committed'])
    expect(err).toContain('[2/2]')
    const { schema, models } = JSON.parse(out) as { schema: string; models: Outcome[] }
    expect(schema).toBe('veritensor/audits@1')
    expect(models.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['good', 'determined'],
      ['unsupported', 'refused'],
    ])
    expect(models[0]).toMatchObject({ determined: true, clean: true, faults: [] })
    expect(code).toBe(0) // refusals are honest answers
  })

  test('a group, and a limit of rows', async () => {
    const { code, out } = await runScript('audit', [root, '--set', 'public', '--max-rows', '5'])
    expect(out).toMatch(/^good .* too large$/m)
    expect(out).toContain('1 models: 1 too large')
    expect(code).toBe(0)
    const unknown = await runScript('audit', [root, '--set', 'nobody'])
    expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('no group "nobody"') })
  })

  test('a model that --only names must be audited', async () => {
    expect(await runScript('audit', [root, '--only', 'unsupported'])).toMatchObject({ code: 1 })
  })
})
