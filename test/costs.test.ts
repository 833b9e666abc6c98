import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Costs, corpusCost, corpusModels, costsPath, inCorpus, measureCosts } from '../scripts/costs.ts'
import { gasCosts, gasText, measureGas } from '../scripts/gasTable.ts'
import { packageRoot } from '../src/packageRoot.ts'

test('rows are as pinned in test/costs.json (remake it with: npm run costs)', () => {
  const { gadgets, models, openWeights } = JSON.parse(readFileSync(costsPath, 'utf8'))
  expect(measureCosts()).toEqual({ gadgets, models, openWeights })
})

test('open weights take the rows of the formulas, in all fewer than 2^18', () => {
  const parts: Costs['openWeights'] = JSON.parse(readFileSync(costsPath, 'utf8')).openWeights
  for (const [part, { rows, formula }] of Object.entries(parts)) expect({ part, rows }).toEqual({ part, rows: formula })
  expect(Object.values(parts).reduce((n, { rows }) => n + rows, 0)).toBeLessThan(2 ** 18)
})

describe('rows of quantised models of the corpus', () => {
  const { corpus } = JSON.parse(readFileSync(costsPath, 'utf8'))
  test('are pinned', () => {
    expect(Object.keys(corpus)).toEqual([...corpusModels])
    expect(corpus['mlperf-kws-dscnn-int8'].rows).toBeLessThanOrEqual(2_600_000)
  })
  // the larger ones are compared by npm run costs -- --check
  for (const name of corpusModels.slice(0, 2))
    test.skipIf(!inCorpus(name))(name, () => {
      expect(corpusCost(name)).toEqual(corpus[name])
    })
})

test('the reference networks stay within what the documentation promises', () => {
  const { models } = JSON.parse(readFileSync(costsPath, 'utf8'))
  const mlp = models['MLP 784-128-10 with argmax']
  expect(mlp.rows - mlp.inputRange).toBeLessThanOrEqual(4300)
  expect(models["circomlib-ml's MNIST network"].rows).toBeLessThanOrEqual(102_000)
})

test('gas is as pinned, and within what was promised', async () => {
  const { gas } = JSON.parse(readFileSync(costsPath, 'utf8'))
  const rows = await measureGas()
  expect(gasCosts(rows)).toEqual(gas)
  // all but the last column: deployments take some gas more or less with every comment, whose hash is part of the code
  const columns = (text: string): string[] => [...text.matchAll(/^(\|.*\|)[^|\n]*\|$/gm)].map(([, most]) => most!)
  const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8')
  expect(columns(readme), 'remake it with: npm run gas').toEqual(expect.arrayContaining(columns(gasText(rows))))
  expect(gas['MNIST: 784 public pixels, 10 public outputs']).toBeLessThanOrEqual(260_000)
  expect(gas['CIFAR: 3,072 public bytes']).toBeLessThanOrEqual(310_000)
  expect(gas['batch of 8, each proof']).toBeLessThanOrEqual(80_000)
  expect(gas['batch of 32, each proof']).toBeLessThanOrEqual(62_000)
  expect(gas['verifier of one phase 1: add a model']).toBeLessThanOrEqual(150_000)
  for (const name of ['universal verifier', 'verifier of one phase 1'])
    expect(gas[`${name}: verify`]).toBeLessThanOrEqual(236_000)
})
