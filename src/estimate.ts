import { availableParallelism } from 'node:os'
import { type Circuit, publicCount } from '../circuits/circuit.ts'
import { quotientFile } from './groth16/qkey.ts'
import { quotientCut } from './groth16/quotient.ts'
import { domainPower } from './groth16/zkey.ts'

/** What proving a circuit will take, told before long work starts. */
export type Estimate = {
  readonly rows: number
  /** Size of the FFT domain: the power of two above rows and public signals. */
  readonly domain: number
  readonly zkeyBytes: number
  /** Size of the quotient key that a set-up for development makes beside it. */
  readonly qkeyBytes: number
  /** Peak memory of set-up and of one proving thread. */
  readonly setupBytes: number
  readonly proveBytes: number
  readonly setupSeconds: number
  /** Deriving a quotient key from a key of a ceremony. */
  readonly quotientSeconds: number
  readonly quotientBytes: number
  readonly proveSeconds: number
}

/**
 * Estimates from the circuit's size, for a development key; seconds are for cores of 2024 with a fused multiply-add, and scale
 * with the machine.
 *
 * Sizes follow the keys' formats (320 bytes a wire, 64 a domain point, 44 a coefficient of A and B; 64 a wire and a kept point)
 * and the engine's memory (400 bytes a wire and 300 a domain point, beside the files); times are fits to measurements of this
 * project's own set-up and prover.
 */
export function estimateCircuit(circuit: Circuit, threads = availableParallelism()): Estimate {
  const { rows, wires } = circuit
  const publics = publicCount(circuit)
  const power = domainPower(rows, publics)
  const domain = 2 ** power
  const cut = quotientCut(power, rows + publics + 1)
  const zkeyBytes = 320 * wires + 64 * domain + 44 * nonZeros(circuit)
  const qkeyBytes = quotientFile(cut, wires).size
  const points = 2 * cut.kept
  return {
    rows,
    domain,
    zkeyBytes,
    qkeyBytes,
    setupBytes: 150e6 + 3 * zkeyBytes + 2 * qkeyBytes,
    proveBytes: 120e6 + zkeyBytes + qkeyBytes + 200 * domain + 100 * points + 460 * wires,
    setupSeconds: (wires * 30e-6 + (domain + points) * 5e-6) / Math.min(threads, 4) + wires * 17e-6 + 0.5,
    quotientSeconds: (domain * power * 150e-6) / threads + 0.5,
    quotientBytes: 150e6 + zkeyBytes + qkeyBytes + 1000 * domain,
    proveSeconds: wires * 2e-6 + domain * 1.2e-6 + points * 3.5e-6 + 0.1,
  }
}

/** Coefficients of the matrices A and B, with the extra row per public signal. */
function nonZeros({ rowLC, lcStart, publicInputs, publicOutputs }: Circuit): number {
  let count = publicInputs + publicOutputs + 1
  for (let i = 0; i < rowLC.length; i++) if (i % 3 !== 2) count += lcStart[rowLC[i]! + 1]! - lcStart[rowLC[i]!]!
  return count
}
