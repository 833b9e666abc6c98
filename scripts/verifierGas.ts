/**
 * Gas of a verification by generated contracts, without the transaction's base fee and calldata: it depends on the number of
 * public signals alone.
 * @module
 */
import { createBuilder } from '../circuits/builder.ts'
import type { Circuit } from '../circuits/circuit.ts'
import { Fr } from '../circuits/field.ts'
import { setup } from '../src/artefacts/keys.ts'
import { proofWords } from '../src/solidity/calldata.ts'
import { compileContract } from '../src/solidity/compile.ts'
import { generateVerifier } from '../src/solidity/verifier.ts'
import { openProver } from '../src/workers/prover.ts'
import { startLab } from '../test/solidity/lab.ts'

/** A circuit with n public signals, each with a product of its own. */
function circuitOf(n: number): Circuit {
  const cs = createBuilder(Fr)
  const xs = Array.from({ length: n }, () => cs.input('public', { lo: -100n, hi: 100n }))
  for (const x of xs) cs.mul(x, x)
  return cs.build()
}

/** Execution gas by number of public signals. Needs anvil; about a second for each size. */
export async function measureVerifierGas(sizes: readonly number[]): Promise<Record<string, number>> {
  const lab = await startLab()
  const digest = '00'.repeat(32)
  const measured: Record<string, number> = {}
  try {
    for (const n of sizes) {
      const circuit = circuitOf(n)
      const keys = await setup({ circuit }, { dev: true, threads: 1 })
      const prover = await openProver({ circuit, zkey: keys.zkey, threads: 1 })
      const { proof, publicSignals } = await prover.prove(Array.from({ length: n }, (_, i) => (i % 7) - 3))
      await prover.close()
      const source = generateVerifier(keys.verifyingKey, {
        modelName: 'gas',
        modelDigest: digest,
        circuitDigest: digest,
      })
      const contract = await lab.deploy(await compileContract(source, 'Verifier'))
      const words = [proofWords(proof), publicSignals]
      const { exec, status } = await lab.measure(contract, `verifyProof(uint256[8],uint256[${n}])`, words)
      if (status !== 1) throw new Error(`the verifier for ${n} public signals reverted`)
      measured[n] = exec
    }
  } finally {
    await lab.stop()
  }
  return measured
}

/** Sizes that test/costs.json pins. */
export const GAS_SIZES = [1, 3, 10] as const
