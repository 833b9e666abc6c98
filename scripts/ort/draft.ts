/**
 * Random models for comparison with onnxruntime: what recipes draw from, and the bytes that they become.
 * @module
 */
import { type AttributeSpec, encodeModel, type ModelSpec } from '../../src/graph/onnx.ts'
import { importGraph } from '../../src/pipeline/compileModel.ts'
import { type DType, integerRange, type Shape, sizeOf, type Tensor } from '../../src/tensor.ts'
import type { Random } from '../training/random.ts'

/** Attributes by name: a whole number is an int, another one a float. */
export type Attributes = Readonly<Record<string, number | readonly number[]>>

/** A model under construction: each method adds a part and gives its name. */
export type Draft = {
  readonly random: Random
  input(shape: Shape, dtype: DType): string
  constant(shape: Shape, values: Iterable<number>, dtype?: DType): string
  node(op: string, inputs: readonly string[], attributes?: Attributes): string
  /** A node of com.microsoft. */
  microsoft(op: string, inputs: readonly string[], attributes?: Attributes): string
}

/** Builds a model and gives the name of its output. */
export type Recipe = (draft: Draft) => string

/** A family of models: what it is called, its opset, and how to draw one. */
export type Family = {
  readonly name: string
  readonly opset?: number
  readonly recipe: Recipe
  /** From the same random numbers the same model, out of DequantizeLinear, operators of ONNX and QuantizeLinear. */
  readonly apart?: Recipe
}

/** The model that a recipe makes. */
export function draftModel(recipe: Recipe, opset: number, random: Random): Uint8Array {
  const inputs: { name: string; shape: Shape; dtype: DType }[] = []
  const nodes: ModelSpec['nodes'][number][] = []
  const initializers: Record<string, Tensor> = {}
  let count = 0
  const fresh = (kind: string): string => `${kind}${count++}`
  const add =
    (domain: string): Draft['node'] =>
    (op, given, attributes = {}) => {
      const y = fresh('y')
      const specs = Object.entries(attributes).map(([key, value]) => [key, specOf(value)] as const)
      nodes.push({ op, domain, inputs: given, outputs: [y], attributes: Object.fromEntries(specs) })
      return y
    }
  const name = recipe({
    random,
    input(shape, dtype) {
      const name = fresh('x')
      inputs.push({ name, shape, dtype })
      return name
    },
    constant(shape, values, dtype = 'float32') {
      const name = fresh('c')
      initializers[name] = { dtype, shape, data: Float64Array.from(values) }
      return name
    },
    node: add(''),
    microsoft: add('com.microsoft'),
  })
  const spec = { opset, opsets: { 'com.microsoft': 1 }, inputs, nodes, initializers }
  // onnxruntime wants to be told the type of the output
  const type = importGraph(encodeModel({ ...spec, outputs: [{ name }] })).types.get(name)!
  return encodeModel({ ...spec, outputs: [{ name, ...type }] })
}

function specOf(value: Attributes[string]): AttributeSpec {
  if (typeof value !== 'number') return { ints: value }
  return Number.isInteger(value) ? { int: value } : { float: value }
}

export const between = (random: Random, lo: number, hi: number): number => lo + random.below(hi - lo + 1)
export const pick = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)]!
export const chance = (random: Random, share: number): boolean => random.uniform() < share

/** Types of quantised tensors. */
export type Quantised = 'int8' | 'uint8' | 'int16' | 'uint16'

/** Scale and zero point: their values, and their names in the model. */
export type Grid = { readonly scale: number; readonly zero: number; readonly pair: readonly [string, string] }

/** A scale near `size`; now and then a power of two, which makes exact halves frequent. */
export function drawScale(random: Random, size: number): number {
  const drawn = size * 2 ** (2 * random.uniform() - 1)
  return chance(random, 0.25) ? 2 ** Math.round(Math.log2(drawn)) : Math.fround(drawn)
}

/** An end of the type's range, its middle, or anything. */
export function drawZero(random: Random, dtype: Quantised): number {
  const [lo, hi] = integerRange(dtype)!
  const middle = (lo + hi + 1) / 2
  return pick(random, [lo, middle, middle, between(random, lo, hi)])
}

/** One grid for a whole tensor. */
export function grid({ random, constant }: Draft, dtype: Quantised, size: number): Grid {
  const [scale, zero] = [drawScale(random, size), drawZero(random, dtype)]
  return { scale, zero, pair: [constant([], [scale]), constant([], [zero], dtype)] }
}

/** Names of scales and zero points in a tensor of some shape; zero points are drawn, or all the given one. */
export function grids(
  { random, constant }: Draft,
  dtype: Quantised,
  size: number,
  shape: Shape,
  zero?: number,
): readonly [string, string] {
  const count = sizeOf(shape)
  const scales = Array.from({ length: count }, () => drawScale(random, size))
  const zeros = Array.from({ length: count }, () => zero ?? drawZero(random, dtype))
  return [constant(shape, scales), constant(shape, zeros, dtype)]
}

/** A constant of uniform integers of the type. */
export function integers({ random, constant }: Draft, shape: Shape, dtype: Quantised): string {
  const [lo, hi] = integerRange(dtype)!
  const values = Array.from({ length: sizeOf(shape) }, () => between(random, lo, hi))
  return constant(shape, values, dtype)
}

/** A constant of int32 biases. */
export const biases = ({ random, constant }: Draft, count: number): string =>
  constant(
    [count],
    Array.from({ length: count }, () => between(random, -9000, 9000)),
    'int32',
  )

/**
 * Random inputs of a model: uniform over an integer type; floats over and beyond what the model quantises to, among them halves
 * of steps.
 */
export function drawInput(
  random: Random,
  { shape, dtype }: { readonly shape: Shape; readonly dtype: DType },
  { scale, lo, hi }: { readonly scale: number; readonly lo: number; readonly hi: number },
): Tensor {
  const [least, most] = integerRange(dtype) ?? [lo, hi]
  const draw = (): number => {
    if (integerRange(dtype) !== undefined) return least + Math.floor(random.uniform() * (most - least + 1))
    const at = chance(random, 0.3) ? between(random, lo, hi) + 0.5 : lo + (1.1 * random.uniform() - 0.05) * (hi - lo)
    return Math.fround(at * scale)
  }
  return { dtype, shape, data: Float64Array.from({ length: sizeOf(shape) }, draw) }
}
