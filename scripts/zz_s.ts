import { readShared } from '../src/workers/files.ts'
import { openProver } from '../src/workers/prover.ts'
import { layer, layerInputs } from '../test/groth16/circuits.ts'

const [inp, neurons, reps] = process.argv.slice(2).map(Number)
const circuit = layer(inp!, neurons!)
const p = await openProver({ circuit, zkey: readShared(`/tmp/zk_${inp}_${neurons}.zkey`), threads: 1 })
for (let i = 0; i < (reps ?? 2); i++) {
  const c = process.cpuUsage()
  const r = await p.prove(layerInputs(inp!))
  const d = process.cpuUsage(c)
  console.log('snarkjs cpu', ((d.user + d.system) / 1000).toFixed(0), r.stats)
}
await p.close()
process.exit(0)
