import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { agreementOf, agrees } from '../../scripts/conformance/compare.ts'
import {
  formatOps,
  formatOutcomes,
  markdownOutcomes,
  type Outcome,
  replaceTable,
  statusOf,
} from '../../scripts/conformance/report.ts'
import { casesOf, modelFolders, openShapes, readLabels, readTestSets } from '../../scripts/conformance/testData.ts'
import { runGuarded } from '../../scripts/support/guarded.ts'
import { findAnvil } from '../../src/chain/anvil.ts'
import { importOnnx } from '../../src/graph/import.ts'
import { encodeModel } from '../../src/graph/onnx.ts'
import type { DType, Tensor } from '../../src/tensor.ts'
import { runScript, smallModel as small, smallSet, tensor, writeModel as write } from './support.ts'

const root = mkdtempSync(join(tmpdir(), 'veritensor-test-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('test data', () => {
  test('folders with a model.onnx, or the one that is given', () => {
    const folder = join(root, 'list')
    write(join(folder, 'b'), small(), {})
    write(join(folder, 'a'), small(), {})
    mkdirSync(join(folder, 'no-model'))
    expect(modelFolders(folder).map(({ name }) => name)).toEqual(['a', 'b'])
    expect(modelFolders(join(folder, 'a'))).toEqual([{ name: 'a', folder: join(folder, 'a') }])
  })

  test('sets come in order of their numbers; outputs that are no tensors are left out', () => {
    const folder = join(root, 'sets')
    const garbled = Uint8Array.of(255, 255, 255)
    write(folder, small(), { 10: smallSet(1, 2), 9: { ...smallSet(3, 4), outputs: [garbled] }, 2: { inputs: [] } })
    const sets = readTestSets(folder)
    expect(sets.map(({ number }) => number)).toEqual([9, 10])
    expect(sets.map(({ outputs }) => outputs.map((y) => y && [...y.data]))).toEqual([[undefined], [[-1, 3]]])
  })

  test('open sizes are those of the first set; sets of other sizes are left out', () => {
    const onnx = small([1, 'n'])
    expect(openShapes(onnx, [tensor([1, 2], [0, 0])])).toEqual({ x: [1, 2] })
    expect(openShapes(small(), [tensor([1, 2], [0, 0])])).toEqual({})
    const graph = importOnnx(onnx, { shapes: { x: [1, 2] } })
    const sets = [smallSet(1, 2), { inputs: [tensor([2, 2], [1, 2, 3, 4])] }, smallSet(3, 4)].map((set, number) => ({
      ...{ outputs: [], ...set },
      number,
    }))
    expect(casesOf(graph, sets as Parameters<typeof casesOf>[1]).map(({ number }) => number)).toEqual([0, 2])
  })

  test('labels are numbers of known sets', () => {
    const folder = join(root, 'labels')
    write(folder, small(), {}, [{ set: 3, label: 7 }, { set: 4, label: null }, { label: 1 }])
    expect([...readLabels(folder)]).toEqual([[3, 7]])
    expect(readLabels(root).size).toBe(0)
  })
})

describe('comparison', () => {
  const set = (number: number, ...outputs: Tensor[]) => ({ number, sample: new Map(), outputs })
  const row = (...values: number[]) => tensor([1, values.length], values)
  const result = (float: Tensor, integer: Tensor) => ({ float: [float], integer: [integer] })

  test('errors are those of the worst element, relative to the range of all sets', () => {
    const found = agreementOf(
      [set(0, row(0, 4)), set(1, row(-6, 2))],
      [result(row(0, 4.25), row(0.5, 4)), result(row(-6, 2), row(-4, 2))],
      new Map(),
    )
    expect(found).toEqual({
      ...{ sets: 2, floatError: 0.25, maxError: 2, relativeError: 0.2, sameClass: 2, labelled: null },
    })
  })

  test('classes and labels', () => {
    const found = agreementOf(
      [set(0, row(0, 4)), set(1, row(5, 2)), set(2, row(1, 0))],
      [result(row(0, 4), row(0, 4)), result(row(5, 2), row(1, 2)), result(row(1, 0), row(1, 0))],
      new Map([
        [0, 1],
        [1, 0],
      ]),
    )
    expect(found).toMatchObject({ sameClass: 2, labelled: { total: 2, integer: 1, expected: 2, same: 1 } })
    expect(agrees(found!)).toBe(false)
    expect(agrees({ ...found!, labelled: { total: 2, integer: 1, expected: 1, same: 2 } })).toBe(true)
    expect(agrees({ ...found!, relativeError: 0.01 })).toBe(true)
    expect(agrees({ ...found!, labelled: null })).toBe(false)
  })

  test('a single integer is the class itself; a single float is none', () => {
    const one = (value: number, dtype: DType) => tensor([1], [value], dtype)
    const found = (dtype: DType) =>
      agreementOf([set(0, one(2, dtype))], [result(one(2, dtype), one(2, 'float32'))], new Map([[0, 2]]))
    expect(found('int64')).toMatchObject({ sameClass: 1, labelled: { total: 1, integer: 1, expected: 1, same: 1 } })
    expect(found('float32')).toMatchObject({ sameClass: null, labelled: null, relativeError: 0 })
  })

  test('nothing to compare with', () => {
    expect(agreementOf([set(0)], [result(row(1), row(1))], new Map())).toBeUndefined()
    expect(agreementOf([set(0, row(1, 2, 3))], [result(row(1), row(1))], new Map())).toBeUndefined()
  })
})

describe('report', () => {
  const reason = (code: string) => ({ code, message: 'm', fix: null, stage: 'compile' })
  const done = { rows: 5, offChain: true, onChain: true }

  test('the status tells refusals from bugs', () => {
    expect(statusOf(done, null, true)).toBe('proved')
    expect(statusOf({ ...done, onChain: false }, null, true)).toBe('failed')
    expect(statusOf({ rows: 5 }, null, true)).toBe('failed')
    expect(statusOf({ rows: 5 }, null, false)).toBe('compiled')
    expect(statusOf({}, null, false)).toBe('failed')
    for (const code of ['model/unsupported', 'input/no-samples', 'limit/timeout'])
      expect(statusOf({}, reason(code), true)).toBe('refused')
    for (const code of ['internal/unexpected', 'circuit/overflow', 'chain/revert', 'key/unsafe'])
      expect(statusOf(done, reason(code), true)).toBe('failed')
  })

  test('operators are counted, the most frequent first', () => {
    expect(formatOps({ Gemm: 1, Relu: 3, Conv: 2 })).toBe('3 Relu, 2 Conv, Gemm')
  })

  test('the table has every model, reasons below, and a count', () => {
    const outcomes: Outcome[] = [
      { name: 'good', status: 'proved', reason: null, seconds: 3, ...done, gas: 230_000, ops: { Relu: 2 } },
      {
        name: 'odd',
        status: 'refused',
        reason: { ...reason('model/unsupported'), message: 'x'.repeat(999) },
        seconds: 1,
      },
      { name: 'bad', status: 'failed', reason: { ...reason('internal/crashed'), stack: 'at here' }, seconds: 1 },
    ]
    const text = formatOutcomes(outcomes)
    expect(text).toMatch(/^good +2 Relu +5 +yes +yes +230,000 +proved$/m)
    expect(text).toMatch(/^odd: model\/unsupported \(compile\): x{100,}…$/m)
    expect(text).toContain('    at here')
    expect(text).toContain('3 models: 1 proved, 1 refused, 1 failed')
  })

  test('in a document the table replaces the one before', () => {
    const agreement = { sets: 1, floatError: 0, maxError: 1, relativeError: 0.0021, sameClass: null, labelled: null }
    const outcomes: Outcome[] = [
      { name: 'good', status: 'proved', reason: null, seconds: 3, ...done, bits: 9, gas: 230_000, agreement },
      { name: 'odd', status: 'refused', reason: reason('limit/budget'), seconds: 1, rows: 7, agreement },
    ]
    const text = markdownOutcomes(outcomes)
    expect(text).toContain('| good |  | 9 | 5 | 0.210 % |  | yes | proved | 230,000 |')
    expect(text).toContain('| odd |  | exact | 7 | 0.210 % |  | yes | refused: `limit/budget` |  |')
    expect(text).toMatch(/\n\n2 models: 2 agree, 1 proved, 1 refused$/)
    const [start, end] = ['<!-- conformance -->\n', '\n<!-- end of conformance -->']
    expect(replaceTable(`a${start}old${end}b`, 'new')).toBe(`a${start}new${end}b`)
    expect(() => replaceTable(`a${start}old`, 'new')).toThrow('no place for the table')
  })
})

describe('a process of its own', () => {
  const child = (name: string, code: string): URL => {
    const path = join(root, `${name}.mjs`)
    writeFileSync(path, code)
    return pathToFileURL(path)
  }
  const run = async (module: URL, timeoutMs = 60_000) => {
    const messages: unknown[] = []
    const ending = await runGuarded(module, { n: 3 }, { timeoutMs, onMessage: (message) => messages.push(message) })
    return { ending, messages }
  }

  test('gets the task, answers, ends', async () => {
    const module = child('good', `process.once('message', ({ n }) => process.send(n + 1, () => process.exit(0)))`)
    expect(await run(module)).toEqual({ ending: { kind: 'done' }, messages: [4] })
  })

  test('a crash is told with what it said', async () => {
    const thrown = await run(child('throws', `process.once('message', () => { throw new Error('out of luck') })`))
    expect(thrown.ending).toMatchObject({ kind: 'crashed', how: 'exit code 1' })
    expect(thrown.ending).toHaveProperty('errors', expect.stringContaining('out of luck'))
    const killed = await run(child('killed', `process.once('message', () => process.kill(process.pid, 'SIGKILL'))`))
    expect(killed.ending).toMatchObject({ kind: 'crashed', how: 'signal SIGKILL' })
  })

  test('what hangs is ended', async () => {
    expect((await run(child('hangs', 'while (true) {}'), 500)).ending).toEqual({ kind: 'timeout' })
  })
})

describe('the script', () => {
  const hasAnvil = ((): boolean => {
    try {
      return findAnvil() !== ''
    } catch {
      return false
    }
  })()

  const conformance = (words: readonly string[]) => runScript('conformance', words)

  test('takes good models to a verified proof and says why not for others', async () => {
    const folder = join(root, 'models')
    write(join(folder, 'good'), small(), { 0: smallSet(1.5, -2), 1: smallSet(0.25, 1), 2: smallSet(-1, 2) }, [
      { set: 0, label: 1 },
    ])
    const node = (op: string) => [{ op, inputs: ['x'], outputs: ['y'] }]
    const unsupported = encodeModel({
      ...{ inputs: [{ name: 'x', shape: [1, 2] }], outputs: [{ name: 'y' }], nodes: node('Undoable') },
    })
    write(join(folder, 'unsupported'), unsupported, { 0: smallSet(1, 2) })
    write(
      join(folder, 'broken'),
      Uint8Array.from({ length: 50 }, (_, i) => 255 - i),
      { 0: smallSet(1, 2) },
    )
    write(join(folder, 'without-data'), small(), {})
    const { code, out, err } = await conformance([folder, '--json', '--jobs', '2', ...(hasAnvil ? [] : ['--no-prove'])])
    expect(out.trim().split('\n')).toHaveLength(1)
    const { schema, models } = JSON.parse(out) as { schema: string; models: Outcome[] }
    expect(schema).toBe('veritensor/conformance@1')
    expect(models.map(({ name, status, reason }) => [name, status, reason?.code ?? null])).toEqual([
      ['broken', 'refused', 'model/not-onnx'],
      ['good', hasAnvil ? 'proved' : 'compiled', null],
      ['unsupported', 'refused', 'model/unsupported'],
      ['without-data', 'refused', 'input/no-samples'],
    ])
    const good = models[1]!
    expect(good.agreement).toMatchObject({
      sets: 3,
      sameClass: 3,
      labelled: { total: 1, integer: 1, expected: 1, same: 1 },
    })
    expect(good.agreement!.relativeError).toBeLessThan(0.02)
    expect(good.agreement!.floatError).toBeLessThan(1e-6)
    if (hasAnvil) expect(good).toMatchObject({ offChain: true, onChain: true, gas: expect.any(Number) })
    expect(err).toContain('[4/4]')
    expect(code).toBe(0) // refusals are honest answers
  })

  test('a model that --only names must pass', async () => {
    const folder = join(root, 'models')
    const only = await conformance([folder, '--only', 'unsupported', '--no-prove'])
    expect(only.code).toBe(1)
    expect(only.out).toContain('1 models: 1 refused')
    const unknown = await conformance([folder, '--only', 'nowhere'])
    expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('"nowhere"') })
  })
})
