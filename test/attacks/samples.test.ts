import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { importOnnx } from '../../src/graph/import.ts'
import { readSamples } from '../../src/samples/files.ts'
import { singleNode, tensor } from '../support/tensors.ts'

const folder = mkdtempSync(join(tmpdir(), 'veritensor-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a fraction is refused where the model takes integers, and not rounded', async () => {
  const graph = importOnnx(singleNode({ op: 'Abs', inputs: [tensor([1, 2], [0, 0], 'int32')] }))
  const file = join(folder, 'fraction.json')
  writeFileSync(file, '[[3, 2.5]]')
  await expect(readSamples(graph, [file])).rejects.toMatchObject({
    code: 'input/not-an-integer',
    message: expect.stringContaining('of type int32, and element 1 is 2.5'),
  })
  writeFileSync(file, '[[3, -2]]')
  expect(await readSamples(graph, [file])).toHaveLength(1)
})

test.skipIf(process.platform === 'win32')('a pipe in the place of a sample is refused, not waited for', async () => {
  const pipe = join(folder, 'x.json')
  execFileSync('mkfifo', [pipe])
  const graph = importOnnx(singleNode({ op: 'Relu', inputs: [tensor([1, 2], [0, 0])] }))
  await expect(readSamples(graph, [pipe])).rejects.toMatchObject({ code: 'input/unreadable' })
})
