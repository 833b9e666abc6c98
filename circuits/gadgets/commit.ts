import type { Builder } from '../builder.ts'
import {
  type CommitmentForm,
  chain,
  chunks,
  commitmentDomain,
  elementBits,
  elementsPerWord,
  type SetForm,
  setDomain,
  type TensorForm,
} from '../commitment.ts'
import { CircuitError } from '../error.ts'
import type { LC } from '../lc.ts'
import { poseidon } from './poseidon.ts'

/**
 * The commitment to a tensor's elements, equal to `commitmentOf`.
 *
 * Proves: the result is that digest of the integers that the elements stand for, and of the salt. Elements go into words as
 * digits x - lo in base 2ʷ, w the bits of hi - lo. Every digit is proven to lie in [0, 2ʷ) and a word is below 2²⁴⁸ < r, so
 * that a word's residue has one integer and that one sequence of digits; number, width and lo are hashed first. Two
 * different tensors with one digest are thus a collision of Poseidon.
 * Requires: every element has a proven range within the form's bounds. Throws CircuitError `circuit/commitment` otherwise.
 * Cost: a row for each word and what `poseidon` takes: for blocks of 15 words, the salt counting as one.
 */
export function commit(cs: Builder, elements: readonly LC[], form: CommitmentForm, salt?: LC): LC {
  checkSalt(form.salted, salt)
  const words = wordsOf(cs, elements, form)
  const domain = cs.constant(commitmentDomain(form))
  return chain(domain, salt === undefined ? words : [salt, ...words], (inputs) => poseidon(cs, inputs))
}

/**
 * The commitment to several tensors, equal to `setCommitmentOf`.
 *
 * Proves: that digest, as `commit` does. What is hashed first fixes the number of tensors, and the domain before each tensor
 * its number of words, so that two different lists of tensors are hashed from different elements.
 * Requires and throws as `commit`. Cost: the same, with one more word for each tensor, a constant.
 */
export function commitSet(cs: Builder, tensors: readonly (readonly LC[])[], form: SetForm, salt?: LC): LC {
  checkSalt(form.salted, salt)
  if (tensors.length !== form.tensors.length)
    throw new CircuitError('circuit/commitment', 'commitSet: the tensors are not those of the form')
  const elements = form.tensors.flatMap((of, i) => [
    cs.constant(commitmentDomain({ ...of, salted: false })),
    ...wordsOf(cs, tensors[i]!, of),
  ])
  const domain = cs.constant(setDomain(form))
  return chain(domain, salt === undefined ? elements : [salt, ...elements], (inputs) => poseidon(cs, inputs))
}

function checkSalt(salted: boolean, salt: LC | undefined): void {
  if (salted !== (salt !== undefined))
    throw new CircuitError('circuit/commitment', 'commit: the salt is missing, or the form has none')
}

/** Words of a tensor's elements, each a wire. */
function wordsOf(cs: Builder, elements: readonly LC[], form: TensorForm): LC[] {
  if (elements.length !== form.count)
    throw new CircuitError('circuit/commitment', 'commit: the elements are not those of the form')
  const [lo, hi] = [BigInt(form.lo), BigInt(form.hi)]
  for (const [i, { range }] of elements.entries())
    if (range === null || range.lo < lo || range.hi > hi)
      throw new CircuitError('circuit/commitment', `commit: element ${i} is not proven to lie in [${lo}, ${hi}]`)
  const width = BigInt(elementBits(form))
  return chunks(elements, elementsPerWord(form)).map((word) => {
    const offset = word.reduce((sum, _, i) => sum - (lo << (width * BigInt(i))), 0n)
    const digits = word.map((x, i) => [1n << (width * BigInt(i)), x] as const)
    // combinations of many wires would weigh on three rows of the first S-box
    return cs.materialise(cs.combine([...digits, [offset, cs.ONE]]))
  })
}
