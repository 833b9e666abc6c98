import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { G1, G2, Proof, VerifyingKey } from '../../src/groth16/keys.ts'
import type { VerifierOptions } from '../../src/solidity/verifier.ts'

export type Fixture = {
  readonly vk: VerifyingKey
  /** The same circuit's key before any contribution: gamma = delta. Only in fixtures by size. */
  readonly skippedVk: VerifyingKey
  readonly proof: Proof
  readonly publicSignals: readonly bigint[]
  /** snarkjs' own contract for the key, rendered from the installed package. Only in fixtures by size. */
  readonly theirs: string
  /** The same for skippedVk. */
  readonly skippedTheirs: string
}

export const options: VerifierOptions = {
  modelName: 'fixture',
  modelDigest: '11'.repeat(32),
  circuitDigest: '22'.repeat(32),
}

type Point = readonly [string, string]
type Point2 = readonly [Point, Point]
type KeyJson = {
  readonly nPublic: number
  readonly vk_alpha_1: Point
  readonly vk_beta_2: Point2
  readonly vk_gamma_2: Point2
  readonly vk_delta_2: Point2
  readonly IC: readonly Point[]
}
type FixtureJson = {
  readonly vk: KeyJson
  readonly skippedVk?: KeyJson
  readonly proof: { readonly pi_a: Point; readonly pi_b: Point2; readonly pi_c: Point }
  readonly publicSignals: readonly string[]
  readonly theirs?: string
  readonly skippedTheirs?: string
}

const g1 = ([x, y]: Point): G1 => ({ x: BigInt(x), y: BigInt(y) })
const g2 = ([x, y]: Point2): G2 => ({ x: [BigInt(x[0]), BigInt(x[1])], y: [BigInt(y[0]), BigInt(y[1])] })
const key = (vk: KeyJson): VerifyingKey => ({
  nPublic: vk.nPublic,
  alpha: g1(vk.vk_alpha_1),
  beta: g2(vk.vk_beta_2),
  gamma: g2(vk.vk_gamma_2),
  delta: g2(vk.vk_delta_2),
  ic: vk.IC.map(g1),
  dev: false,
})

/**
 * Keys, proofs and snarkjs' contracts of a small circuit with n public inputs. `sizes` go through snarkjs' ceremony,
 * set-up and prover, `simulate` are keys and proofs solved for from known secrets.
 */
export async function makeFixtures(request: {
  readonly sizes?: readonly number[]
  readonly simulate?: readonly number[]
}): Promise<Record<number, Fixture>> {
  const child = fileURLToPath(new URL('snarkjsChild.ts', import.meta.url))
  const wanted = JSON.stringify({ sizes: request.sizes ?? [], simulate: request.simulate ?? [] })
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', child, wanted], {
    maxBuffer: 1 << 26,
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const made = JSON.parse(stdout) as Record<string, FixtureJson>
  const decode = (f: FixtureJson): Fixture => ({
    vk: key(f.vk),
    skippedVk: key(f.skippedVk ?? f.vk),
    proof: { a: g1(f.proof.pi_a), b: g2(f.proof.pi_b), c: g1(f.proof.pi_c) },
    publicSignals: f.publicSignals.map(BigInt),
    theirs: f.theirs ?? '',
    skippedTheirs: f.skippedTheirs ?? '',
  })
  return Object.fromEntries(Object.entries(made).map(([n, f]) => [n, decode(f)]))
}
