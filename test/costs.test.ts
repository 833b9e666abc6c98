import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Costs, costsPath, measureCosts } from '../scripts/costs.ts'
import { GAS_SIZES, measureVerifierGas } from '../scripts/verifierGas.ts'

test('rows are as pinned in test/costs.json (remake it with: npm run costs)', () => {
  const { gadgets, models, openWeights } = JSON.parse(readFileSync(costsPath, 'utf8'))
  expect(measureCosts()).toEqual({ gadgets, models, openWeights })
})

test('open weights take the rows of the formulas, in all fewer than 2^18', () => {
  const parts: Costs['openWeights'] = JSON.parse(readFileSync(costsPath, 'utf8')).openWeights
  for (const [part, { rows, formula }] of Object.entries(parts)) expect({ part, rows }).toEqual({ part, rows: formula })
  expect(Object.values(parts).reduce((n, { rows }) => n + rows, 0)).toBeLessThan(2 ** 18)
})

test('the reference networks stay within what the documentation promises', () => {
  const { models } = JSON.parse(readFileSync(costsPath, 'utf8'))
  const mlp = models['MLP 784-128-10 with argmax']
  expect(mlp.rows - mlp.inputRange).toBeLessThanOrEqual(4300)
  expect(models["circomlib-ml's MNIST network"].rows).toBeLessThanOrEqual(102_000)
})

test('gas of a verification is as pinned', async () => {
  const { verifierGas } = JSON.parse(readFileSync(costsPath, 'utf8'))
  expect(await measureVerifierGas(GAS_SIZES)).toEqual(verifierGas)
})
