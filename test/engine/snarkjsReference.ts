/**
 * snarkjs in this process, with a blinding of our choice: for comparing proofs byte by byte.
 */
import { createRequire } from 'node:module'
import type { Blinding } from '../../src/engine/assemble.ts'
import { decodeProof, decodePublicSignals, type Proof } from '../../src/groth16/keys.ts'

type Field = { e(value: bigint): unknown; random(): unknown }
type Curve = { readonly Fr: Field; terminate(): Promise<void> }
type Groth16 = {
  prove(zkey: object, wtns: object): Promise<{ proof: unknown; publicSignals: unknown }>
  verify(key: unknown, publicSignals: unknown, proof: unknown): Promise<boolean>
}

const require = createRequire(import.meta.url)
const fromSnarkjs = createRequire(require.resolve('snarkjs'))

/** Opens snarkjs on this thread; `close` lets the process end. */
export async function openReference() {
  const { buildBn128 } = fromSnarkjs('ffjavascript') as { buildBn128(singleThread: boolean): Promise<Curve> }
  const curve = await buildBn128(true)
  const { groth16 } = require('snarkjs') as { groth16: Groth16 }
  const use = (): void => {
    Object.assign(globalThis, { curve_bn128: curve })
  }
  return {
    async prove(zkey: Uint8Array, wtns: Uint8Array, { r, s }: Blinding) {
      use()
      const { Fr } = curve
      const { random } = Fr
      const values = [r, s]
      Fr.random = () => Fr.e(values.shift()!)
      try {
        const made = await groth16.prove({ type: 'mem', data: zkey }, { type: 'mem', data: wtns })
        return { proof: decodeProof(made.proof) as Proof, publicSignals: decodePublicSignals(made.publicSignals) }
      } finally {
        Fr.random = random
      }
    },
    async verify(key: unknown, publicSignals: unknown, proof: unknown): Promise<boolean> {
      use()
      return groth16.verify(key, publicSignals, proof)
    },
    close: () => curve.terminate(),
  }
}
