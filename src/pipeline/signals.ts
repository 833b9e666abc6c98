import type { Visibility } from '../compile.ts'
import { R } from '../groth16/bn254.ts'
import { checkPublicSignals } from '../groth16/verify.ts'
import { realOf } from '../model/floatOrder.ts'
import type { Encoding, Port } from '../model/model.ts'
import { type Shape, sizeOf } from '../tensor.ts'

/** A run of public signals that stand for one tensor: signal `from` + j is the residue of element j. */
export type SignalGroup = {
  readonly kind: 'output' | 'input'
  readonly name: string
  readonly shape: Shape
  readonly from: number
  readonly count: number
  /** Real value = scale · integer, unless there is an encoding. */
  readonly scale: number
  readonly encoding?: Encoding
}

type Ports = readonly Pick<Port, 'name' | 'shape' | 'scale' | 'encoding'>[]

/** The groups of public signals, outputs before inputs, as the circuit lays them out. */
export function signalLayout(visibility: Visibility, inputs: Ports, outputs: Ports): SignalGroup[] {
  const groups: SignalGroup[] = []
  let from = 0
  const add = (kind: SignalGroup['kind'], ports: Ports): void => {
    for (const { name, shape, scale, encoding } of ports) {
      const count = sizeOf(shape)
      groups.push({ kind, name, shape, from, count, scale, ...(encoding === undefined ? {} : { encoding }) })
      from += count
    }
  }
  if (visibility.output === 'public') add('output', outputs)
  if (visibility.input === 'public') add('input', inputs)
  return groups
}

/** What public signals say about one tensor. */
export type PublicTensor = {
  readonly kind: 'output' | 'input'
  readonly name: string
  readonly shape: Shape
  /** Elements in row-major order, in the model's own units. */
  readonly values: Float64Array
  /** The proved integers that they stand for, in (-r/2, r/2]. */
  readonly integers: readonly bigint[]
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
  return layout.map(({ kind, name, shape, from, count, ...port }) => {
    const integers = publicSignals.slice(from, from + count).map((s) => (s > R / 2n ? s - R : s))
    return { kind, name, shape, integers, values: Float64Array.from(integers, (q) => realOf(port, Number(q))) }
  })
}
