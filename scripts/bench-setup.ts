/**
 * Times the development setup on a circuit shaped like a quantised network: dense sums on the C side, bits, ReLU.
 *
 * npx tsx scripts/bench-setup.ts [rows = 100000] [inputs = 784] [threads]
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBuilder } from '../circuits/builder.ts'
import type { Circuit } from '../circuits/circuit.ts'
import { Fr } from '../circuits/field.ts'
import { relu } from '../circuits/gadgets/sign.ts'
import type { LinearMap } from '../circuits/linearMap.ts'
import { setupDev } from '../src/workers/devSetup.ts'

function network(rows: number, inputs: number): Circuit {
  let state = 1
  const weight = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 24) - 128
  }
  const cs = createBuilder(Fr)
  const out = cs.output()
  const range = { lo: -128n, hi: 127n }
  const xs = Array.from({ length: inputs }, () => cs.proven(cs.input('private', range), range.lo, range.hi))
  const map: LinearMap = {
    outputs: 1,
    maxTerms: inputs,
    terms: (_, positions, weights) => {
      for (let i = 0; i < inputs; i++) {
        positions[i] = i
        weights[i] = weight()
      }
      return inputs
    },
    bias: () => weight(),
  }
  const ys = []
  while (cs.rows() < rows - 30) ys.push(relu(cs, cs.linear(map, xs)[0]!))
  cs.bindOutput(out, cs.add(...ys))
  return cs.build()
}

const [rows = 100_000, inputs = 784, threads] = process.argv.slice(2).map(Number)
const folder = mkdtempSync(join(tmpdir(), 'veritensor-bench-'))
try {
  const circuit = network(rows, inputs)
  const path = join(folder, 'circuit.zkey')
  const cpu = process.cpuUsage()
  const start = performance.now()
  await setupDev(circuit, { path, threads })
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const terms = circuit.rowLC.reduce((sum, lc) => sum + circuit.lcStart[lc + 1]! - circuit.lcStart[lc]!, 0)
  console.log(`rows ${circuit.rows}, wires ${circuit.wires}, terms ${terms}, key ${statSync(path).size} bytes`)
  console.log(`seconds ${seconds.toFixed(1)}, CPU seconds ${((user + system) / 1e6).toFixed(1)}`)
  console.log(`peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
