import { availableParallelism } from 'node:os'
import { type Circuit, publicCount } from '../circuits/circuit.ts'

/** What proving a circuit will take, told before long work starts. */
export type Estimate = {
  readonly rows: number
  /** Size of the FFT domain: the power of two above rows and public signals. */
  readonly domain: number
  readonly zkeyBytes: number
  /** Peak memory of set-up and of one proving thread. */
  readonly setupBytes: number
  readonly proveBytes: number
  readonly setupSeconds: number
  readonly proveSeconds: number
}

/**
 * Estimates from the circuit's size; seconds are for cores of 2024 with a fused multiply-add, and scale with the machine.
 *
 * Sizes follow the key's format (320 bytes a wire, 64 a domain point, 44 a coefficient of A and B) and the engine's memory
 * (400 bytes a wire and 300 a domain point, beside the file); times are fits to measurements of this project's own set-up
 * and prover.
 */
export function estimateCircuit(circuit: Circuit, threads = availableParallelism()): Estimate {
  const { rows, wires } = circuit
  const domain = 2 ** (Math.floor(Math.log2(rows + publicCount(circuit) + 1)) + 1)
  const zkeyBytes = 320 * wires + 64 * domain + 44 * nonZeros(circuit)
  return {
    rows,
    domain,
    zkeyBytes,
    setupBytes: 150e6 + 3 * zkeyBytes,
    proveBytes: 120e6 + zkeyBytes + 300 * domain + 460 * wires,
    setupSeconds: (wires * 25e-6 + domain * 5e-6) / Math.min(threads, 4) + wires * 15e-6 + 0.5,
    proveSeconds: wires * 2e-6 + domain * 5e-6 + 0.1,
  }
}

/** Coefficients of the matrices A and B, with the extra row per public signal. */
function nonZeros({ rowLC, lcStart, publicInputs, publicOutputs }: Circuit): number {
  let count = publicInputs + publicOutputs + 1
  for (let i = 0; i < rowLC.length; i++) if (i % 3 !== 2) count += lcStart[rowLC[i]! + 1]! - lcStart[rowLC[i]!]!
  return count
}
