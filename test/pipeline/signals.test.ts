import { expect, test } from 'vitest'
import { R } from '../../src/groth16/bn254.ts'
import { readSignals, signalLayout } from '../../src/pipeline/signals.ts'
import { refusal } from '../support/errors.ts'

const inputs = [{ name: 'x', shape: [1, 2], scale: 0.5 }]
const outputs = [
  { name: 'y', shape: [3], scale: 0.25 },
  { name: 'z', shape: [], scale: 1 },
]
const layout = (input: 'public' | 'private', output: 'public' | 'private') =>
  signalLayout({ input, output }, inputs, outputs).map(({ kind, name, from, count }) => [kind, name, from, count])

test('outputs come before inputs, each as far as it is public', () => {
  const [y, z, x] = [
    ['output', 'y', 0, 3],
    ['output', 'z', 3, 1],
    ['input', 'x', 4, 2],
  ]
  expect(layout('public', 'public')).toEqual([y, z, x])
  expect(layout('private', 'public')).toEqual([y, z])
  expect(layout('public', 'private')).toEqual([['input', 'x', 0, 2]])
  expect(layout('private', 'private')).toEqual([])
})

test('signals are residues of integers of either sign', () => {
  const groups = signalLayout({ input: 'public', output: 'public' }, inputs, outputs)
  const read = readSignals(groups, [0n, 3n, R - 2n, R - 1n, R / 2n, R / 2n + 1n])
  expect(read.map(({ kind, name, shape }) => [kind, name, shape])).toEqual([
    ['output', 'y', [3]],
    ['output', 'z', []],
    ['input', 'x', [1, 2]],
  ])
  expect(read.map(({ values }) => [...values])).toEqual([
    [0, 0.75, -0.5],
    [-1],
    [Number(R / 2n) / 2, -Number(R / 2n) / 2],
  ])
  expect(read[2]!.integers).toEqual([R / 2n, -(R / 2n)])
  expect(readSignals([], [])).toEqual([])
})

test('a wrong number of signals, and signals out of range, are refused', () => {
  const groups = signalLayout({ input: 'private', output: 'public' }, inputs, outputs)
  for (const signals of [[], [1n, 2n, 3n], [1n, 2n, 3n, 4n, 5n], [1n, 2n, 3n, R], [1n, -1n, 3n, 4n]])
    expect(refusal(() => readSignals(groups, signals))).toMatch(/^proof\/malformed-public-signals/)
})
