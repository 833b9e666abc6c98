/** A power of two with an odd factor of either sign. */
export type OddDigit = { readonly exponent: number; readonly digit: number }

/**
 * k ≥ 0 as a sum of digit·2^exponent, exponents ascending and at least `width` apart, digits odd and |digit| < 2^(width-1);
 * width ≥ 2, and 2 gives the non-adjacent form (Reitwiesner 1960; Solinas 2000).
 */
export function oddDigits(k: bigint, width: number): OddDigit[] {
  const digits: OddDigit[] = []
  const size = 2 ** width
  for (let exponent = 0, rest = k; rest > 0n; ) {
    const low = Number(BigInt.asUintN(width, rest))
    if (low % 2 === 0) {
      const zeros = low === 0 ? width : 31 - Math.clz32(low & -low)
      exponent += zeros
      rest >>= BigInt(zeros)
      continue
    }
    const digit = low < size / 2 ? low : low - size
    digits.push({ exponent, digit })
    rest -= BigInt(digit)
  }
  return digits
}
