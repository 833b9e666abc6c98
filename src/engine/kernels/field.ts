/**
 * What the curve and transform kernels need of a prime field, whatever its limbs are.
 *
 * An element takes 40 bytes. Kernels work on pairs of elements, 80 bytes at an address that is a multiple of 16; the two
 * elements of a pair are its lanes. Values are residues in Montgomery form times R, not unique: the bounds of each variant
 * say how far sums may run before they must be reduced.
 * @module
 */
import type { Address, Code, Func, FunctionBuilder, Local } from './wasm.ts'

export const ELEMENT = 40
export const PAIR = 80

/** Two elements at addresses of their own, perhaps to be negated. */
export type Scattered = {
  readonly first: Local
  readonly second: Local
  /** Bytes to add to both addresses. */
  readonly offset: number
  /** Locals of 0 or 1: 1 negates the element. */
  readonly signs?: readonly [Local, Local]
}

/**
 * Arithmetic of one field, as functions of the module and as code to place inline. "Lazy" results may enter one
 * multiplication, one further addition, or a reduction, and nothing else; all other results are carried and of about p/2
 * (balanced limbs) or p (unsigned limbs) at most.
 */
export type FieldKernels = {
  readonly p: bigint
  /** The Montgomery factor: multiplying divides by it. */
  readonly montgomery: bigint
  /** (z, x, y): z = x·y/R. Operands may be lazy. */
  readonly mul: Func
  /** (z, x): z = x²/R, x not lazy. */
  readonly sqr: Func
  /** (z, x0, y0, x1, y1): z = (x0·y0 + x1·y1)/R. One operand of each product may be lazy. */
  readonly mulAdd: Func
  /** (z, x0, y0, x1, y1): z = (x0·y0 - x1·y1)/R. One operand of each product may be lazy. */
  readonly mulSub: Func
  /** (z, lane, value): the integer `value`, |value| < 2⁵³, in one lane: not in Montgomery form, lazy for negative ones. */
  readonly fromDouble: Func
  /** (z, a, b): two integers of 32 bytes, little-endian, below p, not in Montgomery form. */
  readonly fromBytes: Func
  /** (x, lane, out): the residue in [0, p) of one lane of a product, as 32 bytes. */
  readonly toBytes: Func
  /** (z, x, lane): copies one lane. */
  readonly copyLane: Func
  /** z = x + y, lazy. */
  add(f: FunctionBuilder, z: Address, x: Address, y: Address): Code
  /** z = x - y, lazy. */
  sub(f: FunctionBuilder, z: Address, x: Address, y: Address): Code
  /** z = x + y, reduced; operands may be lazy. */
  addReduce(f: FunctionBuilder, z: Address, x: Address, y: Address): Code
  /** z = x - y, reduced; operands may be lazy. */
  subReduce(f: FunctionBuilder, z: Address, x: Address, y: Address): Code
  copy(f: FunctionBuilder, z: Address, x: Address): Code
  /** z = x with its lanes exchanged, elsewhere. */
  swap(f: FunctionBuilder, z: Address, x: Address): Code
  /** Both lanes the residue of one integer, as it is. */
  constant(f: FunctionBuilder, z: Address, value: bigint): Code
  /** A pair from two elements. */
  gather(f: FunctionBuilder, z: Address, a: Scattered): Code
  /** The elements of a pair, each to its address. */
  scatter(f: FunctionBuilder, z: Scattered, x: Address): Code
  /**
   * a = elements of `from`, difference = elements of `to` - a, and sum = a + elements of `to`. The difference is lazy unless
   * `reduced`; the sum is lazy.
   */
  gatherDifference(
    f: FunctionBuilder,
    from: Scattered,
    to: Scattered,
    out: { readonly a: Address; readonly difference: Address; readonly sum?: Address },
    reduced: boolean,
  ): Code
  /** x, t ↦ x = x + t, y = x - t, both reduced; t is neither x nor y and may be lazy. */
  butterfly(f: FunctionBuilder, x: Address, y: Address, t: Address): Code
  /**
   * A butterfly between the lanes of x and of y, which may be the same pair: t = (second lane of x, second lane of y); after
   * `between`, which may change t, x = (x₀ + t₀, x₀ - t₀) and y = (y₀ + t₁, y₀ - t₁), reduced.
   */
  laneButterfly(f: FunctionBuilder, x: Address, y: Address, t: Address, between: Code): Code
}

/** a⁻¹ mod p for a ≢ 0, p prime or not, by the extended Euclidean algorithm. */
export function invert(a: bigint, p: bigint): bigint {
  let [r0, r1, t0, t1] = [p, ((a % p) + p) % p, 0n, 1n]
  while (r1 !== 0n) {
    const q = r0 / r1
    ;[r0, r1, t0, t1] = [r1, r0 - q * r1, t1, t0 - q * t1]
  }
  return ((t0 % p) + p) % p
}
