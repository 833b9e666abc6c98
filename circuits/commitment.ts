/**
 * Commitments to tensors of bounded integers: one field element that stands for all elements. docs/commitments.md is the
 * specification; the gadget `commit` proves what `commitmentOf` computes.
 * @module
 */
import { CircuitError } from './error.ts'
import { Fr } from './field.ts'
import { bitLength } from './lc.ts'
import { poseidonHash } from './poseidonHash.ts'

/** What a digest binds of a tensor besides its elements: their number, least value and width. */
export type TensorForm = {
  readonly count: number
  /** Bounds of every element, safe integers. */
  readonly lo: number
  readonly hi: number
}

/** Whether a random field element is hashed along, without which elements can be guessed from the digest. */
type Salted = { readonly salted: boolean }

/** The form of one tensor's commitment. */
export type CommitmentForm = TensorForm & Salted

/** The form of one commitment to several tensors. */
export type SetForm = Salted & { readonly tensors: readonly TensorForm[] }

/** Bits of a word of elements: 2²⁴⁸ < r/2, so that a word is an integer and has one decomposition. */
const WORD_BITS = 248
/** Elements of a permutation besides the running digest. */
const BLOCK = 15
/** "VTC1": the version of this encoding; "VTS1" for several tensors. */
const TAG = 0x56544331n
const SET_TAG = 0x56545331n

/** Bits that an element takes in a word, at least 1. */
export const elementBits = ({ lo, hi }: Pick<TensorForm, 'lo' | 'hi'>): number =>
  Math.max(1, bitLength(BigInt(hi) - BigInt(lo)))

/** Elements in a word. */
export const elementsPerWord = (form: Pick<TensorForm, 'lo' | 'hi'>): number =>
  Math.floor(WORD_BITS / elementBits(form))

/**
 * The element that the chain begins with: tag ‖ salted (8 bits) ‖ width (8) ‖ count (48) ‖ lo mod 2⁶⁴ (64). Different
 * forms have different domains, as far as words depend on them.
 *
 * Throws CircuitError `circuit/commitment` where bounds or count are no safe integers.
 */
export function commitmentDomain(form: CommitmentForm): bigint {
  const { count, lo, hi, salted } = form
  if (!Number.isSafeInteger(lo) || !Number.isSafeInteger(hi) || lo > hi)
    throw new CircuitError('circuit/commitment', `the bounds [${lo}, ${hi}] are not those of a commitment`)
  if (!Number.isSafeInteger(count) || count < 1 || count >= 2 ** 48)
    throw new CircuitError('circuit/commitment', `${count} elements can't be committed to`)
  const head = (((TAG << 8n) | (salted ? 1n : 0n)) << 8n) | BigInt(elementBits(form))
  return (((head << 48n) | BigInt(count)) << 64n) | BigInt.asUintN(64, BigInt(lo))
}

/** The parts of a list, each as long as asked but the last. */
export const chunks = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))

/** d ← hash([d, block…]) for every block of up to 15 elements, beginning with the domain. */
export const chain = <T>(domain: T, elements: readonly T[], hash: (inputs: readonly T[]) => T): T =>
  chunks(elements, BLOCK).reduce((digest, block) => hash([digest, ...block]), domain)

const refuse = (why: string): never => {
  throw new CircuitError('circuit/commitment', `commitment: ${why}`)
}

/** Words of a tensor's elements. Throws CircuitError `circuit/commitment`. */
function wordsOf(form: TensorForm, elements: ArrayLike<number | bigint>): bigint[] {
  if (elements.length !== form.count) refuse(`${elements.length} elements instead of ${form.count}`)
  const digits = Array.from(elements, (x, i) => {
    if (typeof x === 'number' && !Number.isInteger(x)) refuse(`element ${i} is ${x}, no integer`)
    if (x < form.lo || x > form.hi) refuse(`element ${i} is ${x}, outside [${form.lo}, ${form.hi}]`)
    return BigInt(x) - BigInt(form.lo)
  })
  const width = BigInt(elementBits(form))
  return chunks(digits, elementsPerWord(form)).map((word) =>
    word.reduceRight((sum, digit) => (sum << width) | digit, 0n),
  )
}

function checkSalt(salted: boolean, salt: bigint | undefined): void {
  if (salted !== (salt !== undefined)) refuse(salted ? 'the salt is missing' : 'the form has no salt')
  if (salt !== undefined && (salt < 0n || salt >= Fr.p)) refuse('the salt is no field element')
}

/**
 * The digest of a tensor's elements in row-major order, in [0, r). `salt`, an element of [0, r), belongs to salted forms.
 *
 * Throws CircuitError `circuit/commitment` for a wrong number of elements, one outside the bounds, or a salt that is
 * missing, needless or no field element.
 */
export function commitmentOf(form: CommitmentForm, elements: ArrayLike<number | bigint>, salt?: bigint): bigint {
  const domain = commitmentDomain(form)
  checkSalt(form.salted, salt)
  const words = wordsOf(form, elements)
  return chain(domain, salt === undefined ? words : [salt, ...words], poseidonHash)
}

/**
 * The element that the chain over several tensors begins with: tag ‖ salted (8 bits) ‖ number of tensors (56) ‖ number of
 * elements that are hashed after it (64).
 */
export function setDomain({ tensors, salted }: SetForm): bigint {
  const elements = tensors.reduce((n, form) => n + 1 + Math.ceil(form.count / elementsPerWord(form)), salted ? 1 : 0)
  const head = (SET_TAG << 8n) | (salted ? 1n : 0n)
  return (((head << 56n) | BigInt(tensors.length)) << 64n) | BigInt(elements)
}

/**
 * The digest of several tensors: one chain over, for each, the domain of its commitment without a salt and its words.
 * Throws as `commitmentOf`.
 */
export function setCommitmentOf(form: SetForm, tensors: readonly ArrayLike<number | bigint>[], salt?: bigint): bigint {
  checkSalt(form.salted, salt)
  if (tensors.length !== form.tensors.length) refuse(`${tensors.length} tensors instead of ${form.tensors.length}`)
  const elements = form.tensors.flatMap((of, i) => [
    commitmentDomain({ ...of, salted: false }),
    ...wordsOf(of, tensors[i]!),
  ])
  return chain(setDomain(form), salt === undefined ? elements : [salt, ...elements], poseidonHash)
}
