/**
 * Input compression: the public tensors of an inference as bytes X, and what the circuit says about them. The specification
 * and its argument are docs/input-compression.md; the gadget `compress` proves what `digestOf` and `evaluate` compute, and
 * verifier-contracts/libraries has the same in Solidity.
 * @module
 */
import { chain } from './commitment.ts'
import { CircuitError } from './error.ts'
import { Fr } from './field.ts'
import { bitLength } from './lc.ts'
import { poseidonHash } from './poseidonHash.ts'

/** A tensor's elements: how many, and the integers that each lies between. */
export type TensorForm = { readonly count: number; readonly lo: number; readonly hi: number }

/** Bytes of X in a word: 2²⁴⁸ < r, so that a word is an integer and its bytes are determined. */
export const WORD_BYTES = 31
/** "VTX1": the version of the digest. */
const TAG = 0x56545831n

const refuse = (why: string): never => {
  throw new CircuitError('circuit/compression', `input compression: ${why}`)
}

/**
 * Bytes of an element: the least number, from 1 to 31, in which hi - lo fits.
 *
 * Throws CircuitError `circuit/compression` where bounds are no safe integers.
 */
export function elementBytes({ lo, hi }: Pick<TensorForm, 'lo' | 'hi'>): number {
  if (!Number.isSafeInteger(lo) || !Number.isSafeInteger(hi) || lo > hi)
    refuse(`the bounds [${lo}, ${hi}] are no tensor's`)
  return Math.max(1, Math.ceil(bitLength(BigInt(hi) - BigInt(lo)) / 8))
}

/** Number of bytes of X. Throws as `elementBytes`. */
export const compressedLength = (forms: readonly TensorForm[]): number =>
  forms.reduce((sum, form) => sum + form.count * elementBytes(form), 0)

/**
 * X: all elements of all tensors in order, each as element - lo in big-endian bytes.
 *
 * Throws CircuitError `circuit/compression` for another number of elements, or one outside the bounds.
 */
export function encodeTensors(
  forms: readonly TensorForm[],
  tensors: readonly ArrayLike<number | bigint>[],
): Uint8Array {
  const bytes = new Uint8Array(compressedLength(forms))
  let at = 0
  if (tensors.length !== forms.length) refuse(`${tensors.length} tensors instead of ${forms.length}`)
  for (const [t, form] of forms.entries()) {
    const [elements, width] = [tensors[t]!, elementBytes(form)]
    if (elements.length !== form.count) refuse(`tensor ${t} has ${elements.length} elements instead of ${form.count}`)
    for (let i = 0; i < form.count; i++) {
      const x = elements[i]!
      if ((typeof x === 'number' && !Number.isInteger(x)) || x < form.lo || x > form.hi)
        refuse(`element ${i} of tensor ${t} is ${x}, not an integer in [${form.lo}, ${form.hi}]`)
      let digits = BigInt(x) - BigInt(form.lo)
      for (let k = width - 1; k >= 0; k--, digits >>= 8n) bytes[at + k] = Number(digits & 255n)
      at += width
    }
  }
  return bytes
}

/**
 * The elements of X, tensor by tensor.
 *
 * Throws CircuitError `circuit/compression` for another number of bytes, or an element beyond its bounds.
 */
export function decodeTensors(forms: readonly TensorForm[], bytes: Uint8Array): bigint[][] {
  const length = compressedLength(forms)
  if (bytes.length !== length) refuse(`${bytes.length} bytes instead of ${length}`)
  let at = 0
  return forms.map((form, t) => {
    const [width, lo, hi] = [elementBytes(form), BigInt(form.lo), BigInt(form.hi)]
    return Array.from({ length: form.count }, (_, i) => {
      let digits = 0n
      for (let k = 0; k < width; k++) digits = (digits << 8n) | BigInt(bytes[at + k]!)
      at += width
      if (lo + digits > hi) refuse(`element ${i} of tensor ${t} is ${lo + digits}, outside [${lo}, ${hi}]`)
      return lo + digits
    })
  })
}

/** X as words of 31 bytes, big-endian, the last one filled with zeros on the right. */
export const wordsOf = (bytes: Uint8Array): bigint[] =>
  Array.from({ length: Math.ceil(bytes.length / WORD_BYTES) }, (_, w) => {
    const word = bytes.subarray(w * WORD_BYTES, (w + 1) * WORD_BYTES)
    return BigInt(
      `0x${Buffer.from(word)
        .toString('hex')
        .padEnd(2 * WORD_BYTES, '0')}`,
    )
  })

/** The element that the digest's chain begins with: tag and number of bytes (64 bits). */
export const compressionDomain = (length: number): bigint => (TAG << 64n) | BigInt(length)

/** y: the Poseidon chain of `commitmentOf` over the words of X, with a beginning of its own. In [0, r). */
export const digestOf = (bytes: Uint8Array): bigint =>
  chain(compressionDomain(bytes.length), wordsOf(bytes), poseidonHash)

/** e: the polynomial with the coefficients length, w₀, w₁, … (highest power first) at r. In [0, r). */
export const evaluate = (bytes: Uint8Array, r: bigint): bigint =>
  wordsOf(bytes).reduce((sum, word) => Fr.mod(sum * r + word), BigInt(bytes.length))
