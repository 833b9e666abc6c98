/**
 * Prime fields on bigint. `Fr` is BN254's scalar field, over which every circuit is compiled; tests also use tiny primes,
 * so that they can enumerate every witness.
 * @module
 */
export type Field = ReturnType<typeof createField>

/** The field of integers mod a prime p. */
export function createField(p: bigint) {
  const mod = (x: bigint): bigint => {
    const r = x % p
    return r < 0n ? r + p : r
  }
  const most = p / 2n
  const least = most - p + 1n
  return {
    p,
    /** Representative in [0, p). */
    mod,
    /** Representative in (-p/2, p/2]. */
    signed: (x: bigint): bigint => {
      if (x >= least && x <= most) return x
      const r = mod(x)
      return r > most ? r - p : r
    },
    add: (a: bigint, b: bigint): bigint => mod(a + b),
    mul: (a: bigint, b: bigint): bigint => mod(a * b),
    /** 1/x for x ≠ 0 by the extended Euclidean algorithm. Throws RangeError for 0. */
    inv: (x: bigint): bigint => {
      let [r0, r1, t0, t1] = [p, mod(x), 0n, 1n]
      if (r1 === 0n) throw new RangeError('inv: 0 has no inverse')
      while (r1 !== 0n) {
        const q = r0 / r1
        ;[r0, r1] = [r1, r0 - q * r1]
        ;[t0, t1] = [t1, t0 - q * t1]
      }
      return mod(t0)
    },
  }
}

/** Order of BN254's groups. Source: EIP-197. */
export const Fr = createField(21888242871839275222246405745257275088548364400416034343698204186575808495617n)
