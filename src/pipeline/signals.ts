import { isSalted, type TensorVisibility, type Visibility } from '../compile.ts'
import { VeritensorError } from '../errors.ts'
import { R } from '../groth16/bn254.ts'
import { checkPublicSignals } from '../groth16/verify.ts'
import { realOf } from '../model/floatOrder.ts'
import type { Bounds } from '../model/layer.ts'
import { analyse, type Encoding, type IntegerModel, type Port } from '../model/model.ts'
import { type Shape, sizeOf } from '../tensor.ts'

/** How the digest of a tensor is made (docs/commitments.md): its elements lie in [lo, hi]. */
export type Commitment = Bounds & { readonly salted: boolean }

/**
 * A run of public signals that stand for one tensor: signal `from` + j is the residue of element j; of a committed tensor
 * the only signal is its digest.
 */
export type SignalGroup = {
  readonly kind: 'output' | 'input'
  readonly name: string
  readonly shape: Shape
  readonly from: number
  readonly count: number
  /** Real value = scale · integer, unless there is an encoding. */
  readonly scale: number
  readonly encoding?: Encoding
  readonly commitment?: Commitment
}

type Ports = readonly (Pick<Port, 'name' | 'shape' | 'scale' | 'encoding'> & Partial<Bounds>)[]

/**
 * The groups of public signals, outputs before inputs, as the circuit lays them out. Committed tensors need bounds, which
 * outputs of a model get by `withBounds`; throws VeritensorError `model/malformed` where there are none.
 */
export function signalLayout(visibility: Visibility, inputs: Ports, outputs: Ports): SignalGroup[] {
  const groups: SignalGroup[] = []
  let from = 0
  const add = (kind: SignalGroup['kind'], ports: Ports, seen: TensorVisibility, salted: boolean): void => {
    if (seen === 'private') return
    for (const { name, shape, scale, encoding, lo, hi } of ports) {
      const group = { kind, name, shape, from, scale, ...(encoding === undefined ? {} : { encoding }) }
      if (seen === 'public') groups.push({ ...group, count: sizeOf(shape) })
      else if (lo === undefined || hi === undefined)
        throw new VeritensorError('model/malformed', `${kind} "${name}" is committed and has no bounds`)
      else groups.push({ ...group, count: 1, commitment: { lo, hi, salted } })
      from += groups.at(-1)!.count
    }
  }
  add('output', outputs, visibility.output, false)
  add('input', inputs, visibility.input, isSalted(visibility))
  return groups
}

/** The outputs of a model with the bounds of their integers. Throws as `analyse` does. */
export function withBounds(model: IntegerModel): (Port & Bounds)[] {
  const infos = analyse(model)
  return model.outputs.map((port) => ({ ...port, lo: infos[port.value]!.lo, hi: infos[port.value]!.hi }))
}

/** The groups of public signals of a model's circuit. */
export const layoutOf = (visibility: Visibility, model: IntegerModel): SignalGroup[] =>
  signalLayout(visibility, model.inputs, visibility.output === 'committed' ? withBounds(model) : model.outputs)

/** What public signals say about one tensor. */
export type PublicTensor = {
  readonly kind: 'output' | 'input'
  readonly name: string
  readonly shape: Shape
  /** Elements in row-major order, in the model's own units; none of a committed tensor. */
  readonly values: Float64Array
  /** The proved integers that they stand for, in (-r/2, r/2]. */
  readonly integers: readonly bigint[]
  /** Of a committed tensor, in [0, r). */
  readonly digest?: bigint
}

/**
 * Public signals in the model's own units. They mean nothing until the proof is verified.
 *
 * Throws ProofFormatError where their number is not that of the layout, or one is not in [0, r).
 */
export function readSignals(layout: readonly SignalGroup[], publicSignals: readonly bigint[]): PublicTensor[] {
  checkPublicSignals(
    publicSignals,
    layout.reduce((n, { count }) => n + count, 0),
  )
  return layout.map(({ kind, name, shape, from, count, commitment, ...port }) => {
    if (commitment !== undefined)
      return { kind, name, shape, integers: [], values: new Float64Array(), digest: publicSignals[from]! }
    const integers = publicSignals.slice(from, from + count).map((s) => (s > R / 2n ? s - R : s))
    return { kind, name, shape, integers, values: Float64Array.from(integers, (q) => realOf(port, Number(q))) }
  })
}
