import { openRuntime, SHARED, writeShared } from '../src/engine/runtime.ts'
import { chooseEngine, kernelModule, variantOf } from '../src/engine/variant.ts'
import { R } from '../src/groth16/bn254.ts'

const variant = variantOf(chooseEngine() as 'fma')
const memory = new WebAssembly.Memory({ initial: 2000, maximum: 65536, shared: true })
const rt = openRuntime(variant, kernelModule(variant), memory as any, 64 << 20)
writeShared(rt, R)
const { kernels: k, slot, words, doubles } = rt
const cpu = () => {
  const c = process.cpuUsage()
  return (c.user + c.system) * 1000
}
const best = (f: () => void, per: number) => {
  let b = 1e18
  for (let r = 0; r < 40; r++) {
    const t = process.hrtime.bigint()
    f()
    b = Math.min(b, Number(process.hrtime.bigint() - t) / per)
  }
  return b.toFixed(1)
}
const N = 1 << 16,
  PT = 1 << 20
for (let i = 0; i < N * 10; i++) doubles[PT / 8 + i] = Math.floor((Math.random() - 0.5) * 2 ** (i % 5 === 4 ? 48 : 50))
const n = 2048
for (let i = 0; i < 4 * n; i++)
  words[slot.list / 4 + i] = (PT + 80 * Math.floor(Math.random() * N)) | (Math.random() < 0.5 ? 1 : 0)
for (let i = 0; i < 2 * n; i++) words[slot.outs / 4 + i] = slot.arena + 80 * i
for (let q = 0; q < 3; q++) {
  console.log(
    'gather',
    best(() => k.g1Gather!(slot.list, n, slot.records), 2 * n),
    'prefix',
    best(() => k.g1Prefix!(n, slot.records, slot.chain), 2 * n),
    'invert',
    best(() => {
      k.g1Invert!(slot.chain)
    }, 1),
    'back',
    best(() => {
      k.g1Back!(n, slot.records, slot.outs, slot.chain)
    }, 2 * n),
    'all',
    best(() => {
      k.g1Add!(slot.list, slot.outs, n, slot.records, slot.chain, 2048)
    }, 2 * n),
  )
  console.log(
    'products',
    best(() => k.frProducts!(PT, PT + (1 << 19), PT + (1 << 20), 4096), 8192),
    'bfly fwd',
    best(() => k.frForward!(PT, 1, 0, 1, 0, 1024, 1024 * 80, PT + (1 << 20), PT + (1 << 20)), 2048),
    'inv',
    best(() => k.frInverse!(PT, 1, 0, 1, 0, 1024, 1024 * 80, PT + (1 << 20), PT + (1 << 20)), 2048),
  )
}
for (let i = 0; i < N * 10; i++) doubles[PT / 8 + i] = Math.floor((Math.random() - 0.5) * 2 ** (i % 5 === 4 ? 48 : 50))
for (let i = 0; i < 4 * n; i++)
  words[slot.list / 4 + i] = (PT + 160 * Math.floor((Math.random() * N) / 2)) | (Math.random() < 0.5 ? 1 : 0)
for (let i = 0; i < 2 * n; i++) words[slot.outs / 4 + i] = slot.arena + 160 * i
console.log(
  'g2 gather',
  best(() => k.g2Gather!(slot.list, 1024, slot.records), n),
  'prefix',
  best(() => k.g2Prefix!(1024, slot.records, slot.chain), n),
  'invert',
  best(() => {
    k.g2Invert!(slot.chain)
  }, 1),
  'all',
  best(() => {
    k.g2Add!(slot.list, slot.outs, 1024, slot.records, slot.chain, 1024)
  }, n),
)
