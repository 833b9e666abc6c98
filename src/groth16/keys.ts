/** An affine point of BN254's G1, y² = x³ + 3 over Fq; plain integers in [0, q), not Montgomery form. */
export type G1 = { readonly x: bigint; readonly y: bigint }

/** An affine point of G2 over Fq²; each coordinate is [c0, c1] for c0 + c1·u. The EVM wants c1 before c0. */
export type G2 = { readonly x: readonly [bigint, bigint]; readonly y: readonly [bigint, bigint] }

/** A Groth16 verifying key. `ic` has nPublic + 1 points; `dev` marks a key whose toxic waste was known to one party. */
export type VerifyingKey = {
  readonly nPublic: number
  readonly alpha: G1
  readonly beta: G2
  readonly gamma: G2
  readonly delta: G2
  readonly ic: readonly G1[]
  readonly dev: boolean
}

/** A Groth16 proof: A and C in G1, B in G2. */
export type Proof = { readonly a: G1; readonly b: G2; readonly c: G1 }
