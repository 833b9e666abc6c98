import { resolve } from 'node:path'
import { UsageError } from '../../src/cli/args.ts'
import { checkNode, type NodeResult } from './checkNode.ts'
import { readNodeIndex } from './nodeIndex.ts'
import { formatNodeResults, summarise } from './nodeReport.ts'

/** Bits of activations, and largest circuit that is solved, unless given. */
const DEFAULT_BITS = 16
const DEFAULT_ROWS = 100_000

/** Runs a folder of ONNX's operator tests through the integers and prints what came of it; the exit code. */
export function runNodeTests(
  folder: string,
  options: {
    readonly only: readonly string[]
    readonly bits: number | undefined
    readonly rows: number | undefined
    readonly json: boolean
  },
): number {
  const root = resolve(folder)
  const index = readNodeIndex(root)
  const { only, bits = DEFAULT_BITS, rows: rowLimit = DEFAULT_ROWS } = options
  const missing = only.find((name) => !index.some((test) => test.name === name))
  if (missing !== undefined) throw new UsageError(`${folder} holds no test "${missing}"`)
  const tests = index.filter(({ name, wanted }) => (only.length === 0 ? wanted : only.includes(name)))
  const results: NodeResult[] = []
  for (const test of tests) {
    results.push(checkNode(root, test, { bits, rowLimit }))
    if (process.stderr.isTTY) process.stderr.write(`\r[${results.length}/${tests.length}] `)
  }
  if (process.stderr.isTTY) process.stderr.write('\r')
  const summary = summarise(results)
  if (options.json)
    console.log(JSON.stringify({ schema: 'veritensor/node-tests@1', folder: root, bits, rowLimit, summary, results }))
  else console.log(formatNodeResults(results))
  return summary.passed ? 0 : 1
}
