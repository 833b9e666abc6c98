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
 * Estimates from the circuit's size; seconds are for one core of 2024 and snarkjs, and scale with the machine.
 *
 * Sizes follow the format (320 bytes a wire, 64 a domain point, 44 a coefficient of A and B); times are fits to
 * measurements made by scripts/bench-setup.ts and scripts/bench-prove.ts.
 */
export function estimate(circuit: { rows: number; wires: number; publicSignals: number; nonZeros: number }, threads: number): Estimate {
  const { rows, wires, publicSignals, nonZeros } = circuit
  const domain = 2 ** (Math.floor(Math.log2(rows + publicSignals + 1)) + 1)
  const zkeyBytes = 320 * wires + 64 * domain + 44 * nonZeros
  return {
    rows,
    domain,
    zkeyBytes,
    setupBytes: 150e6 + 3 * zkeyBytes,
    proveBytes: 150e6 + zkeyBytes + 32 * 6 * domain + 64 * wires,
    setupSeconds: (wires * 260e-6 + domain * 40e-6) / Math.min(threads, 4) + 1,
    proveSeconds: wires * 30e-6 + domain * 25e-6 + 0.3,
  }
}
