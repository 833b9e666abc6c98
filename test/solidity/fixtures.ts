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
}

export const options: VerifierOptions = {
  modelName: 'fixture',
  modelDigest: '11'.repeat(32),
  circuitDigest: '22'.repeat(32),
}

type Json = { readonly [key: string]: never } & readonly Json[]

const g1 = (p: Json): G1 => ({ x: BigInt(p[0] as never), y: BigInt(p[1] as never) })
const g2 = (p: Json): G2 => ({
  x: [BigInt(p[0]![0] as never), BigInt(p[0]![1] as never)],
  y: [BigInt(p[1]![0] as never), BigInt(p[1]![1] as never)],
})
const key = (vk: Json): VerifyingKey => ({
  nPublic: vk['nPublic']!,
  alpha: g1(vk['vk_alpha_1']!),
  beta: g2(vk['vk_beta_2']!),
  gamma: g2(vk['vk_gamma_2']!),
  delta: g2(vk['vk_delta_2']!),
  ic: (vk['IC'] as unknown as Json[]).map(g1),
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
  const made = Object.entries(JSON.parse(stdout) as Record<string, Json>).map(([n, f]) => {
    const [vk, skippedVk, proof] = [f['vk'] as Json, f['skippedVk'] as Json | undefined, f['proof'] as unknown as Json]
    return [
      n,
      {
        vk: key(vk),
        skippedVk: key(skippedVk ?? vk),
        proof: { a: g1(proof['pi_a']!), b: g2(proof['pi_b']!), c: g1(proof['pi_c']!) },
        publicSignals: (f['publicSignals'] as unknown as string[]).map(BigInt),
        theirs: (f['theirs'] as string | undefined) ?? '',
      } satisfies Fixture,
    ]
  })
  return Object.fromEntries(made)
}
