import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { engines } from '../../scripts/training/engines.ts'
import { argmax } from '../../scripts/training/evaluate.ts'
import type { Example } from '../../scripts/training/example.ts'
import { packageRoot } from '../../src/packageRoot.ts'
import { decodeNpy } from '../../src/samples/npy.ts'

describe.each(['mnist', 'tabular'])('example %s', (name) => {
  const read = (file: string) => readFileSync(join(packageRoot, 'examples', name, file))
  const { labels } = JSON.parse(read('example.json').toString()) as Example
  const { shape, data } = decodeNpy(read('samples.npy'), 'samples.npy')
  const size = data.length / shape[0]!

  test.each(Object.keys(engines))('the %s engine classifies every labelled sample', (engine) => {
    const classify = engines[engine]!(read('model.onnx'), read('calibration.npy'))
    const classes = labels.map((_, i) => argmax(classify(data.slice(i * size, (i + 1) * size))))
    expect(classes).toEqual(labels)
  })
})

describe('the script', () => {
  const accuracy = (...words: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', join('scripts', 'accuracy.ts'), ...words], {
      cwd: packageRoot,
      env: { ...process.env, VERITENSOR_CORPUS: join(packageRoot, 'no-such-folder') },
      encoding: 'utf8',
    })

  test('without the corpus it says so and measures the examples', () => {
    const { status, stdout, stderr } = accuracy('tabular', '--json')
    expect(stderr).toContain('VERITENSOR_CORPUS')
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({ schema: 'veritensor/accuracy@1', bits: 8 })
    expect(report.models).toMatchObject([{ model: 'tabular', float: { correct: 48, total: 50 } }])
    expect(report.models[0].difference).toBeGreaterThanOrEqual(-report.tolerance)
    expect(status).toBe(0)
  })

  test('a model that is not there is refused', () => {
    expect(accuracy('nothing')).toMatchObject({ status: 2, stderr: expect.stringContaining('"nothing"') })
  })
})
