/**
 * Makes fixtures with snarkjs, in a process of its own because snarkjs leaves threads behind. Prints one JSON line.
 *
 * The circuit of n public inputs x: s = Σ (i+1)·x_i, y = s², z = w·y, w·z = 0, with w private and 0.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
// biome-ignore lint/suspicious/noExplicitAny: neither package has types
const [snarkjs, { getCurveFromName }]: [any, any] = [
  require('snarkjs'),
  createRequire(require.resolve('snarkjs'))('ffjavascript'),
]

const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
const u32 = (v: number): Buffer => Buffer.from(Uint32Array.of(v).buffer)
const u64 = (v: number): Buffer => Buffer.from(BigUint64Array.of(BigInt(v)).buffer)
const le32 = (v: bigint): Buffer => Buffer.from(v.toString(16).padStart(64, '0'), 'hex').reverse()
const section = (id: number, body: Buffer): Buffer => Buffer.concat([u32(id), u64(body.length), body])
type Terms = [wire: number, coefficient: bigint][]

function r1cs(n: number): Uint8Array {
  const [w, y, z] = [n + 1, n + 2, n + 3]
  const s: Terms = Array.from({ length: n }, (_, i) => [i + 1, BigInt(i + 1)])
  const rows: [Terms, Terms, Terms][] = [
    [s, s, [[y, 1n]]],
    [[[w, 1n]], [[y, 1n]], [[z, 1n]]],
    [[[w, 1n]], [[z, 1n]], []],
  ]
  const lc = (terms: Terms): Buffer =>
    Buffer.concat([u32(terms.length), ...terms.flatMap(([wire, k]) => [u32(wire), le32(k)])])
  const wires = n + 4
  const header = [u32(32), le32(R), u32(wires), u32(0), u32(n), u32(1), u64(wires), u32(rows.length)]
  return Buffer.concat([
    ...[Buffer.from('r1cs'), u32(1), u32(3), section(1, Buffer.concat(header))],
    section(2, Buffer.concat(rows.flat().map(lc))),
    section(3, Buffer.concat(Array.from({ length: wires }, (_, i) => u64(i)))),
  ])
}

function wtns(x: bigint[]): Uint8Array {
  const s = x.reduce((sum, v, i) => sum + BigInt(i + 1) * v, 0n) % R
  const values = [1n, ...x, 0n, (s * s) % R, 0n]
  const header = Buffer.concat([u32(32), le32(R), u32(values.length)])
  const body = Buffer.concat(values.map(le32))
  return Buffer.concat([Buffer.from('wtns'), u32(2), u32(2), section(1, header), section(2, body)])
}

/** The i-th of a row of made-up full-size field elements. */
const element = (i: number): bigint =>
  (0x9e3779b97f4a7c15f39cc0605cedc8341082276bf3a27251f86c6a11d0c18e95n * BigInt(i + 1)) % R

const { sizes, simulate } = JSON.parse(process.argv[2]!) as { sizes: number[]; simulate: number[] }
const curve = await getCurveFromName('bn128')
const mem = (): { type: 'mem'; data?: Uint8Array } => ({ type: 'mem' })

const fixtures: Record<string, unknown> = {}
if (sizes.length > 0) {
  const power = Math.max(4, Math.ceil(Math.log2(Math.max(...sizes) + 4)))
  const [fresh, contributed, ptau] = [mem(), mem(), mem()]
  await snarkjs.powersOfTau.newAccumulator(curve, power, fresh)
  await snarkjs.powersOfTau.contribute(fresh, contributed, 'test', 'fixed entropy of the tests')
  await snarkjs.powersOfTau.preparePhase2(contributed, ptau)
  const template = readFileSync(
    join(dirname(require.resolve('snarkjs')), '..', 'templates', 'verifier_groth16.sol.ejs'),
    'utf8',
  )
  for (const n of sizes) {
    const [skipped, zkey] = [mem(), mem()]
    await snarkjs.zKey.newZKey(Uint8Array.from(r1cs(n)), ptau, skipped)
    await snarkjs.zKey.contribute(skipped, zkey, 'test', 'more fixed entropy')
    const { proof, publicSignals } = await snarkjs.groth16.prove(
      zkey,
      Uint8Array.from(wtns(Array.from({ length: n }, (_, i) => element(i)))),
    )
    fixtures[n] = {
      vk: await snarkjs.zKey.exportVerificationKey(zkey),
      skippedVk: await snarkjs.zKey.exportVerificationKey(skipped), // phase 2 skipped: gamma = delta
      proof,
      publicSignals,
      theirs: await snarkjs.zKey.exportSolidityVerifier(zkey, { groth16: template }),
      skippedTheirs: await snarkjs.zKey.exportSolidityVerifier(skipped, { groth16: template }),
    }
  }
}

// Keys of any size without a ceremony: with known secrets C can be solved for, so that the equation holds.
for (const n of simulate) {
  const { Fr, G1, G2 } = curve
  const scalar = (i: number): unknown => Fr.e(element(1000 + i))
  const [alpha, beta, gamma, delta, a, b] = [0, 1, 2, 3, 4, 5].map(scalar)
  const ic = Array.from({ length: n + 1 }, (_, i) => scalar(10 + i))
  const x = Array.from({ length: n }, (_, i) => element(i))
  const sum = x.reduce((s, v, i) => Fr.add(s, Fr.mul(ic[i + 1], Fr.e(v))), ic[0])
  const c = Fr.div(Fr.sub(Fr.sub(Fr.mul(a, b), Fr.mul(alpha, beta)), Fr.mul(gamma, sum)), delta)
  const text = (v: unknown): unknown => (Array.isArray(v) ? v.map(text) : String(v))
  const g1 = (k: unknown): unknown => text(G1.toObject(G1.toAffine(G1.timesFr(G1.g, k))))
  const g2 = (k: unknown): unknown => text(G2.toObject(G2.toAffine(G2.timesFr(G2.g, k))))
  fixtures[n] = {
    vk: {
      ...{ protocol: 'groth16', curve: 'bn128', nPublic: n, vk_alpha_1: g1(alpha), vk_beta_2: g2(beta) },
      ...{ vk_gamma_2: g2(gamma), vk_delta_2: g2(delta), IC: ic.map(g1) },
    },
    proof: { pi_a: g1(a), pi_b: g2(b), pi_c: g1(c), protocol: 'groth16', curve: 'bn128' },
    publicSignals: x.map(String),
  }
}
process.stdout.write(JSON.stringify(fixtures), () => process.exit(0))
