import { inflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { buildKernels, VARIANTS } from '../../src/engine/kernels/build.ts'
import fma from '../../src/engine/kernels/generated/fma.ts'
import int from '../../src/engine/kernels/generated/int.ts'
import { selfTest } from '../../src/engine/selfTest.ts'
import { chooseEngine } from '../../src/engine/variant.ts'
import { codeOf } from '../groth16/tools.ts'
import { fieldDifferences, fields, ROOM, testRuntime, variants } from './support.ts'

const committed = { fma, int }

test.each(VARIANTS)('the committed module is what the generator makes: %s', (variant) => {
  const bytes = inflateRawSync(Buffer.from(committed[variant], 'base64'))
  expect(Buffer.compare(bytes, buildKernels(variant))).toBe(0)
})

describe.each(variants)('%s', (variant) => {
  const runtime = testRuntime(variant)

  test.each(fields)('arithmetic equals that of bigints: %s', (name, p) => {
    expect(fieldDifferences(runtime, name, p, 1000)).toEqual([])
  })

  test('the self-test passes, and notices a wrong constant', () => {
    selfTest(runtime, ROOM)
    const broken = testRuntime(variant)
    const kernels = { ...broken.kernels, frMul: broken.kernels.fqMul! }
    expect(() => selfTest({ ...broken, kernels }, ROOM)).toThrow('compute wrongly')
    const twice = { ...broken.kernels, g2Add: broken.kernels.g1Add! }
    expect(() => selfTest({ ...broken, kernels: twice }, ROOM)).toThrow()
  })
})

test('the engine is chosen by what the machine can do, or by name', async () => {
  expect(['fma', 'int']).toContain(chooseEngine(''))
  expect(chooseEngine('int')).toBe('int')
  expect(chooseEngine('snarkjs')).toBe('snarkjs')
  expect(await codeOf(() => chooseEngine('gpu'))).toBe('environment/engine')
})
