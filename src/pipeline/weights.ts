import { setCommitmentOf } from '../../circuits/commitment.ts'
import { type WeightValues, weightsForm } from '../compile.ts'
import { VeritensorError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Bounds } from '../model/layer.ts'
import { checkElements, type IntegerModel, weightsOf } from '../model/model.ts'
import { weightsOfGraph } from '../quantise/openWeights.ts'
import { type Shape, sizeOf } from '../tensor.ts'
import { type Visibility, weightVisibility } from '../visibility.ts'
import { randomSalt } from '../workers/salt.ts'
import type { PublicTensor } from './signals.ts'

/** The weights of one model of an architecture, and the digest that public signals tell them by. */
export type WeightSet = WeightValues & {
  /** In [0, r). Of public weights, which are signals themselves, the digest that committed ones would have. */
  readonly digest: bigint
}

/**
 * A weight set of integers. The salt, which private weights have, is drawn where it is not given.
 *
 * Throws ModelError `input/…` where the integers are not those that the model takes, and CircuitError `circuit/commitment`
 * for a salt that is needless or no field element.
 */
export function weightSetOf(
  model: IntegerModel,
  visibility: Visibility,
  integers: readonly ArrayLike<number>[],
  salt: bigint | undefined = weightVisibility(visibility) === 'private' ? randomSalt() : undefined,
): WeightSet {
  const tensors = weightsOf(model)
  if (tensors.length === 0) throw fixedWeights()
  if (integers.length !== tensors.length)
    throw new VeritensorError('input/count', `${integers.length} tensors of weights instead of ${tensors.length}`)
  for (const [i, tensor] of tensors.entries()) checkElements('weights', tensor, integers[i]!)
  const digest = setCommitmentOf(weightsForm(model, visibility), integers, salt)
  return { integers, digest, ...(salt === undefined ? {} : { salt }) }
}

/** The weight set of another model of the same architecture. Throws as `weightsOfGraph` and `weightSetOf`. */
export const weightSetOfGraph = (
  { model, visibility }: { readonly model: IntegerModel; readonly visibility: Visibility },
  graph: Graph,
  salt?: bigint,
): WeightSet => weightSetOf(model, visibility, weightsOfGraph(model, graph), salt)

/** The weights that go with a model, if it takes any. Throws VeritensorError `input/weights`, `usage/weights`. */
export function weightsFor(model: IntegerModel, weights: WeightSet | undefined): WeightSet | undefined {
  const needed = weightsOf(model).length > 0
  if (!needed && weights !== undefined) throw fixedWeights()
  if (needed && weights === undefined)
    throw new VeritensorError('input/weights', 'the circuit takes a weight set, and none is given')
  return weights
}

/** The refusal of a weight set where weights are constants of the circuit. */
export const fixedWeights = (): VeritensorError =>
  new VeritensorError('usage/weights', 'the weights of this circuit are fixed: it takes no others', {
    fix: 'compile with --weights committed, private or public',
  })

/**
 * The digest of the weights that public signals tell of; undefined where weights are fixed, and where they are public and
 * not all within their bounds, which no valid proof has.
 */
export function statedWeights(
  tensors: readonly (Bounds & { readonly shape: Shape })[],
  statement: readonly PublicTensor[],
): bigint | undefined {
  const stated = statement.filter(({ kind }) => kind === 'weights')
  if (stated.length === 0) return undefined
  if (stated[0]!.digest !== undefined) return stated[0]!.digest
  const forms = tensors.map(({ shape, lo, hi }) => ({ count: sizeOf(shape), lo, hi }))
  const within = stated.every(({ integers }, t) => integers.every((q) => q >= forms[t]!.lo && q <= forms[t]!.hi))
  if (!within) return undefined
  return setCommitmentOf(
    { tensors: forms, salted: false },
    stated.map(({ integers }) => integers),
  )
}
