import { compressedLength, decodeTensors } from '../../circuits/compression.ts'
import { CircuitError } from '../../circuits/error.ts'
import { VeritensorError } from '../errors.ts'
import { R } from '../groth16/bn254.ts'
import { ProofFormatError } from '../groth16/keys.ts'
import { checkPublicSignals } from '../groth16/verify.ts'
import { realOf } from '../model/floatOrder.ts'
import type { Bounds } from '../model/layer.ts'
import { analyse, type Encoding, type IntegerModel, type Port, weightsOf } from '../model/model.ts'
import { type Shape, sizeOf } from '../tensor.ts'
import {
  COMPRESSED_SIGNALS,
  inputVisibility,
  isSalted,
  outputVisibility,
  type Visibility,
  weightVisibility,
} from '../visibility.ts'

/**
 * How a digest is made (docs/commitments.md): of a tensor whose elements lie in [lo, hi], or, without bounds, of all tensors of
 * weights.
 */
export type Commitment = Partial<Bounds> & { readonly salted: boolean }

/**
 * A run of public signals that stand for one tensor: signal `from` + j is the residue of element j; of a committed tensor
 * the only signal is its digest.
 */
export type SignalGroup = {
  readonly kind: 'output' | 'input' | 'weights'
  readonly name: string
  readonly shape: Shape
  readonly from: number
  readonly count: number
  /** Real value = scale · integer, unless there is an encoding. */
  readonly scale: number
  readonly encoding?: Encoding
  readonly commitment?: Commitment
  /** With input compression, of a public tensor: no signal (`count` is 0) but bytes `from` … of X (docs/input-compression.md). */
  readonly bytes?: Bounds & { readonly from: number; readonly count: number }
}

type Ports = readonly (Pick<Port, 'name' | 'shape' | 'scale' | 'encoding'> & Partial<Bounds>)[]

/** Name of the digest of all weights. */
export const WEIGHTS = 'weights'

/** Number of bytes of X; 0 without input compression. */
export const byteCount = (layout: readonly SignalGroup[]): number =>
  layout.reduce((n, { bytes }) => n + (bytes?.count ?? 0), 0)

/** Number of public signals. */
export const signalCount = (layout: readonly SignalGroup[]): number =>
  layout.reduce((n, { count }) => n + count, layout.some(({ bytes }) => bytes !== undefined) ? COMPRESSED_SIGNALS : 0)

/**
 * The groups of public signals as the circuit lays them out, behind y, r, e where public tensors are compressed: outputs, the digest of the weights, digests of committed inputs,
 * public inputs, public weights. Committed tensors need bounds, which outputs of a model get by `outputPorts`; throws
 * VeritensorError `model/malformed` where there are none.
 */
export function signalLayout(
  visibility: Visibility,
  inputs: Ports,
  outputs: Ports,
  weights: Ports = [],
): SignalGroup[] {
  const groups: SignalGroup[] = []
  const seenWeights = weightVisibility(visibility)
  const next = (): number => groups.reduce((n, { count }) => n + count, visibility.compressed ? COMPRESSED_SIGNALS : 0)
  const add = (kind: SignalGroup['kind'], port: Ports[number], commitment: Pick<Commitment, 'salted'> | undefined) => {
    const { name, shape, scale, encoding, lo, hi } = port
    const group = { kind, name, shape, from: next(), scale, ...(encoding === undefined ? {} : { encoding }) }
    if (commitment === undefined && !visibility.compressed) {
      groups.push({ ...group, count: sizeOf(shape) })
      return
    }
    if (lo === undefined || hi === undefined)
      throw new VeritensorError('model/malformed', `${kind} "${name}" is committed or compressed and has no bounds`)
    if (commitment !== undefined) groups.push({ ...group, count: 1, commitment: { lo, hi, ...commitment } })
    else {
      const form = { count: sizeOf(shape), lo, hi }
      groups.push({ ...group, count: 0, bytes: { lo, hi, from: byteCount(groups), count: compressedLength([form]) } })
    }
  }
  for (const port of outputs) {
    const seen = outputVisibility(visibility, port)
    if (seen !== 'private') add('output', port, seen === 'committed' ? { salted: false } : undefined)
  }
  if (seenWeights === 'committed' || seenWeights === 'private') {
    const shape = [weights.reduce((n, port) => n + sizeOf(port.shape), 0)]
    const commitment = { salted: seenWeights === 'private' }
    groups.push({ kind: 'weights', name: WEIGHTS, shape, from: next(), count: 1, scale: 1, commitment })
  }
  for (const port of inputs)
    if (inputVisibility(visibility, port) === 'committed') add('input', port, { salted: isSalted(visibility, port) })
  for (const port of inputs) if (inputVisibility(visibility, port) === 'public') add('input', port, undefined)
  if (seenWeights === 'public') for (const port of weights) add('weights', port, undefined)
  return groups
}

/** The outputs of a model, those that are committed or compressed with the bounds of their integers. Throws as `analyse` does. */
export function outputPorts(visibility: Visibility, model: IntegerModel): (Port & Partial<Bounds>)[] {
  const infos = analyse(model)
  return model.outputs.map((port) => {
    const seen = outputVisibility(visibility, port)
    if (seen !== 'committed' && !(visibility.compressed && seen === 'public')) return port
    const { lo, hi } = infos[port.value]!
    return { ...port, lo, hi }
  })
}

/** The groups of public signals of a model's circuit. */
export const layoutOf = (visibility: Visibility, model: IntegerModel): SignalGroup[] =>
  signalLayout(visibility, model.inputs, outputPorts(visibility, model), weightsOf(model))

/** A field element as text, 64 digits long. */
export const hex = (x: bigint): string => `0x${x.toString(16).padStart(64, '0')}`

/** What public signals say about one tensor. */
export type PublicTensor = {
  readonly kind: SignalGroup['kind']
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
 * Public signals in the model's own units, and X where public tensors are compressed. They mean nothing until the proof is
 * verified.
 *
 * Throws ProofFormatError where their number is not that of the layout, one is not in [0, r), or X is missing, needless or
 * stands for no tensors.
 */
export function readSignals(
  layout: readonly SignalGroup[],
  publicSignals: readonly bigint[],
  x?: Uint8Array,
): PublicTensor[] {
  checkPublicSignals(publicSignals, signalCount(layout))
  const compressed = layout.filter(({ bytes }) => bytes !== undefined)
  if ((x !== undefined) !== compressed.length > 0)
    throw new ProofFormatError(
      'malformed',
      x === undefined ? 'the bytes of the public tensors are missing' : 'bytes of public tensors are not expected',
    )
  const tensors = x === undefined ? [] : decodeBytes(compressed, x)
  return layout.map((group) => {
    const { kind, name, shape, from, count, commitment, bytes, ...port } = group
    if (commitment !== undefined)
      return { kind, name, shape, integers: [], values: new Float64Array(), digest: publicSignals[from]! }
    const integers =
      bytes === undefined
        ? publicSignals.slice(from, from + count).map((s) => (s > R / 2n ? s - R : s))
        : tensors[compressed.indexOf(group)]!
    return { kind, name, shape, integers, values: Float64Array.from(integers, (q) => realOf(port, Number(q))) }
  })
}

/** The tensors that X stands for. Throws ProofFormatError. */
function decodeBytes(compressed: readonly SignalGroup[], x: Uint8Array): bigint[][] {
  const forms = compressed.map(({ shape, bytes }) => ({ count: sizeOf(shape), lo: bytes!.lo, hi: bytes!.hi }))
  try {
    return decodeTensors(forms, x)
  } catch (error) {
    if (error instanceof CircuitError) throw new ProofFormatError('malformed', error.message)
    throw error
  }
}
