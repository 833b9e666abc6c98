import type { Builder } from '../builder.ts'
import { chain } from '../commitment.ts'
import { compressedLength, compressionDomain, elementBytes, type TensorForm, WORD_BYTES } from '../compression.ts'
import { CircuitError } from '../error.ts'
import { bitLength, type LC } from '../lc.ts'
import { bitsOfRange } from './bits.ts'
import { poseidon } from './poseidon.ts'

/** A non-negative value and the units (bytes) that it takes. */
export type Digits = { readonly value: LC; readonly units: number }

/**
 * Values in a row of units (bytes, of 8 bits), most significant unit first, cut into words of `perWord` units; the last word
 * is filled with zeros on the right.
 *
 * Proves: the words are those of the values. A value that lies across two words is split: its bits are unique, and each
 * part is a sum of its own bits.
 * Requires: every value has a proven range [0, hi] with hi below 2^(unitBits·units); 2^(unitBits·perWord) - 1 ≤ p/2.
 * Cost: a row for each word of more than one value, and n + 1 for each value of n bits that is split.
 */
export function packWords(cs: Builder, values: readonly Digits[], perWord = WORD_BYTES, unitBits = 8): LC[] {
  const words: LC[] = []
  let parts: (readonly [bigint, LC])[] = []
  let room = perWord
  const place = (value: LC, units: number): void => {
    room -= units
    parts.push([1n << BigInt(unitBits * room), value])
    if (room > 0) return
    finish()
  }
  const finish = (): void => {
    // combinations of many wires would weigh on three rows of the first S-box
    words.push(cs.materialise(cs.combine(parts)))
    parts = []
    room = perWord
  }
  for (const { value, units } of values) {
    const { range } = value
    if (range === null || range.lo < 0n || bitLength(range.hi) > unitBits * units || units > perWord)
      throw new CircuitError('circuit/compression', `packWords: a value is not proven to fit ${units} units`)
    if (units <= room) place(value, units)
    else {
      const bits = bitsOfRange(cs, value)
      const rest = units - room
      const cut = Math.min(rest * unitBits, bits.count)
      place(cs.fromBits(bits, cut), room)
      place(cs.fromBits(bits, 0, cut), rest)
    }
  }
  if (parts.length > 0) finish()
  return words
}

/**
 * e = start·r^W + w₀·r^(W-1) + … + w_(W-1), Horner's rule from the highest power on.
 *
 * Proves: the result is that field element. r and the words may be any. Cost: W - 1 rows.
 */
export function horner(cs: Builder, start: number, words: readonly LC[], r: LC): LC {
  // field elements, not integers: ranges are dropped
  const field = (x: LC): LC => ({ ...x, range: null })
  return words.reduce((sum, word) => cs.mulAdd(sum, field(r), field(word)), field(cs.constant(start)))
}

/**
 * Digest and evaluation of tensors, equal to `digestOf` and `evaluate` of their bytes.
 *
 * Proves: y is Poseidon's chain over the words of X, e their polynomial at r. X determines its words and they determine it,
 * since its length is fixed, its elements are proven to lie within their bounds, and words are below 2²⁴⁸ < r.
 * Requires: every element has a proven range within its form's bounds. Throws CircuitError `circuit/compression` otherwise.
 * Cost: what `packWords`, `horner` and the digest take: `poseidon` for each block of 15 words.
 */
export function compress(
  cs: Builder,
  tensors: readonly { readonly elements: ArrayLike<LC>; readonly form: TensorForm }[],
  r: LC,
): { readonly y: LC; readonly e: LC } {
  const digits = tensors.flatMap(({ elements, form }): Digits[] => {
    const [lo, hi, units] = [BigInt(form.lo), BigInt(form.hi), elementBytes(form)]
    if (elements.length !== form.count)
      throw new CircuitError('circuit/compression', `compress: ${elements.length} elements instead of ${form.count}`)
    return Array.from(elements, (x, i) => {
      if (x.range === null || x.range.lo < lo || x.range.hi > hi)
        throw new CircuitError('circuit/compression', `compress: element ${i} is not proven to lie in [${lo}, ${hi}]`)
      const value = cs.combine([
        [1, x],
        [-lo, cs.ONE],
      ])
      return { value, units }
    })
  })
  const length = compressedLength(tensors.map(({ form }) => form))
  const words = packWords(cs, digits)
  const y = chain(cs.constant(compressionDomain(length)), words, (inputs) => poseidon(cs, inputs))
  return { y, e: horner(cs, length, words, r) }
}
