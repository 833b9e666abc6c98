import { describe, expect, test } from 'vitest'
import { type Manifest, parseManifest } from '../../src/artefacts/manifest.ts'
import { refusal } from '../support/errors.ts'

const digest = 'ab'.repeat(32)

const manifest: Manifest = {
  schema: 'veritensor/manifest@1',
  name: 'tiny',
  version: '0.1.0',
  files: { 'model.onnx': digest },
  scheme: { bits: 8, weightBits: 16 },
  visibility: { input: 'public', output: 'public' },
  shapes: { x: [1, 4] },
  inputs: [{ name: 'x', shape: [1, 4], scale: 0.5, lo: -128, hi: 127 }],
  outputs: [{ name: 'y', shape: [1, 3], scale: 0.25 }],
  signals: [
    { kind: 'output', name: 'y', shape: [1, 3], from: 0, count: 3, scale: 0.25 },
    { kind: 'input', name: 'x', shape: [1, 4], from: 3, count: 4, scale: 0.5 },
  ],
  rows: 100,
  wires: 90,
  report: { samples: 3, maxError: 0.1, meanError: 0.05, relativeError: 0.01, argmaxAgreement: 1 },
  key: { kind: 'ptau', ptau: { file: 'pot.ptau', sha256: digest }, beacon: { hash: '00', iterationsExp: 10 } },
}

const parse = (value: unknown) => parseManifest(JSON.stringify(value), 'manifest.json')

test('what was written comes back', () => {
  expect(parse(manifest)).toEqual(manifest)
  const { key: _, ...fresh } = manifest
  expect(parse(fresh)).toEqual(fresh)
  expect(parse({ ...manifest, report: { ...manifest.report, argmaxAgreement: null } }).report.argmaxAgreement).toBe(
    null,
  )
})

test('what is not JSON, or of another schema', () => {
  const why = (text: string) => refusal(() => parseManifest(text, 'DIR/manifest.json'))
  expect(why('{')).toBe('input/manifest: DIR/manifest.json: it is not JSON')
  for (const text of ['null', '[]', '3', '"x"', '{}', '{"schema":"veritensor/manifest@2"}'])
    expect(why(text), text).toBe('input/manifest: DIR/manifest.json: its schema is not veritensor/manifest@1')
  expect(why('['.repeat(100_000))).toMatch(/^input\/manifest/)
})

describe('hostile fields', () => {
  const [input] = manifest.inputs
  const [first, second] = manifest.signals
  const hostile: Readonly<Record<string, readonly unknown[]>> = {
    name: [undefined, 3, null, ['tiny']],
    version: [undefined, 1],
    files: [undefined, null, [], 'x', { 'model.onnx': 'short' }, { 'model.onnx': digest.toUpperCase() }, { a: 3 }],
    scheme: [undefined, {}, { bits: -1, weightBits: 16 }, { bits: 8.5, weightBits: 16 }, { bits: 8 }],
    visibility: [undefined, {}, { input: 'public', output: 'secret' }, { input: true, output: 'public' }],
    shapes: [undefined, [], { x: 'big' }, { x: [-1] }, { x: [2 ** 30] }],
    inputs: [
      undefined,
      {},
      [null],
      [{ ...input, lo: Number.NaN }],
      [{ ...input, hi: 2 ** 60 }],
      [{ ...input, lo: input!.hi + 1 }],
      [{ ...input, scale: 0 }],
      [{ ...input, scale: -1 }],
      [{ ...input, scale: '1' }],
      [{ ...input, shape: [2 ** 20, 2 ** 20] }],
      [{ ...input, shape: [0.5] }],
      [{ ...input, shape: Array.from({ length: 100 }, () => 1) }],
      [{ ...input, name: undefined }],
    ],
    outputs: [undefined, [3], [{ name: 'y' }], [{ ...manifest.outputs[0]!, lo: 1, hi: 0 }]],
    rows: [undefined, -1, 1.5, '100', 2 ** 60],
    wires: [undefined, null],
    report: [undefined, {}, { ...manifest.report, argmaxAgreement: 2 }, { ...manifest.report, maxError: -1 }],
    key: [
      null,
      {},
      { kind: 'safe' },
      { kind: 'ptau', ptau: 'pot' },
      { kind: 'ptau', ptau: { file: 'x', sha256: 'y' } },
    ],
    signals: [
      undefined,
      [],
      [first],
      [second, first],
      [first, { ...second, from: 0 }],
      [first, { ...second, count: 5 }],
      [first, { ...second, scale: 5 }],
      [first, { ...second, name: 'z' }],
      [{ ...first, kind: 'input' }, second],
      [first, second, second],
    ],
  }
  test.each(Object.entries(hostile))('%s', (field, values) => {
    for (const value of values)
      expect(
        refusal(() => parse({ ...manifest, [field]: value })),
        JSON.stringify(value),
      ).toMatch(new RegExp(`^input/manifest: manifest.json: the field "${field}" `))
  })

  test('weights and visibility must agree', () => {
    const tensor = { name: 'w', shape: [12], scale: 0.01, lo: -128, hi: 127 }
    const digest = `0x${'12'.repeat(32)}`
    const group = {
      kind: 'weights',
      name: 'weights',
      shape: [12],
      from: 3,
      count: 1,
      scale: 1,
      commitment: { salted: true },
    }
    const open = {
      ...manifest,
      visibility: { ...manifest.visibility, weights: 'private' },
      weights: { digest, tensors: [tensor] },
      signals: [first, group, { ...second, from: 4 }],
    }
    expect(parse(open)).toEqual(open)
    const committed = { ...open, visibility: { ...open.visibility, weights: 'committed' } }
    expect(refusal(() => parse(committed))).toContain('the field "signals" contradicts')
    for (const [field, value] of [
      ['weights', undefined],
      ['weights', { digest, tensors: [{ ...tensor, lo: 0.5 }] }],
      ['weights', { digest: '0x12', tensors: [tensor] }],
      ['visibility', manifest.visibility],
      ['visibility', { ...manifest.visibility, weights: 'secret' }],
      ['signals', [first, { ...group, commitment: { salted: false } }, { ...second, from: 4 }]],
      ['signals', manifest.signals],
    ] as const)
      expect(refusal(() => parse({ ...open, [field]: value }))).toMatch(/^input\/manifest/)
  })

  test('visibility and signals must agree', () => {
    const hidden = { ...manifest, visibility: { input: 'private', output: 'public' } }
    expect(refusal(() => parse(hidden))).toContain('the field "signals" contradicts')
    expect(parse({ ...hidden, signals: [first] }).signals).toEqual([first])
    const byName = { ...manifest, visibility: { input: 'private', output: 'public', inputs: { x: 'public' } } }
    expect(parse(byName).signals).toEqual(manifest.signals)
    for (const inputs of [{ z: 'public' }, { x: 'seen' }, []])
      expect(refusal(() => parse({ ...manifest, visibility: { ...manifest.visibility, inputs } }))).toContain(
        'the field "visibility"',
      )
  })
})
