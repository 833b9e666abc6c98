import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bn254 } from '@noble/curves/bn254.js'
import { describe, expect, test } from 'vitest'
import { readSections } from '../../src/groth16/binfile.ts'
import { R, readG1, readG2, viewOf } from '../../src/groth16/bn254.ts'
import { drawSecrets } from '../../src/groth16/devSetup.ts'
import { encodeProof, encodePublicSignals, encodeVerifyingKey } from '../../src/groth16/keys.ts'
import { encodeR1cs, r1csDigest } from '../../src/groth16/r1cs.ts'
import { verify } from '../../src/groth16/verify.ts'
import { domainPower, isDevKey, readZkey, SECTION_ORDER } from '../../src/groth16/zkey.ts'
import { setupDev } from '../../src/workers/devSetup.ts'
import { readShared } from '../../src/workers/files.ts'
import { openProver } from '../../src/workers/prover.ts'
import { setupFresh, setupPtau } from '../../src/workers/ptauSetup.ts'
import { cube, empty, layer, layerInputs, oneRow } from './circuits.ts'
import { codeOf, comparable, makeFiles, multiples, snarkjs, temporaryFolder, writeJson, writePtau } from './tools.ts'

const folder = temporaryFolder()
const at = (name: string): string => join(folder, name)

describe('multiples of the generators', () => {
  const scalars = [0n, 1n, 2n, 3n, 15n, 16n, R - 1n, R - 2n, (1n << 253n) - 1n, 1n << 253n, (1n << 128n) - 1n, R >> 1n]
  for (let i = 0; i < 300; i++) scalars.push((scalars[i % 12]! * 0x9e3779b97f4a7c15f39cc060n + BigInt(i) ** 31n) % R)

  test('in G1 equal the reference', async () => {
    const view = viewOf(await multiples('g1', scalars))
    scalars.forEach((k, i) => {
      const { x, y } = bn254.G1.Point.BASE.multiplyUnsafe(k).toAffine()
      expect(readG1(view, 64 * i)).toEqual({ x, y })
    })
  })

  test('in G2 equal the reference', async () => {
    const some = scalars.slice(0, 60)
    const view = viewOf(await multiples('g2', some))
    some.forEach((k, i) => {
      const { x, y } = bn254.G2.Point.BASE.multiplyUnsafe(k).toAffine()
      expect(readG2(view, 128 * i)).toEqual({ x: [x.c0, x.c1], y: [y.c0, y.c1] })
    })
  })
})

test('secrets are fresh numbers below r, none of them a root of unity', () => {
  const answers = [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31)), new Uint8Array(32).fill(255)]
  let calls = 0
  const secrets = drawSecrets((bytes) => {
    const answer = answers[calls++]
    bytes.set(answer ?? Uint8Array.from({ length: 32 }, (_, i) => (calls + i) & 31))
  })
  expect(calls).toBe(answers.length + 5) // 0, 1 and a number ≥ r are drawn again
  expect(new Set(Object.values(secrets)).size).toBe(5)
  for (const value of Object.values(secrets)) expect(value > 1n && value < R).toBe(true)
})

const small = layer(3, 1) // 46 rows or so: a domain of 64
const power = domainPower(small.rows, 2)

describe('against the ceremony of snarkjs', async () => {
  await writePtau(at('raw.ptau'), power + 1, comparable)
  await snarkjs('powersoftau', 'prepare', 'phase2', at('raw.ptau'), at('large.ptau'))
  await writePtau(at('raw-same.ptau'), power, comparable)
  await snarkjs('powersoftau', 'prepare', 'phase2', at('raw-same.ptau'), at('same.ptau'))

  test('a development key equals `zkey new` of the same secrets byte by byte', async () => {
    for (const [name, circuit] of Object.entries({ small, cube: cube(), oneRow: oneRow(), empty: empty(2) })) {
      writeFileSync(at('c.r1cs'), encodeR1cs(circuit))
      await snarkjs('zkey', 'new', at('c.r1cs'), at('large.ptau'), at('theirs.zkey'))
      await setupDev(circuit, { path: at('ours.zkey'), threads: 1, secrets: comparable })
      const [ours, theirs] = ['ours.zkey', 'theirs.zkey'].map((file) =>
        readSections('zkey', Uint8Array.from(readFileSync(at(file))), SECTION_ORDER),
      )
      for (let id = 1; id <= 9; id++)
        expect([name, id, Buffer.compare(ours!.get(id)!, theirs!.get(id)!)]).toEqual([name, id, 0])
      // gamma = delta: neither key is accepted
      for (const file of ['ours.zkey', 'theirs.zkey'])
        expect(await codeOf(() => readZkey(Uint8Array.from(readFileSync(at(file)))))).toBe('key/unsafe')
    }
  })

  test('the key before any contribution is that of snarkjs, bit by bit, for a ceremony of either size', async () => {
    for (const [name, circuit] of Object.entries({ small, cube: cube(), oneRow: oneRow(), empty: empty(2) }))
      for (const ptau of name === 'small' ? ['large.ptau', 'same.ptau'] : ['large.ptau']) {
        writeFileSync(at('n.r1cs'), encodeR1cs(circuit))
        await snarkjs('zkey', 'new', at('n.r1cs'), at(ptau), at('theirs-new.zkey'))
        await setupFresh(circuit, { ptau: at(ptau), path: at('ours-new.zkey'), threads: 1 })
        const [ours, theirs] = ['ours-new.zkey', 'theirs-new.zkey'].map((file) =>
          readSections('zkey', Uint8Array.from(readFileSync(at(file))), SECTION_ORDER),
        )
        for (let id = 1; id <= 10; id++)
          expect([name, ptau, id, Buffer.compare(ours!.get(id)!, theirs!.get(id)!)]).toEqual([name, ptau, id, 0])
      }
  })

  const inputs = layerInputs(3)
  const proves = async (path: string): Promise<void> => {
    const prover = await openProver({ circuit: small, zkey: readShared(path), threads: 1 })
    const { proof, publicSignals } = await prover.prove(inputs)
    await prover.close()
    expect(verify(prover.verifyingKey, publicSignals, proof)).toBe(true)
    const other = publicSignals.with(0, (publicSignals[0]! + 1n) % R)
    expect(verify(prover.verifyingKey, other, proof)).toBe(false)
  }

  test('setup from a ceremony makes a key with a contribution, which names its circuit', async () => {
    const key = await setupPtau(small, { ptau: at('large.ptau'), path: at('ceremony.zkey') })
    expect(isDevKey(key)).toBe(false)
    expect(key.circuitDigest).toBe(r1csDigest(small))
    expect(key.contributions).toEqual([{ name: r1csDigest(small), beacon: false }])
    await proves(at('ceremony.zkey'))
    writeFileSync(at('small.r1cs'), encodeR1cs(small))
    const report = await snarkjs('zkey', 'verify', at('small.r1cs'), at('large.ptau'), at('ceremony.zkey'))
    expect(report).toContain('ZKey Ok!')
  })

  test('a ceremony of just the needed power serves as well, and a beacon ends phase 2', async () => {
    const beacon = { hash: '0123456789abcdef', iterationsExp: 10 }
    const key = await setupPtau(small, { ptau: at('same.ptau'), path: at('beacon.zkey'), beacon })
    expect(key.contributions.map((c) => c.beacon)).toEqual([false, true])
    await proves(at('beacon.zkey'))
  })

  test('what a ceremony cannot serve is refused, and nothing is left behind', async () => {
    const before = readdirSync(folder)
    const run = (circuit: typeof small, ptau: string, more = {}) =>
      codeOf(() => setupPtau(circuit, { ptau: at(ptau), path: at('never.zkey'), ...more }))
    expect(await run(layer(30, 20), 'large.ptau')).toBe('key/ptau-too-small')
    expect(await run(small, 'raw.ptau')).toBe('key/ptau-not-prepared')
    expect(await run(small, 'missing.ptau')).toBe('input/unreadable-file')
    expect(await run(small, 'large.ptau', { signal: AbortSignal.abort() })).toBe('aborted/by-caller')
    expect(await run(small, 'large.ptau', { signal: AbortSignal.timeout(150) })).toBe('aborted/by-caller')
    for (const beacon of [
      { hash: 'xyz', iterationsExp: 10 },
      { hash: '00', iterationsExp: 9 },
    ])
      expect(await run(small, 'large.ptau', { beacon })).toBe('usage/beacon')
    expect(readdirSync(folder)).toEqual(before)

    const ptau = Uint8Array.from(readFileSync(at('large.ptau')))
    writeFileSync(at('cut.ptau'), ptau.subarray(0, ptau.length - 9))
    writeFileSync(at('r1cs.ptau'), encodeR1cs(small))
    expect(await run(small, 'cut.ptau')).toBe('key/malformed-ptau')
    expect(await run(small, 'r1cs.ptau')).toBe('key/malformed-ptau')
    // a wrong point in the ceremony: the finished key contradicts itself
    const broken = Uint8Array.from(ptau)
    const alpha = readSections('ptau', broken, [1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15]).get(4)!
    alpha[0]! ^= 1
    writeFileSync(at('broken.ptau'), broken)
    expect(await run(small, 'broken.ptau')).toBe('key/malformed-zkey')
    expect(existsSync(at('never.zkey'))).toBe(false)
    expect(readdirSync(folder).filter((file) => file.includes('.tmp'))).toEqual([])
  })
})

describe('development keys', () => {
  test('are marked, name their circuit, and differ from each other', async () => {
    await setupDev(small, { path: at('a.zkey'), threads: 1 })
    await setupDev(small, { path: at('b.zkey'), threads: 2 })
    const [a, b] = ['a.zkey', 'b.zkey'].map((file) => readZkey(readShared(at(file))))
    expect([isDevKey(a!), a!.circuitDigest]).toEqual([true, r1csDigest(small)])
    expect(a!.verifyingKey).not.toEqual(b!.verifyingKey)
  })

  test('do not depend on the number of threads', async () => {
    const secrets = { ...comparable, gamma: 77n, delta: 99n }
    for (const threads of [1, 2]) await setupDev(small, { path: at(`${threads}.zkey`), threads, secrets })
    expect(Buffer.compare(readFileSync(at('1.zkey')), readFileSync(at('2.zkey')))).toBe(0)
  })

  test('report progress that grows to 1', async () => {
    const seen: number[] = []
    await setupDev(small, { path: at('p.zkey'), threads: 1, onProgress: (fraction) => seen.push(fraction) })
    expect(seen.at(-1)).toBe(1)
    expect(seen.every((f, i) => i === 0 || f >= seen[i - 1]!)).toBe(true)
  })

  test('leave no file behind when aborted, and an older one as it was', async () => {
    writeFileSync(at('old.zkey'), 'old')
    for (const signal of [AbortSignal.abort(), AbortSignal.timeout(600)])
      expect(await codeOf(() => setupDev(layer(60, 900), { path: at('old.zkey'), threads: 1, signal }))).toBe(
        'aborted/by-caller',
      )
    expect(readFileSync(at('old.zkey'), 'utf8')).toBe('old')
    expect(readdirSync(folder).filter((file) => file.includes('.tmp'))).toEqual([])
  })

  test('are refused for a circuit over another field', async () => {
    expect(await codeOf(() => setupDev({ ...small, prime: 97n }, { path: at('f.zkey'), threads: 1 }))).toBe(
      'circuit/wrong-field',
    )
  })
})

test.each([
  ['a row and no public signal', oneRow(), [1]],
  ['no row and no public signal', empty(0), [5]],
  ['no row and two public signals', empty(2), [3, -4, 5]],
  ['a public field element', cube(), [(R - 2n) ** 3n % R, R - 2n]],
] as const)('tiny circuits prove: %s', async (name, circuit, inputs) => {
  const files = await makeFiles(folder, name.replaceAll(' ', '-'), circuit, inputs)
  const prover = await openProver({ circuit, zkey: readShared(files.zkey), threads: 1 })
  const { proof, publicSignals } = await prover.prove(inputs)
  await prover.close()
  expect(publicSignals).toEqual(inputs.slice(0, circuit.publicInputs).map((v) => (BigInt(v) + R) % R))
  expect(verify(prover.verifyingKey, publicSignals, proof)).toBe(true)
  // an input that no row uses is bound all the same
  publicSignals.forEach((signal, i) => {
    expect(verify(prover.verifyingKey, publicSignals.with(i, (signal + 1n) % R), proof)).toBe(false)
  })
  const path = (extension: string) => files.at(extension)
  writeJson(path('vk.json'), encodeVerifyingKey(prover.verifyingKey))
  writeJson(path('proof.json'), encodeProof(proof))
  writeJson(path('public.json'), encodePublicSignals(publicSignals))
  expect(await snarkjs('groth16', 'verify', path('vk.json'), path('public.json'), path('proof.json'))).toContain('OK!')
  await snarkjs('groth16', 'prove', files.zkey, files.wtns, path('p.json'), path('s.json'))
  expect(await snarkjs('groth16', 'verify', path('vk.json'), path('s.json'), path('p.json'))).toContain('OK!')
})
