import type { Bits, Builder } from '../builder.ts'
import { CircuitError } from '../error.ts'
import { bitLength, type LC, type Range } from '../lc.ts'
import { toBits } from './bits.ts'
import { maximum, minimum } from './max.ts'
import { signedWidth } from './sign.ts'
import { allZero, isZero } from './zero.ts'

/**
 * An affine map with a rational slope, rounded down: x ↦ ⌊(p·x + r) / q⌋ for p, q ≥ 1. With `even`, a quotient without
 * remainder that is odd counts one less: for r = q/2 that is p·x/q rounded to the nearest integer, halves to even.
 */
export type Ratio = {
  readonly p: number
  readonly r: number
  readonly q: number
  readonly even: boolean
  /** Places where the clamped result differs by so much. */
  readonly except?: readonly { readonly at: number; readonly by: number }[]
}

/** The value of a ratio at x, before any clamp. */
export function rescaled(x: bigint, { p, r, q, even }: Ratio): bigint {
  const [n, d] = [BigInt(p) * x + BigInt(r), BigInt(q)]
  const rest = ((n % d) + d) % d
  const quotient = (n - rest) / d
  return even && rest === 0n && quotient % 2n !== 0n ? quotient - 1n : quotient
}

/** clamp(rescaled(x)), with its exceptions. */
export function rescaledWithin(x: bigint, ratio: Ratio, lo: bigint, hi: bigint): bigint {
  const t = rescaled(x, ratio)
  const clamped = t < lo ? lo : t > hi ? hi : t
  return (ratio.except ?? []).reduce((y, { at, by }) => (BigInt(at) === x ? y + BigInt(by) : y), clamped)
}

/** The digits of q - 1 down to its last zero, most significant first. */
function digitsAbove(q: number): (0 | 1)[] {
  const digits = Array.from((BigInt(q) - 1n).toString(2), (digit) => (digit === '1' ? 1 : 0))
  return digits.slice(0, digits.lastIndexOf(0) + 1)
}

/** Rows that bound a remainder below q once it is in bits: ones of q - 1 above its last zero. */
export function belowRows(q: number): number {
  let c = q - 1
  while (c % 2 === 1) c = (c - 1) / 2
  let ones = 0
  for (; c > 0; c = Math.floor(c / 2)) ones += c % 2
  return ones
}

/**
 * Bits of a remainder.
 *
 * Proves: 0 ≤ x < q, and bits[i] is bit i of x. x has as many bits as c = q - 1. Such an x exceeds c just if at some zero of c
 * it has a one, and ones at all higher ones of c. So with, from the last zero of c upwards,
 *   t ← t + bit at a zero of c,   t ← bit·t at a one of c (a row)
 * t counts the zeros of c at which that is so, at most as many as x has bits, and the last row, bit·t = 0 at the top of c, says
 * that there is none. Ones below the last zero of c need nothing: q = m·2ʲ costs what m does.
 * Requires: as toBits. Cost: bitLength(c) + 1 rows, and one per one of c above its last zero.
 */
export function remainderBits(cs: Builder, x: LC, q: number): Bits {
  const bits = toBits(cs, x, bitLength(BigInt(q) - 1n))
  const digits = digitsAbove(q)
  let t = cs.constant(0)
  for (let d = digits.length - 1, from = bits.count - digits.length; d >= 0; d--) {
    const i = bits.count - 1 - d
    if (digits[d] === 1) from = i + 1
    // a run of zeros ends here
    else if (digits[d - 1] === 1) t = cs.add(t, cs.countOnes(bits, from, i + 1))
    if (digits[d] === 0) continue
    if (d > 0) t = cs.mul(cs.bit(bits, i), t)
    else cs.assertMul(cs.bit(bits, i), t, cs.constant(0))
  }
  return bits
}

/**
 * clamp(⌊(p·x + r) / q⌋, lo, hi), halves to even with `even`: a requantisation by any rational factor.
 *
 * Let v = p·x + r - q·lo, so that the unclamped result is lo + u with u = ⌊v/q⌋, and w such that -2^(w-1) ≤ u < 2^(w-1). A
 * hint gives the bits of U = u + 2^(w-1), and the rest is ρ = v + q·2^(w-1) - q·U.
 *
 * Proves: y. Each bit of U is boolean, 0 ≤ ρ < q, and q·2ʷ < p_F (the field's order), so that q·U + ρ = v + q·2^(w-1) holds over
 * the integers and U, ρ are quotient and remainder. The top bit of U is [u ≥ 0]; the clamp is as in `requantise`. With `even`,
 * u is lowered by [ρ = 0]·[lo + u odd], which is monotone in x; where lo is odd that could pass below lo, so the window then
 * begins one lower and a maximum with lo follows.
 * Requires: a proven range of x. Cost: w + bitLength(q - 1) + 1 rows and those that bound ρ (`belowRows`), then what the clamp
 * takes: min(k, 3) + 1 with k = w - 1 - n bits above the window's n; 1 if only at lo; none if the range rules saturation out.
 * `even`: up to 4 more. Windows that are no power of two: n + 2 more. Each exception adds by·[x = at]: 3 rows.
 */
export function rescale(cs: Builder, x: LC, ratio: Ratio, lo: bigint, hi: bigint): LC {
  const except = (ratio.except ?? []).filter(({ at }) => x.range !== null && x.range.lo <= at && at <= x.range.hi)
  const plain = withoutExceptions(cs, x, ratio, lo, hi)
  if (except.length === 0) return plain
  const sum = cs.combine([
    [1, plain],
    ...except.map(({ at, by }) => [by, isZero(cs, cs.sub(x, cs.constant(at)))] as const),
  ])
  for (const { at } of except) {
    const y = rescaledWithin(BigInt(at), ratio, lo, hi)
    if (y < lo || y > hi)
      throw new CircuitError('circuit/overflow', `rescale: the exception at ${at} leaves the window`)
  }
  // away from the exceptions it is the plain value, and at each of them one of those just checked
  return cs.proven(sum, lo, hi)
}

function withoutExceptions(cs: Builder, x: LC, ratio: Ratio, lo: bigint, hi: bigint): LC {
  const { p, r, q, even } = ratio
  if (x.range === null) throw new CircuitError('circuit/overflow', 'rescale: the value has no proven range')
  if (hi < lo) throw new CircuitError('circuit/overflow', `rescale: [${lo}, ${hi}] is empty`)
  if (![p, r, q].every(Number.isSafeInteger) || p < 1 || q < (even ? 2 : 1))
    throw new CircuitError('circuit/overflow', `rescale: (${p}·x + ${r}) / ${q} is no increasing ratio of integers`)
  const least = rescaled(x.range.lo, ratio)
  const most = rescaled(x.range.hi, ratio)
  const clamp = (t: bigint): bigint => (t < lo ? lo : t > hi ? hi : t)
  if (clamp(least) === clamp(most)) return cs.constant(clamp(least))

  const base = even && lo % 2n !== 0n && least < lo ? lo - 1n : lo
  const n = bitLength(hi - base)
  const M = (1n << BigInt(n)) - 1n
  const d = BigInt(q)
  const v = cs.combine([
    [p, x],
    [BigInt(r) - d * base, cs.ONE],
  ])
  const range = v.range as Range
  const floor = (k: bigint): bigint => (k >= 0n ? k / d : -((d - 1n - k) / d))
  const [from, to] = [floor(range.lo), floor(range.hi)]
  const signed = from < 0n
  // the parity of U is that of u only if the offset is even
  const width = signed ? Math.max(signedWidth({ lo: from, hi: to }), 2) : Math.max(bitLength(to), 1)
  const offset = signed ? d << BigInt(width - 1) : 0n
  if (d << BigInt(width) >= cs.F.p)
    throw new CircuitError('circuit/aliasing', `rescale: ${q}·2^${width} overflows the field of order ${cs.F.p}`)
  const shifted = cs.combine([
    [1, v],
    [offset, cs.ONE],
  ])
  const bits = quotientBits(cs, shifted, q, width)
  const rest = remainderBits(
    cs,
    cs.combine([
      [1, shifted],
      [-d, cs.fromBits(bits)],
    ]),
    q,
  )
  const positive = signed ? cs.bit(bits, width - 1) : cs.ONE
  const spelled = signed ? width - 1 : width
  let u = cs.fromBits(bits, 0, Math.min(n, spelled))
  if (even) {
    const low = cs.bit(bits, 0)
    const odd = base % 2n === 0n ? low : cs.sub(cs.ONE, low)
    u = cs.sub(u, cs.mul(allZero(cs, cs.ONE, rest, 0, rest.count), odd))
  }
  const bottom = least > base ? least : base
  let y: LC
  if (to <= M) {
    // no bit above the window's is set where positive = 1
    y = signed
      ? cs.mulAdd(positive, u, cs.constant(base), { lo: base, hi: most })
      : cs.proven(cs.add(u, cs.constant(base)), least, most)
  } else {
    // only ok·(u - M) matters, and ok = 1 makes the bits above the window's n zero
    const ok = allZero(cs, positive, bits, n, spelled)
    y = cs.mulAdd(ok, cs.sub(u, cs.constant(M)), cs.add(cs.scale(M, positive), cs.constant(base)), {
      lo: bottom,
      hi: base + M,
    })
  }
  const top = (y.range as Range).hi
  y = cs.proven(y, bottom, top < most ? top : most)
  if (base < lo) y = maximum(cs, y, cs.constant(lo))
  return (y.range as Range).hi > hi ? minimum(cs, y, cs.constant(hi)) : y
}

/** Booleans that the solver sets to the lowest bits of ⌊x/q⌋; nothing ties them to x yet. Rows: count. */
function quotientBits(cs: Builder, x: LC, q: number, count: number): Bits {
  const wires = cs.hint('quotientBits', [x], count, { params: [q], honest: { lo: 0n, hi: 1n } })
  for (const bit of wires) cs.assertMul(bit, bit, bit)
  return { first: wires[0]!.wires[0]!, count }
}
