import { isSalted, type Visibility } from '../compile.ts'
import { VeritensorError } from '../errors.ts'
import { R } from '../groth16/bn254.ts'
import { type IntegerModel, prepareInteger } from '../model/model.ts'
import { type Shape, sizeOf } from '../tensor.ts'
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

/** Salts of a sample: the given ones, or fresh ones. Throws VeritensorError `input/salt`. */
export function saltsFor(
  visibility: Visibility,
  model: IntegerModel,
  given: readonly (readonly bigint[])[] | undefined,
  sample: number,
): readonly bigint[] {
  const count = isSalted(visibility) ? model.inputs.length : 0
  if (given === undefined) return Array.from({ length: count }, randomSalt)
  const salts = given[sample] ?? []
  if (salts.length !== count || salts.some((salt) => salt < 0n || salt >= R))
    throw new VeritensorError('input/salt', `${salts.length} salts are given; the circuit takes ${count} in [0, r)`)
  return salts
}

/** A function from an inference to the openings of its commitments, in the order of the public signals. */
export function opener(
  visibility: Visibility,
  model: IntegerModel,
): (inputs: Float64Array, salts: readonly bigint[], statement: readonly PublicTensor[]) => Opening[] {
  const groups = layoutOf(visibility, model)
  const run = visibility.output === 'committed' ? prepareInteger(model) : undefined
  return (inputs, salts, statement) => {
    let from = 0
    const given = model.inputs.map(({ shape }) => {
      from += sizeOf(shape)
      return inputs.subarray(from - sizeOf(shape), from)
    })
    const values = run?.(given)
    const counts = { input: 0, output: 0 }
    return groups.flatMap(({ kind, name, shape, commitment }, g): Opening[] => {
      const i = counts[kind]++
      if (commitment === undefined) return []
      const elements = kind === 'input' ? given[i]! : values![model.outputs[i]!.value]!
      return [
        {
          ...{ kind, name, shape, lo: commitment.lo, hi: commitment.hi },
          ...(commitment.salted ? { salt: salts[i]! } : {}),
          integers: Array.from(elements, Number),
          digest: statement[g]!.digest!,
        },
      ]
    })
  }
}
