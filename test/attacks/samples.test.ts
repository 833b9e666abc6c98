import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { importOnnx } from '../../src/graph/import.ts'
import { readSamples } from '../../src/samples/files.ts'
import { singleNode, tensor } from '../support/tensors.ts'

const folder = mkdtempSync(join(tmpdir(), 'veritensor-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.skipIf(process.platform === 'win32')('a pipe in the place of a sample is refused, not waited for', async () => {
  const pipe = join(folder, 'x.json')
  execFileSync('mkfifo', [pipe])
  const graph = importOnnx(singleNode({ op: 'Relu', inputs: [tensor([1, 2], [0, 0])] }))
  await expect(readSamples(graph, [pipe])).rejects.toMatchObject({ code: 'input/unreadable' })
})
