import { readFileSync } from 'node:fs'
import { bn254 } from '@noble/curves/bn254.js'
import { describe, expect, test } from 'vitest'
import { VeritensorError } from '../../src/errors.ts'
import { Q, R } from '../../src/groth16/bn254.ts'
import {
  checkVerifyingKey,
  decodeProof,
  decodePublicSignals,
  decodeVerifyingKey,
  encodeProof,
  encodePublicSignals,
  encodeVerifyingKey,
  type G1,
  type G2,
  G2_GENERATOR,
  type Proof,
  type VerifyingKey,
} from '../../src/groth16/keys.ts'
import { verifierOf, verify } from '../../src/groth16/verify.ts'
import { readZkey } from '../../src/groth16/zkey.ts'
import { openProver } from '../../src/workers/prover.ts'
import { integers, layer, layerInputs } from './circuits.ts'
import { codeOf, flipBit, makeFiles, readJson, snarkjs, temporaryFolder, writeJson } from './tools.ts'

const folder = temporaryFolder()
const circuit = layer(4, 2)
const files = await makeFiles(folder, 'layer', circuit, layerInputs(4))
const prover = await openProver({ circuit, zkey: Uint8Array.from(readFileSync(files.zkey)), threads: 1 })
const { proof, publicSignals } = await prover.prove(layerInputs(4))
await prover.close()
const vk = prover.verifyingKey

type Point1 = InstanceType<typeof bn254.G1.Point>
type Point2 = InstanceType<typeof bn254.G2.Point>
const to1 = (p: G1): Point1 => bn254.G1.Point.fromAffine(p)
const to2 = ({ x, y }: G2): Point2 =>
  bn254.G2.Point.fromAffine({ x: { c0: x[0], c1: x[1] }, y: { c0: y[0], c1: y[1] } })
const from1 = (p: Point1): G1 => ({ x: p.toAffine().x, y: p.toAffine().y })
const from2 = (p: Point2): G2 => {
  const { x, y } = p.toAffine()
  return { x: [x.c0, x.c1], y: [y.c0, y.c1] }
}

/** A point of the twist whose order is not r: the first x with a root, not multiplied by the cofactor. */
function outsideSubgroup(): G2 {
  const { Fp2 } = bn254.fields
  for (let i = 1n; ; i++) {
    const x = Fp2.fromBigTuple([i, 1n])
    try {
      const y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.sqr(x), x), bn254.G2.Point.CURVE().b))
      return { x: [x.c0, x.c1], y: [y.c0, y.c1] }
    } catch {
      // no root: not on the curve
    }
  }
}
const stray = outsideSubgroup()
const zero1: G1 = { x: 0n, y: 0n }
const zero2: G2 = { x: [0n, 0n], y: [0n, 0n] }

describe('verify', () => {
  test('accepts an honest proof, and snarkjs agrees', async () => {
    expect(verify(vk, publicSignals, proof)).toBe(true)
    const at = (name: string) => files.at(name)
    writeJson(at('vk.json'), encodeVerifyingKey(vk))
    writeJson(at('public.json'), encodePublicSignals(publicSignals))
    writeJson(at('proof.json'), encodeProof(proof))
    expect(await snarkjs('groth16', 'verify', at('vk.json'), at('public.json'), at('proof.json'))).toContain('OK!')
    writeJson(at('other.json'), encodePublicSignals([publicSignals[0]! + 1n, ...publicSignals.slice(1)]))
    await expect(snarkjs('groth16', 'verify', at('vk.json'), at('other.json'), at('proof.json'))).rejects.toThrow()
  })

  test("accepts snarkjs' proof of the same witness, and reads snarkjs' key", async () => {
    const at = (name: string) => files.at(name)
    await snarkjs('groth16', 'prove', files.zkey, files.wtns, at('p.json'), at('s.json'))
    const signals = decodePublicSignals(readJson(at('s.json')))
    expect(signals).toEqual(publicSignals)
    expect(verify(vk, signals, decodeProof(readJson(at('p.json'))))).toBe(true)
    await snarkjs('zkey', 'export', 'verificationkey', files.zkey, at('theirs.json'))
    // their form has no place for the mark of a development key
    expect({ ...decodeVerifyingKey(readJson(at('theirs.json'))), dev: true }).toEqual(vk)
  })

  test('is false for other statements and other proofs', () => {
    const check = verifierOf(vk)
    publicSignals.forEach((signal, i) => {
      expect(check(publicSignals.with(i, (signal + 1n) % R), proof)).toBe(false)
    })
    expect(check(publicSignals, { ...proof, a: from1(to1(proof.a).negate()) })).toBe(false)
    expect(check(publicSignals, { ...proof, a: proof.c, c: proof.a })).toBe(false)
    expect(check(publicSignals, { ...proof, b: vk.beta })).toBe(false)
  })

  test('accepts a rerandomised proof: its bytes are no identity', () => {
    const [z, t] = [123456789n, 987654321n]
    const inverse = bn254.fields.Fr.inv(z)
    const a = to1(proof.a).multiply(z)
    const other: Proof = {
      a: from1(a),
      b: from2(to2(proof.b).multiply(inverse).add(to2(vk.delta).multiply(t))),
      c: from1(to1(proof.c).add(a.multiply(t))),
    }
    expect(other).not.toEqual(proof)
    expect(verify(vk, publicSignals, other)).toBe(true)
  })

  test('refuses signals of the wrong number or range, and points that no prover sends', async () => {
    const check = verifierOf(vk)
    const first = publicSignals[0]!
    const signals: readonly (readonly bigint[])[] = [
      [],
      publicSignals.slice(1),
      [...publicSignals, 0n],
      publicSignals.with(0, first + R),
      publicSignals.with(0, -1n),
      publicSignals.with(0, 5 as unknown as bigint),
    ]
    for (const list of signals) expect(await codeOf(() => check(list, proof))).toBe('proof/malformed-public-signals')
    const bad: Record<string, Partial<Proof>> = {
      'A at infinity': { a: zero1 },
      'B at infinity': { b: zero2 },
      'C at infinity': { c: zero1 },
      'A off the curve': { a: { x: proof.a.x, y: proof.a.y + 1n } },
      'A not reduced': { a: { x: proof.a.x + Q, y: proof.a.y } },
      'A negative': { a: { x: proof.a.x, y: -proof.a.y } },
      'B off the curve': { b: { x: proof.b.y, y: proof.b.x } },
      'B outside the subgroup': { b: stray },
      'B not reduced': { b: { x: [proof.b.x[0] + Q, proof.b.x[1]], y: proof.b.y } },
    }
    for (const [name, change] of Object.entries(bad))
      expect([name, await codeOf(() => check(publicSignals, { ...proof, ...change }))]).toEqual([
        name,
        'proof/malformed',
      ])
  })
})

describe('verifying keys', () => {
  test('survive their JSON form, mark included', () => {
    const json = JSON.parse(JSON.stringify(encodeVerifyingKey(vk)))
    expect(decodeVerifyingKey(json)).toEqual(vk)
    expect(vk.dev).toBe(true)
    expect(encodeVerifyingKey({ ...vk, dev: false })).not.toHaveProperty('veritensor')
  })

  const negated2 = ({ x, y }: G2): G2 => ({ x, y: [(Q - y[0]) % Q, (Q - y[1]) % Q] })
  test('that are unsafe or malformed are refused', async () => {
    const negated = from1(to1(vk.ic[1]!).negate())
    const bad: Record<string, readonly [change: Partial<VerifyingKey>, code: string]> = {
      'delta = gamma': [{ delta: vk.gamma }, 'key/unsafe'],
      'gamma = delta': [{ gamma: vk.delta }, 'key/unsafe'],
      'delta = generator': [{ delta: G2_GENERATOR }, 'key/unsafe'],
      'delta = beta': [{ delta: vk.beta }, 'key/unsafe'],
      'gamma = beta': [{ gamma: vk.beta }, 'key/unsafe'],
      'delta = -gamma': [{ delta: negated2(vk.gamma) }, 'key/unsafe'],
      'delta = -generator': [{ delta: negated2(G2_GENERATOR) }, 'key/unsafe'],
      'delta = -beta': [{ delta: negated2(vk.beta) }, 'key/unsafe'],
      'gamma = -beta': [{ gamma: negated2(vk.beta) }, 'key/unsafe'],
      'alpha zero': [{ alpha: zero1 }, 'key/unsafe'],
      'beta zero': [{ beta: zero2 }, 'key/unsafe'],
      'gamma zero': [{ gamma: zero2 }, 'key/unsafe'],
      'delta zero': [{ delta: zero2 }, 'key/unsafe'],
      'IC zero': [{ ic: vk.ic.with(1, zero1) }, 'key/unsafe'],
      'IC equal': [{ ic: vk.ic.with(2, vk.ic[1]!) }, 'key/unsafe'],
      'IC opposite': [{ ic: vk.ic.with(2, negated) }, 'key/unsafe'],
      'IC too short': [{ ic: vk.ic.slice(1) }, 'key/malformed'],
      'IC too long': [{ ic: [...vk.ic, vk.alpha] }, 'key/malformed'],
      'nPublic negative': [{ nPublic: -1, ic: [] }, 'key/malformed'],
      'alpha off the curve': [{ alpha: { x: 1n, y: 1n } }, 'key/malformed'],
      'alpha not reduced': [{ alpha: { x: vk.alpha.x + Q, y: vk.alpha.y } }, 'key/malformed'],
      'IC off the curve': [{ ic: vk.ic.with(0, { x: 5n, y: 5n }) }, 'key/malformed'],
      'beta off the curve': [{ beta: { x: [1n, 2n], y: [3n, 4n] } }, 'key/malformed'],
      'beta outside the subgroup': [{ beta: stray }, 'key/malformed'],
      'gamma outside the subgroup': [{ gamma: stray }, 'key/malformed'],
      'delta outside the subgroup': [{ delta: stray }, 'key/malformed'],
    }
    for (const [name, [change, code]] of Object.entries(bad)) {
      const key = { ...vk, ...change }
      expect([name, await codeOf(() => checkVerifyingKey(key))]).toEqual([name, code])
      expect([name, await codeOf(() => verify(key, publicSignals, proof))]).toEqual([name, code])
      if (code === 'key/unsafe')
        expect([name, await codeOf(() => decodeVerifyingKey(encodeVerifyingKey(key)))]).toEqual([name, code])
    }
    expect(await codeOf(() => checkVerifyingKey(vk))).toBe('nothing thrown')
  })

  test('a key of snarkjs without a contribution can be forged, and is refused', async () => {
    // gamma = delta: A = alpha, B = beta, C = -IC(x) satisfies the equation for every statement
    const fresh = { ...vk, gamma: G2_GENERATOR, delta: G2_GENERATOR }
    expect(await codeOf(() => verifierOf(fresh))).toBe('key/unsafe')
  })
})

describe('JSON from outside', () => {
  const text = <T>(value: T): T => JSON.parse(JSON.stringify(value))
  const good = { vk: text(encodeVerifyingKey(vk)), proof: text(encodeProof(proof)) }

  test('anything but a canonical proof is refused', async () => {
    const [x, y] = good.proof.pi_a
    const bad: readonly unknown[] = [
      null,
      undefined,
      7,
      'proof',
      [],
      {},
      { ...good.proof, protocol: 'plonk' },
      { ...good.proof, curve: 'bls12381' },
      { ...good.proof, pi_a: undefined },
      { ...good.proof, pi_a: [x, y] },
      { ...good.proof, pi_a: [x, y, '0'] },
      { ...good.proof, pi_a: [x, y, '1', '1'] },
      { ...good.proof, pi_a: [Number(x), y, '1'] },
      { ...good.proof, pi_a: [`0${x}`, y, '1'] },
      { ...good.proof, pi_a: [` ${x}`, y, '1'] },
      { ...good.proof, pi_a: [`+${x}`, y, '1'] },
      { ...good.proof, pi_a: [`0x${BigInt(x).toString(16)}`, y, '1'] },
      { ...good.proof, pi_a: [String(BigInt(x) + Q), y, '1'] },
      { ...good.proof, pi_a: ['9'.repeat(1e6), y, '1'] },
      { ...good.proof, pi_a: { 0: x, 1: y, 2: '1', length: 3 } },
      { ...good.proof, pi_b: [good.proof.pi_b[0], good.proof.pi_b[1], ['0', '0']] },
      { ...good.proof, pi_b: [[good.proof.pi_b[0][0]], good.proof.pi_b[1], ['1', '0']] },
    ]
    for (const value of bad) expect(await codeOf(() => decodeProof(value))).toBe('proof/malformed')
    expect(decodeProof(good.proof)).toEqual(proof)
  })

  test('anything but canonical public signals is refused', async () => {
    for (const value of [null, {}, '1', [1], ['-1'], ['01'], [''], ['1 '], ['1e3'], [String(R)], [['1']]])
      expect(await codeOf(() => decodePublicSignals(value))).toBe('proof/malformed-public-signals')
    expect(decodePublicSignals(['0', String(R - 1n)])).toEqual([0n, R - 1n])
  })

  test('anything but a key is refused', async () => {
    const bad: readonly unknown[] = [
      null,
      [],
      { ...good.vk, protocol: 'fflonk' },
      { ...good.vk, nPublic: '2' },
      { ...good.vk, nPublic: 1.5 },
      { ...good.vk, nPublic: 1 },
      { ...good.vk, IC: [] },
      { ...good.vk, IC: null },
      { ...good.vk, vk_alpha_1: ['1', '2', 1] },
      { ...good.vk, veritensor: 'dev' },
      { ...good.vk, veritensor: { dev: 'no' } },
    ]
    for (const value of bad) expect(await codeOf(() => decodeVerifyingKey(value))).toBe('key/malformed')
  })

  test('a flipped bit is refused, makes the proof invalid, or changes nothing', () => {
    const random = integers(5)
    const flipped = (value: unknown): unknown => {
      const bytes = Buffer.from(JSON.stringify(value))
      const changed = Buffer.from(flipBit(bytes, random(8 * bytes.length))).toString('latin1')
      try {
        return JSON.parse(changed)
      } catch {
        return null // no JSON at all
      }
    }
    for (let i = 0; i < 150; i++) {
      try {
        const badProof = decodeProof(flipped(good.proof))
        expect(verify(vk, publicSignals, badProof)).toBe(
          JSON.stringify(encodeProof(badProof)) === JSON.stringify(good.proof),
        )
      } catch (error) {
        if (!(error instanceof VeritensorError)) throw error
      }
      try {
        const badKey = decodeVerifyingKey(flipped(good.vk))
        expect({ ...badKey, dev: true }).toEqual(vk)
      } catch (error) {
        if (!(error instanceof VeritensorError)) throw error
      }
    }
  })
})

test("a key's own verifying key is what snarkjs exports", () => {
  expect(readZkey(Uint8Array.from(readFileSync(files.zkey))).verifyingKey).toEqual(vk)
})
