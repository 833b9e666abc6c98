/**
 * What operators ask of their inputs' types and constant values.
 * @module
 */
import { type DType, floatTypes, formatShape, type Shape, type Tensor, type TensorType } from '../tensor.ts'
import type { InferContext } from './op.ts'
import { InvalidNodeError, UnsupportedError } from './unsupported.ts'

/** Element types that arithmetic operators take. */
export const numericTypes: readonly DType[] = [
  ...floatTypes,
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
]

/** Type of an input that is present, because arity or an earlier check says so. */
export function typeAt({ node, types }: InferContext, i: number): TensorType {
  const type = types[i]
  if (type === undefined) throw new InvalidNodeError(node, `input ${i} is missing`)
  return type
}

/** Throws InvalidNodeError `why`. */
export function invalid({ node }: InferContext, why: string): never {
  throw new InvalidNodeError(node, why)
}

/** Throws UnsupportedError about an attribute or input. */
export function unsupported({ node }: InferContext, attribute: string, got: unknown, supported: string): never {
  throw new UnsupportedError({ node: node.name, op: node.op, attribute, got, supported })
}

/** Throws InvalidNodeError where there are more than n inputs: an older opset may take fewer than `arity` says. */
export function atMostInputs(context: InferContext, n: number): void {
  if (context.node.inputs.slice(n).some((name) => name !== ''))
    invalid(context, `opset ${context.node.opset} takes at most ${n} inputs, not ${context.node.inputs.length}`)
}

/** Type of input i, whose element type must be one of a few. */
export function typeOf(context: InferContext, i: number, allowed: readonly DType[]): TensorType {
  const type = typeAt(context, i)
  if (!allowed.includes(type.dtype)) unsupported(context, `type of input ${i}`, type.dtype, allowed.join(', '))
  return type
}

/** Type of input i, whose element type must be that of input 0. */
export function typeLikeFirst(context: InferContext, i: number): TensorType {
  const type = typeAt(context, i)
  const { dtype } = typeAt(context, 0)
  if (type.dtype !== dtype) invalid(context, `input ${i} is ${type.dtype} but input 0 is ${dtype}`)
  return type
}

/** Value of input i, undefined where it is left out. Throws UnsupportedError where it is computed at run time. */
export function constantAt(context: InferContext, i: number, what: string): Tensor | undefined {
  if (context.types[i] === undefined) return undefined
  const value = context.constants[i]
  if (value === undefined)
    unsupported(context, `input "${what}"`, context.node.inputs[i], 'constant values, not ones computed by the model')
  return value
}

/** Whole numbers of the constant input i (at most one axis), undefined where it is left out. */
export function constantInts(context: InferContext, i: number, what: string): number[] | undefined {
  const value = constantAt(context, i, what)
  if (value === undefined) return undefined
  if (value.shape.length > 1 || !value.data.every(Number.isInteger))
    invalid(context, `input "${what}" must be a list of whole numbers`)
  return [...value.data]
}

/** The number in the constant input i (one element), undefined where it is left out. */
export function constantScalar(context: InferContext, i: number, what: string): number | undefined {
  const value = constantAt(context, i, what)
  if (value === undefined) return undefined
  if (value.data.length !== 1)
    invalid(context, `input "${what}" must have one element, not ${formatShape(value.shape)}`)
  return value.data[0]!
}

/** An axis in [-rank, rank) as one in [0, rank). */
export function axisOf(context: InferContext, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    invalid(context, `axis ${axis} is outside a tensor of ${rank} axes`)
  return axis < 0 ? axis + rank : axis
}

/** Axes without repetition, each in [0, rank). */
export function axesOf(context: InferContext, axes: readonly number[], rank: number): number[] {
  const found = axes.map((axis) => axisOf(context, axis, rank))
  if (new Set(found).size !== found.length) invalid(context, `axes ${formatShape(axes)} repeat`)
  return found
}

/** A tensor of the input's element type. */
export const like = (type: TensorType, shape: Shape): TensorType => ({ dtype: type.dtype, shape })
