import { createBuilder } from '../../circuits/builder.ts'
import type { Circuit } from '../../circuits/circuit.ts'
import { digestOf, encodeTensors, type TensorForm } from '../../circuits/compression.ts'
import { Fr } from '../../circuits/field.ts'
import { rangeCheck } from '../../circuits/gadgets/bits.ts'
import { compress } from '../../circuits/gadgets/compress.ts'
import { setup } from '../../src/artefacts/keys.ts'
import type { Proof, VerifyingKey } from '../../src/groth16/keys.ts'
import { challengeOf, type Destination } from '../../src/solidity/compression.ts'
import { verifyingKeyDigest } from '../../src/solidity/verifier.ts'
import { openProver } from '../../src/workers/prover.ts'

/** The circuit that knows tensors of the given forms and says nothing about them: public y, r, e and `commitments` more. */
export function compressedCircuit(forms: readonly TensorForm[], commitments = 0): Circuit {
  const cs = createBuilder(Fr)
  const [y, r, e] = [cs.output(), cs.output(), cs.output()]
  const others = Array.from({ length: commitments }, cs.output)
  const wires = forms.map(({ count, lo, hi }) =>
    Array.from({ length: count }, () => cs.input('private', { lo: BigInt(lo), hi: BigInt(hi) })),
  )
  const challenge = cs.input('private', null)
  const digests = others.map(() => cs.input('private', null))
  const tensors = forms.map((form, i) => ({
    form,
    elements: wires[i]!.map((x) => rangeCheck(cs, x, BigInt(form.lo), BigInt(form.hi))),
  }))
  const compressed = compress(cs, tensors, challenge)
  cs.bindOutput(y, compressed.y)
  cs.bindOutput(r, challenge)
  cs.bindOutput(e, compressed.e)
  for (const [i, wire] of others.entries()) cs.bindOutput(wire, digests[i]!)
  return cs.build()
}

export type CompressedProof = {
  readonly proof: Proof
  readonly publicSignals: readonly bigint[]
  readonly y: bigint
  readonly x: Uint8Array
}

export type CompressedLab = {
  readonly vk: VerifyingKey
  readonly vkDigest: string
  /** Proves tensors for a destination. */
  prove(
    tensors: readonly (readonly (number | bigint)[])[],
    destination: Destination,
    commitments?: readonly bigint[],
  ): Promise<CompressedProof>
  /** Proves tensors with a challenge of the caller's choice. */
  proveAt(
    tensors: readonly (readonly (number | bigint)[])[],
    r: bigint,
    commitments?: readonly bigint[],
  ): Promise<CompressedProof>
  close(): Promise<void>
}

/** A development key and a prover for that circuit. */
export async function openCompressedLab(forms: readonly TensorForm[], commitments = 0): Promise<CompressedLab> {
  const circuit = compressedCircuit(forms, commitments)
  const keys = await setup({ circuit }, { dev: true, threads: 1 })
  const prover = await openProver({ circuit, zkey: keys.zkey, threads: 1 })
  const vkDigest = verifyingKeyDigest(keys.verifyingKey)
  const lab: CompressedLab = {
    vk: keys.verifyingKey,
    vkDigest,
    async prove(tensors, destination, others = []) {
      const x = encodeTensors(forms, tensors)
      return lab.proveAt(tensors, challengeOf(vkDigest, destination, digestOf(x), x).r, others)
    },
    async proveAt(tensors, r, others = []) {
      const x = encodeTensors(forms, tensors)
      const { proof, publicSignals } = await prover.prove([...tensors.flat(), r, ...others])
      return { proof, publicSignals, y: publicSignals[0]!, x }
    },
    close: () => prover.close(),
  }
  return lab
}
