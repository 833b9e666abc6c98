import { expect, test } from 'vitest'
import { describeStatement } from '../../src/cli/describe.ts'
import { counted, formatBytes, printable, table, thousands } from '../../src/cli/format.ts'
import { uniqueNames } from '../../src/cli/uniqueNames.ts'
import type { PublicTensor } from '../../src/pipeline/signals.ts'

test('a table sets numbers right and leaves no blanks at the end', () => {
  const rows = [
    ['a', '1,234', 'x'],
    ['bcd', '5', ''],
  ]
  expect(table(['name', 'rows', ''], rows)).toBe(
    ['name   rows', '────  ─────  ─', 'a     1,234  x', 'bcd       5'].join('\n'),
  )
  expect(table(['name'], [])).toBe('name\n────')
})

test('numbers and sizes', () => {
  expect([0, 999, 1000, 1234567n].map(thousands)).toEqual(['0', '999', '1,000', '1,234,567'])
  expect([0, 999, 1000, 1.5e6, 2e12].map(formatBytes)).toEqual(['0 B', '999 B', '1.0 kB', '1.5 MB', '2000.0 GB'])
  expect([1, 0, 1200].map((n) => counted(n, 'proof'))).toEqual(['1 proof', '0 proofs', '1,200 proofs'])
})

test('names that repeat get numbers that no other name has', () => {
  expect(uniqueNames(['a', 'b', 'a', 'a-2', 'A', 'a'])).toEqual(['a', 'b', 'a-3', 'a-2', 'A-4', 'a-5'])
  expect(uniqueNames([])).toEqual([])
})

test('a statement for people: outputs in real units, and the class where there is one', () => {
  const tensor = (kind: 'output' | 'input', name: string, values: number[]): PublicTensor => ({
    kind,
    name,
    shape: [values.length],
    values: Float64Array.from(values),
    integers: [],
  })
  expect(describeStatement([tensor('output', 'y', [0.1 + 0.2, 5, 5])])).toEqual({ outputs: '0.3 5 5', largest: '1' })
  expect(describeStatement([tensor('output', 'y', [7])])).toEqual({ outputs: '7', largest: '' })
  expect(
    describeStatement([tensor('output', 'a', [1]), tensor('output', 'b', [2, 3]), tensor('input', 'x', [9])]),
  ).toEqual({ outputs: 'a: 1; b: 2 3', largest: '' })
  expect(describeStatement([tensor('output', 'y', [1, 2, 3, 4, 5, 6, 7])]).outputs).toBe('1 2 3 4 5 6 …')
  expect(describeStatement([tensor('input', 'x', [9])])).toEqual({ outputs: '(private)', largest: '' })
})

test('names of others can not steer the terminal', () => {
  expect(printable('a\u001b[2Kb\r\u0007\u009b1mc\u202ed\te\n')).toBe('a�[2Kb���1mc�d�e\n')
  expect(printable('Größe “x” 数 █ · …')).toBe('Größe “x” 数 █ · …')
})
