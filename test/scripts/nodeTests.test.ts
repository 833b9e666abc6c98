import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { checkNode, compareOutput, type NodeResult, TOLERANCE } from '../../scripts/conformance/checkNode.ts'
import { readNodeIndex } from '../../scripts/conformance/nodeIndex.ts'
import { formatNodeResults, summarise } from '../../scripts/conformance/nodeReport.ts'
import { runNodeTests } from '../../scripts/conformance/nodeTests.ts'
import { encodeModel, encodeTensorProto, type ModelSpec } from '../../src/graph/onnx.ts'
import { packageRoot } from '../../src/packageRoot.ts'
import type { Tensor } from '../../src/tensor.ts'
import { corpus, hasCorpus } from '../support/corpus.ts'
import { int64s, tensor } from '../support/tensors.ts'

const root = mkdtempSync(join(tmpdir(), 'veritensor-node-tests-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Writes a test of one node as ONNX's own are. */
function write(
  name: string,
  node: Partial<ModelSpec['nodes'][number]> & { readonly op: string },
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
): void {
  const set = join(root, name, 'test_data_set_0')
  mkdirSync(set, { recursive: true })
  const names = inputs.map((_, i) => `x${i}`)
  const onnx = encodeModel({
    opset: 13,
    inputs: inputs.map(({ dtype, shape }, i) => ({ name: names[i]!, dtype, shape })),
    outputs: outputs.map((_, i) => ({ name: `y${i}` })),
    nodes: [{ inputs: names, outputs: outputs.map((_, i) => `y${i}`), ...node }],
  })
  writeFileSync(join(root, name, 'model.onnx'), onnx)
  for (const [k, x] of inputs.entries()) writeFileSync(join(set, `input_${k}.pb`), encodeTensorProto(x))
  for (const [k, y] of outputs.entries()) writeFileSync(join(set, `output_${k}.pb`), encodeTensorProto(y))
}

const run = (name: string, rowLimit = 20_000): NodeResult =>
  checkNode(root, { name, ops: ['Any'] }, { bits: 16, rowLimit })

describe('one test', () => {
  const x = tensor([2, 2], [1.5, -2, 0.25, 3])

  test('agrees: within 1 % of the range, with a circuit that gives the integers', () => {
    write('relu', { op: 'Relu' }, [x], [tensor([2, 2], [1.5, 0, 0.25, 3])])
    const { status, error, rows, solved, fixed } = run('relu')
    expect({ status, solved, fixed }).toEqual({ status: 'agrees', solved: true, fixed: [] })
    expect(error).toBeLessThan(1e-4)
    expect(run('relu', rows! - 1)).toMatchObject({ status: 'agrees', rows })
    expect(run('relu', rows! - 1).solved).toBeUndefined()
    expect(run('relu', 60).rows).toBeUndefined()
  })

  test('disagrees: floats beyond 1 %, integers and moved floats that are not the same', () => {
    write('off', { op: 'Relu' }, [x], [tensor([2, 2], [1.5, 0, 0.25, 3.04])])
    expect(run('off')).toMatchObject({ status: 'disagrees', reason: expect.stringContaining('3 instead of 3.0399') })
    write('moved', { op: 'Identity' }, [x], [tensor([2, 2], [1.5, -2, 0.25, 3.0001])])
    expect(run('moved').status).toBe('disagrees')
    write('argmax', { op: 'ArgMax' }, [x], [int64s(0, 1)])
    expect(run('argmax')).toMatchObject({ status: 'disagrees', reason: expect.stringContaining('shape') })
    write('shape', { op: 'Shape' }, [x], [int64s(2, 3)])
    expect(run('shape').status).toBe('disagrees')
  })

  test('fixes what operators take only as constants, and says so', () => {
    write('reshape', { op: 'Reshape' }, [x, int64s(4)], [tensor([4], x.data)])
    expect(run('reshape')).toMatchObject({ status: 'agrees', fixed: ['x1'], error: 0 })
    write('empty', { op: 'ReduceSum' }, [tensor([0, 2], [])], [tensor([1, 1], [0])])
    expect(run('empty')).toMatchObject({ status: 'agrees', fixed: ['x0'] })
  })

  test('unsupported is a typed refusal; anything else a crash', () => {
    write('odd', { op: 'Undoable' }, [x], [x])
    expect(run('odd')).toMatchObject({ status: 'unsupported', reason: expect.stringMatching(/^model\/unsupported/) })
    write('nan', { op: 'Relu' }, [tensor([1], [Number.NaN])], [tensor([1], [0])])
    expect(run('nan')).toMatchObject({ status: 'unsupported', reason: expect.stringMatching(/^input\/not-finite/) })
    expect(run('nowhere').status).toBe('crashed')
  })
})

test('the range of an output that 16 bits do not resolve is its magnitude', () => {
  const output = (...values: number[]): Tensor => tensor([values.length], values)
  const found = (expected: Tensor, got: Tensor) => compareOutput(expected, got, 16)
  expect(found(output(0, 4), output(0.04, 4))).toEqual({ error: TOLERANCE })
  expect(found(output(0, 4), output(0.05, 4)).what).toContain('0.05 instead of 0')
  expect(found(output(5, 5), output(5.04, 5))).toMatchObject({ error: expect.closeTo(0.008, 9) })
  expect(found(output(1000, 1001), output(1009, 1001)).what).toBeUndefined()
  expect(found(output(1000, 1004), output(1000.1, 1004)).what).toBeDefined()
  expect(found(output(0, 0), output(0, 1e-9)).what).toBeDefined()
  expect(found(output(Number.NaN, Number.POSITIVE_INFINITY), output(Number.NaN, Number.POSITIVE_INFINITY)).error).toBe(
    0,
  )
  expect(found(output(1, 2), output(1, Number.NaN)).what).toBeDefined()
})

describe('a run', () => {
  const result = (test: string, status: NodeResult['status'], ops = ['Relu']): NodeResult => ({
    ...{ test, ops, status, fixed: [] },
    ...(status === 'agrees' ? { error: 0.002, solved: true, rows: 9 } : { reason: 'why' }),
  })
  const many = (n: number): NodeResult[] => Array.from({ length: n }, (_, i) => result(`t${i}`, 'agrees'))

  test('passes with 92 % and nothing that disagrees or crashes', () => {
    expect(summarise([...many(92), ...Array(8).fill(result('u', 'unsupported'))]).passed).toBe(true)
    expect(summarise([...many(91), ...Array(9).fill(result('u', 'unsupported'))]).passed).toBe(false)
    expect(summarise([...many(99), result('d', 'disagrees')]).passed).toBe(false)
    expect(summarise([...many(99), result('c', 'crashed')]).passed).toBe(false)
    expect(summarise([]).passed).toBe(false)
  })

  test('prints a row an operator, reasons and counts', () => {
    const text = formatNodeResults([...many(3), result('bad', 'disagrees', ['Add', 'Relu'])])
    expect(text).toMatch(/^Relu +4 +3 +1 +0 +0 +0\.2 % +3$/m)
    expect(text).toMatch(/^Add +1 +0 +1 +0 +0 +0\.0 % +0$/m)
    expect(text).toContain('disagrees: bad: why')
    expect(text).toContain('4 tests: 3 agree (75.0 %), 1 disagree, 0 unsupported, 0 crashed; 3 circuits solved')
  })

  test('by command: the marked tests, those that are named, the exit code', () => {
    const columns = 'test,tier,expanded,single_op,ops,ort_1_30_status,plain_dtypes'
    const rows = ['relu,core,0,Relu,Relu,pass,1', 'off,extra,0,Relu,Relu,pass,1', 'argmax,core,1,ArgMax,ArgMax,pass,1']
    writeFileSync(join(root, 'index.csv'), [columns, ...rows, ''].join('\n'))
    const script = join(packageRoot, 'scripts', 'conformance.ts')
    const command = (...words: string[]) =>
      spawnSync(process.execPath, ['--import', 'tsx', script, '--node-tests', root, ...words], {
        cwd: packageRoot,
        encoding: 'utf8',
      })
    const all = command()
    expect(all.stdout).toContain('1 tests: 1 agree (100.0 %)')
    expect(all.status).toBe(0)
    const bad = command('--only', 'off', '--json')
    expect(JSON.parse(bad.stdout)).toMatchObject({
      ...{ schema: 'veritensor/node-tests@1', bits: 16 },
      ...{ summary: { disagrees: 1, passed: false }, results: [{ test: 'off', status: 'disagrees' }] },
    })
    expect(bad.status).toBe(1)
    const unknown = { only: ['nowhere'], bits: undefined, rows: undefined, json: false }
    expect(() => runNodeTests(root, unknown)).toThrow('"nowhere"')
  })
})

const folders = ['onnx-node-tests', 'onnx-node-tests-opset11']
/** Tests of which nothing is taken: they take seconds. */
const slow = /maxpool_3d|averagepool_3d|test_pow$|attention.*(past|gqa)/

describe.skipIf(!folders.every(hasCorpus))("a sample of ONNX's operator tests", () => {
  test.each(folders)('%s: every tenth agrees or is refused', (folder) => {
    const at = join(corpus, folder)
    const wanted = readNodeIndex(at).filter(({ name, wanted: marked }) => marked && !slow.test(name))
    const sample = wanted.filter((_, i) => i % 10 === 0)
    const results = sample.map((t) => checkNode(at, t, { bits: 16, rowLimit: 5000 }))
    expect(results.filter(({ status }) => status === 'disagrees' || status === 'crashed')).toEqual([])
    expect(summarise(results).share).toBeGreaterThanOrEqual(0.92)
    expect(summarise(results).solved).toBeGreaterThan(0.6 * results.length)
  })
})
