/**
 * Times the development setup on a circuit shaped like a quantised network: dense sums on the C side, bits, ReLU.
 *
 * npx tsx scripts/bench-setup.ts [rows = 100000] [inputs = 784] [threads]
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quotientPath } from '../src/artefacts/keys.ts'
import { setupDev } from '../src/workers/devSetup.ts'
import { reluNetwork } from './support/reluNetwork.ts'

const [rows = 100_000, inputs = 784, threads] = process.argv.slice(2).map(Number)
const folder = mkdtempSync(join(tmpdir(), 'veritensor-bench-'))
try {
  const circuit = reluNetwork(rows, inputs)
  const path = join(folder, 'circuit.zkey')
  const cpu = process.cpuUsage()
  const start = performance.now()
  await setupDev(circuit, { path, quotientPath: quotientPath(path), threads })
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const terms = circuit.rowLC.reduce((sum, lc) => sum + circuit.lcStart[lc + 1]! - circuit.lcStart[lc]!, 0)
  console.log(`rows ${circuit.rows}, wires ${circuit.wires}, terms ${terms}, key ${statSync(path).size} bytes`)
  console.log(`seconds ${seconds.toFixed(1)}, CPU seconds ${((user + system) / 1e6).toFixed(1)}`)
  console.log(`peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
