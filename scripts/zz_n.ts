import { bn254 } from '@noble/curves/bn254.js'

const { G1, G2 } = bn254
const k = 0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdefn % bn254.fields.Fr.ORDER
const time = (n: string, f: () => void, c = 20) => {
  f()
  f()
  const t = process.cpuUsage()
  for (let i = 0; i < c; i++) f()
  const d = process.cpuUsage(t)
  console.log(n, ((d.user + d.system) / 1000 / c).toFixed(2), 'ms')
}
const P = G1.Point.BASE.multiplyUnsafe(77n),
  Q2 = G2.Point.BASE.multiplyUnsafe(77n)
time('g1 unsafe', () => P.multiplyUnsafe(k))
time('g2 unsafe', () => Q2.multiplyUnsafe(k))
time('g1 mul', () => P.multiply(k), 5)
time('g1 double x254', () => {
  let a = P
  for (let i = 0; i < 254; i++) a = a.double()
})
time('g1 add x254', () => {
  let a = P
  for (let i = 0; i < 254; i++) a = a.add(P)
})
const D1 = G1.Point.BASE.multiplyUnsafe(99n)
D1.precompute(8)
const t = performance.now()
const c = process.cpuUsage()
D1.multiply(k)
const d = process.cpuUsage(c)
console.log('precomp build g1', (d.user + d.system) / 1000)
time('g1 precomp', () => D1.multiply(k))
const D2 = G2.Point.BASE.multiplyUnsafe(99n)
D2.precompute(8)
{
  const c = process.cpuUsage()
  D2.multiply(k)
  const d = process.cpuUsage(c)
  console.log('precomp build g2', (d.user + d.system) / 1000)
}
time('g2 precomp', () => D2.multiply(k))
time(
  'pairing batch 3',
  () =>
    bn254.pairingBatch([
      { g1: P, g2: Q2 },
      { g1: D1, g2: D2 },
      { g1: P.negate(), g2: D2 },
    ]),
  5,
)
