import { describe, expect, test } from 'vitest'
import {
  circuitDifferences,
  compareSample,
  differences,
  emptyTally,
  openPair,
  randomSample,
} from '../../scripts/ort/compare.ts'
import { draftModel } from '../../scripts/ort/draft.ts'
import { families } from '../../scripts/ort/families.ts'
import { openSession } from '../../scripts/ort/session.ts'
import { createRandom } from '../../scripts/training/random.ts'

const SEED = 20261128

describe('random models of quantised operators give what onnxruntime gives', () => {
  for (const [k, { name, opset = 13, recipe, apart }] of families.entries())
    test(`${name} (seed ${SEED})`, async () => {
      const tally = emptyTally()
      for (const seed of [SEED + 2 * k, SEED + 2 * k + 1]) {
        const random = createRandom(seed)
        const pair = await openPair(draftModel(recipe, opset, random))
        const again = apart && (await openSession(draftModel(apart, opset, createRandom(seed)), 'apart'))
        for (let i = 0; i < 5; i++) await compareSample(pair, randomSample(pair, random), tally, again)
        const circuit = circuitDifferences(pair, randomSample(pair, random))
        expect(circuit.differing).toBe(0)
        await Promise.all([pair.session.close(), again?.close()])
      }
      expect(tally.differing).toBe(tally.fusion)
      expect(tally.elements).toBeGreaterThan(10)
    })
})

test('what differs is counted', async () => {
  const pair = await openPair(draftModel(families[0]!.recipe, 21, createRandom(SEED)))
  const tally = emptyTally()
  const sample = randomSample(pair, createRandom(SEED))
  const wrong = { ...pair, outputs: (x: typeof sample) => pair.outputs(x).map((y) => y.with(3, y[3]! + 1)) }
  await compareSample(pair, sample, tally)
  await compareSample(wrong, sample, tally)
  expect(tally).toEqual({ inputs: 2, elements: 96, differing: 1, fusion: 0 })
  // that onnxruntime gives the expected integer when it fuses nothing excuses only that integer
  await compareSample(wrong, sample, tally, pair.session)
  expect(tally).toEqual({ inputs: 3, elements: 144, differing: 2, fusion: 0 })
  await pair.session.close()
})

test('the same zero, and lists of other lengths', () => {
  expect(differences(Float64Array.of(0, 1), Float64Array.of(-0, 2))).toEqual([1])
  expect(differences(Float64Array.of(0), Float64Array.of(0, 2))).toEqual([0, 1])
})
