import { existsSync } from 'node:fs'
import { solve } from '../circuits/solve.ts'
import { assembleProof, keyPoints } from '../src/engine/assemble.ts'
import { planMemory } from '../src/engine/layout.ts'
import { planKey, writeKey } from '../src/engine/prepare.ts'
import { proofSums } from '../src/engine/prove.ts'
import { openRuntime, writeShared } from '../src/engine/runtime.ts'
import { chooseEngine, kernelModule, variantOf } from '../src/engine/variant.ts'
import { R } from '../src/groth16/bn254.ts'
import { verify } from '../src/groth16/verify.ts'
import { readZkey } from '../src/groth16/zkey.ts'
import { setupDev } from '../src/workers/devSetup.ts'
import { readShared } from '../src/workers/files.ts'
import { cube, layer, layerInputs } from '../test/groth16/circuits.ts'

const [inp, neurons, reps] = process.argv.slice(2).map(Number)
const circuit = layer(inp!, neurons!)
const path = `/tmp/zk_${inp}_${neurons}.zkey`
if (!existsSync(path)) await setupDev(circuit, { path, threads: 2 })
const key = readZkey(readShared(path))
console.log('rows', circuit.rows, 'wires', circuit.wires, 'power', key.power)
const w = solve(circuit, layerInputs(inp!))
const cpuNow = () => {
  const c = process.cpuUsage()
  return (c.user + c.system) / 1000
}
const eng = chooseEngine() as 'fma'
const variant = variantOf(eng)
let t = performance.now()
const lap = (s: string) => {
  const n = performance.now()
  console.log(s, (n - t).toFixed(1))
  t = n
}
const plan = planKey(key)
lap('plan')
const wideN = w.wide.size + 100
const layout = planMemory(plan.counts, { wires: wideN, a: wideN, b: wideN, c: wideN }, 1, 1)
const memory = new WebAssembly.Memory({ initial: Math.ceil(layout.bytes / 65536), maximum: 65536, shared: true })
console.log(
  'MB',
  layout.bytes / 1e6,
  plan.counts,
  plan.a.merged.length / 3,
  plan.b.merged.length / 3,
  plan.c.merged.length / 3,
)
const rt = openRuntime(variant, kernelModule(variant), memory as any, layout.slots[0]!)
writeShared(rt, R)
lap('open')
for (const _ of writeKey(rt, key, plan, layout.key, layout.proofs[0]!.values));
lap('writeKey')
const pts = keyPoints(key)
lap('points')
for (let k = 0; k < (reps ?? 1); k++) {
  const cpu = process.cpuUsage()
  const times: Record<string, number> = {}
  let last = '',
    at = cpuNow(),
    t00 = performance.now()
  const sums = proofSums(rt, plan, layout.key, layout.proofs[0]!, w, (p) => {
    const n = cpuNow()
    if (last) times[last] = (times[last] ?? 0) + n - at
    last = p
    at = n
  })
  times[last] = (times[last] ?? 0) + cpuNow() - at
  const t0 = performance.now()
  const proof = assembleProof(pts, sums, { r: 12345n, s: 6789n })
  const t1 = performance.now()
  const c = process.cpuUsage(cpu)
  console.log(
    Object.entries(times)
      .map(([k, v]) => k + ' ' + v.toFixed(1))
      .join(', '),
    'assemble',
    (t1 - t0).toFixed(1),
    'total',
    (t1 - t00).toFixed(0),
    'cpu',
    ((c.user + c.system) / 1000).toFixed(0),
  )
  if (k === 0) {
    const pub = Array.from({ length: key.nPublic }, (_, i) => {
      const v = w.wide.get(i + 1)
      return v ?? ((BigInt(w.small[i + 1]!) % R) + R) % R
    })
    console.log('verify', verify(key.verifyingKey, pub, proof))
  }
}
process.exit(0)
