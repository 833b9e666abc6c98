import { VeritensorError } from '../errors.ts'
import { R } from '../groth16/bn254.ts'
import { type IntegerModel, prepareInteger } from '../model/model.ts'
import type { Shape } from '../tensor.ts'
import { isSalted, outputVisibility, type Visibility } from '../visibility.ts'
import { randomSalt } from '../workers/salt.ts'
import { layoutOf, type PublicTensor, type SignalGroup } from './signals.ts'

/** What opens a commitment: `commitmentOf` makes the digest of it. */
export type Opening = {
  readonly kind: SignalGroup['kind']
  readonly name: string
  readonly shape: Shape
  /** Bounds of the integers. */
  readonly lo: number
  readonly hi: number
  /** In [0, r); absent where the commitment has none. */
  readonly salt?: bigint
  /** In row-major order. */
  readonly integers: readonly number[]
  readonly digest: bigint
}

/** Salts of a sample, one for each input whose digest has one: the given ones, or fresh ones. Throws VeritensorError `input/salt`. */
export function saltsFor(
  visibility: Visibility,
  model: IntegerModel,
  given: readonly bigint[] | undefined,
): readonly bigint[] {
  const count = model.inputs.filter((port) => isSalted(visibility, port)).length
  if (given === undefined) return Array.from({ length: count }, randomSalt)
  if (given.length !== count || given.some((salt) => salt < 0n || salt >= R))
    throw new VeritensorError('input/salt', `${given.length} salts are given; the circuit takes ${count} in [0, r)`)
  return given
}

/**
 * A function from an inference, its inputs and salts, to the openings of its commitments to inputs and outputs, in the order of
 * the public signals.
 */
export function opener(
  visibility: Visibility,
  model: IntegerModel,
  weights: readonly ArrayLike<number>[] = [],
): (inputs: readonly ArrayLike<number>[], salts: readonly bigint[], statement: readonly PublicTensor[]) => Opening[] {
  const groups = layoutOf(visibility, model)
  const salted = model.inputs.filter((port) => isSalted(visibility, port)).map(({ name }) => name)
  const runs = model.outputs.some((port) => outputVisibility(visibility, port) === 'committed')
  const run = runs ? prepareInteger(model) : undefined
  return (inputs, salts, statement) => {
    const values = run?.([...inputs, ...weights])
    return groups.flatMap(({ kind, name, shape, commitment }, g): Opening[] => {
      if (commitment?.lo === undefined || commitment.hi === undefined) return []
      const at = model[kind === 'input' ? 'inputs' : 'outputs'].findIndex((port) => port.name === name)
      const elements = kind === 'input' ? inputs[at]! : values![model.outputs[at]!.value]!
      return [
        {
          ...{ kind, name, shape, lo: commitment.lo, hi: commitment.hi },
          ...(commitment.salted ? { salt: salts[salted.indexOf(name)]! } : {}),
          integers: Array.from(elements, Number),
          digest: statement[g]!.digest!,
        },
      ]
    })
  }
}
