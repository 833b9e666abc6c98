/**
 * The engine at length, on the kernels that this process chooses (VERITENSOR_ENGINE): field arithmetic on many inputs,
 * pairings, sums of every size up to 4,096, random circuits whose proofs snarkjs and the generated Solidity must accept, and
 * many proofs in one process, whose memory must not grow.
 *
 * npm run engine-check -- [--inputs 100000] [--circuits 200] [--proofs 1000] [--no-chain]
 */
import { parseArgs } from 'node:util'
import { bn254 } from '@noble/curves/bn254.js'
import { solve } from '../circuits/solve.ts'
import { weightedSum } from '../src/engine/assemble.ts'
import { type Msm, multiScalar, windowsOf } from '../src/engine/msm.ts'
import { writePaired, writePairing } from '../src/engine/pairing.ts'
import { POINT_BYTES, writeInteger } from '../src/engine/runtime.ts'
import { chooseEngine, kernelVariant } from '../src/engine/variant.ts'
import { encodeProof, encodePublicSignals, encodeVerifyingKey } from '../src/groth16/keys.ts'
import { encodeWtns } from '../src/groth16/wtns.ts'
import { proofWords } from '../src/solidity/calldata.ts'
import { compileContract } from '../src/solidity/compile.ts'
import { generateVerifier } from '../src/solidity/verifier.ts'
import { openProver } from '../src/workers/prover.ts'
import { edgeCircuits, randomCircuit } from '../test/engine/circuits.ts'
import {
  extensionDifferences,
  knownKey,
  ofG2,
  point1,
  point2,
  readFp12,
  testPlace,
  valueAt,
} from '../test/engine/pairings.ts'
import { openReference } from '../test/engine/snarkjsReference.ts'
import {
  bigintegers,
  type CurvePoint,
  curves,
  devKeys,
  fieldDifferences,
  fields,
  openDirect,
  ROOM,
  testRuntime,
  writePoints,
} from '../test/engine/support.ts'
import { integers, layer, layerInputs } from '../test/groth16/circuits.ts'
import { options as contractOptions } from '../test/solidity/fixtures.ts'
import { type Lab, startLab } from '../test/solidity/lab.ts'
import { runScript } from './support/script.ts'

const variant = kernelVariant()

class Mismatch extends Error {}
function expect(right: boolean, what: string): void {
  if (!right) throw new Mismatch(what)
}

/** Every operation of both fields on `count` inputs each. */
function checkFields(count: number): void {
  const runtime = testRuntime(variant)
  for (const [name, p] of fields) {
    const differences = fieldDifferences(runtime, name, p, count)
    expect(differences.length === 0, differences[0] ?? '')
  }
}

/** Every operation of Fq⁶ and Fq¹² on `count` inputs, and `pairs` random pairings. */
function checkPairings(count: number, pairs: number): void {
  const runtime = testRuntime(variant)
  const { vk } = knownKey([1n], 1)
  const place = testPlace(0)
  writePairing(runtime, place, vk)
  const differences = extensionDifferences(runtime, place, count)
  expect(differences.length === 0, differences[0] ?? '')
  const random = bigintegers(5)
  for (let i = 0; i < pairs; i++) {
    const [a, b] = [random(250) + 1n, random(250) + 1n]
    const [p, q] = [point1(a), point2(b)]
    writePaired(runtime, place, valueAt(0), p, q)
    const want = bn254.pairing(bn254.G1.Point.fromAffine(p), ofG2(q))
    for (const lane of [0, 1])
      expect(bn254.fields.Fp12.eql(readFp12(runtime, valueAt(0), lane), want), `the pairing of ${a}·G and ${b}·H`)
  }
}

/** Sums of n points for all n up to 4,096 by steps, with repeats, opposites, zeros and all sizes of integers among them. */
function checkSums(): number {
  const runtime = testRuntime(variant, 4 << 20)
  const [POINTS, INTEGERS, POINTERS, STAGING] = [0, 1, 2, 3].map((i) => ROOM + (i << 20)) as [
    ...[number, number, number, number],
  ]
  let checked = 0
  for (const group of ['g1', 'g2'] as const) {
    const { BASE, Fn } = curves[group]
    const table: CurvePoint[] = [BASE]
    while (table.length < 200) table.push(table.at(-1)!.add(BASE))
    writePoints(runtime, group, table, POINTS, STAGING)
    for (let n = 0; n <= 4096; n += n < 128 ? 1 : 16) {
      const [random, big] = [integers(n + 7), bigintegers(n)]
      const bits = [1, 7, 16, 53, 254 - 1][random(5)]!
      const windows = windowsOf(bits, 2 + random(group === 'g1' ? 13 : 11))
      const stride = bits <= 53 ? 8 : 32
      let expected = 0n
      for (let i = 0; i < n; i++) {
        const multiple = (random(n % 2 === 0 ? 200 : 3) + 1) * (random(2) * 2 - 1)
        const k = random(5) === 0 ? 0n : big(bits) & ((1n << BigInt(bits)) - 1n)
        writeInteger(runtime.words, INTEGERS + stride * i, k + windows.bias)
        const pointer = POINTS + POINT_BYTES[group] * (Math.abs(multiple) - 1)
        runtime.words[POINTERS / 4 + i] = multiple < 0 ? pointer + 1 : pointer
        expected += BigInt(multiple) * k
      }
      const msm: Msm = {
        ...{ group, integers: INTEGERS, stride, pointers: POINTERS, count: n, windows },
        ...{ firstWindow: 0, windowCount: windows.count, multiples: 0 },
      }
      const sum = weightedSum[group]([multiScalar(runtime, msm)]) as CurvePoint
      expect(sum.equals(BASE.multiplyUnsafe(Fn.create(expected))), `the sum of ${n} points in ${group}`)
      checked++
    }
  }
  return checked
}

/** Proofs of random circuits and edge cases, for snarkjs bit by bit and for the generated contract. */
async function checkCircuits(count: number, lab: Lab | undefined): Promise<{ proofs: number; onChain: number }> {
  const reference = await openReference()
  const all = [...edgeCircuits(), ...Array.from({ length: count }, (_, i) => randomCircuit(1000 + i))]
  let onChain = 0
  try {
    for (const [i, { name, circuit, inputs }] of all.entries()) {
      const { zkey, qkey } = await devKeys(circuit)
      const witness = solve(circuit, inputs)
      const blinding = { r: bigintegers(1)(250), s: bigintegers(2)(250) }
      const theirs = await reference.prove(zkey, encodeWtns(witness), blinding)
      // with the quotient key and without, and each of them with multiples of the points of H for every other circuit
      const [expected, many] = i % 2 === 0 ? [1, 1000] : [1000, 1]
      const { key, prove } = await openDirect(zkey, variant, circuit, expected)
      const proof = prove(witness, blinding)
      const quick = (await openDirect(zkey, variant, circuit, many, qkey)).prove(witness, blinding)
      for (const ours of [proof, quick])
        expect(JSON.stringify(encodeProof(ours)) === JSON.stringify(encodeProof(theirs.proof)), `the proof of ${name}`)
      const signals = theirs.publicSignals
      const { verifyingKey } = key
      const valid = await reference.verify(
        ...([encodeVerifyingKey(verifyingKey), encodePublicSignals(signals), encodeProof(proof)] as const),
      )
      expect(valid, `${name} for snarkjs`)
      // a contract is for circuits with public signals
      if (lab === undefined || signals.length === 0) continue
      const contract = await lab.deploy(
        await compileContract(generateVerifier(verifyingKey, contractOptions), 'Verifier'),
      )
      const words = proofWords(proof)
      const ask = (list: readonly bigint[]): Promise<unknown> =>
        lab.ask(contract, `verifyProof(uint256[8],uint256[${list.length}])`, [words, list])
      expect((await ask(signals)) === true, `${name} on the chain`)
      expect((await ask(signals.with(0, signals[0]! ^ 1n))) !== true, `another statement of ${name} on the chain`)
      onChain++
    }
  } finally {
    await reference.close()
  }
  return { proofs: all.length, onChain }
}

/**
 * How memory grows with the number of proofs, after a third of them and at least 600: the least of several sizes in the second third beside
 * the least in the last. Single sizes depend on when a thread last collected its garbage.
 */
async function checkMemory(count: number): Promise<number> {
  const circuit = layer(10, 12)
  // small heaps are collected often: what is left grows only if something is kept
  const resourceLimits = { maxOldGenerationSizeMb: 48 }
  const prover = await openProver({ circuit, ...(await devKeys(circuit)), threads: 2, maxQueue: 8, resourceLimits })
  const some = async (n: number): Promise<void> => {
    for (let i = 0; i < n; i += 4)
      await Promise.all([0, 1, 2, 3].map((k) => prover.prove(layerInputs(10, i + k), { whenFull: 'wait' })))
  }
  const resident = (): number => {
    globalThis.gc?.()
    return process.memoryUsage().rss
  }
  const third = Math.ceil(count / 3)
  const least = async (): Promise<number> => {
    const sizes: number[] = []
    for (let i = 0; i < 10; i++) {
      await some(Math.ceil(third / 10))
      sizes.push(resident())
    }
    return Math.min(...sizes)
  }
  await some(Math.max(third, 600)) // heaps of the threads grow until their first full collections
  const before = await least()
  const growth = (await least()) / before - 1
  await prover.close()
  expect(growth < 0.05, `memory grew by ${(100 * growth).toFixed(1)} % over ${third} proofs`)
  return growth
}

await runScript(async (words) => {
  const { values } = parseArgs({
    args: [...words],
    options: {
      inputs: { type: 'string', default: '100000' },
      circuits: { type: 'string', default: '200' },
      proofs: { type: 'string', default: '1000' },
      'no-chain': { type: 'boolean', default: false },
    },
  })
  console.log(`engine ${chooseEngine()}, kernels ${variant}`)
  const timed = async (what: string, work: () => Promise<string> | string): Promise<void> => {
    const start = performance.now()
    const result = await work()
    console.log(`${what}: ${result} (${((performance.now() - start) / 1000).toFixed(0)} s)`)
  }
  await timed('field arithmetic', () => {
    checkFields(Number(values.inputs))
    return `${values.inputs} inputs for each operation and field agree with bigints`
  })
  await timed('pairings', () => {
    const pairs = Math.ceil(Number(values.inputs) / 100)
    checkPairings(Number(values.inputs), pairs)
    return `${values.inputs} inputs for each operation of Fq⁶ and Fq¹² and ${pairs} pairings agree with noble-curves`
  })
  await timed('sums', () => `${checkSums()} agree with naive ones`)
  const lab = values['no-chain'] ? undefined : await startLab()
  try {
    await timed('circuits', async () => {
      const { proofs, onChain } = await checkCircuits(Number(values.circuits), lab)
      return `${proofs} proofs equal snarkjs’, with a quotient key and without, ${onChain} verify on anvil`
    })
  } finally {
    await lab?.stop()
  }
  await timed('memory', async () => {
    const growth = await checkMemory(Number(values.proofs))
    return `${values.proofs} proofs, ${(100 * growth).toFixed(1)} % growth in the last third`
  })
  return 0
})
