/**
 * The integer model: the specification of what is proved. It takes integers to integers; scales only say how they stand for
 * real numbers. Every value has bounds that follow from the inputs' bounds, so the result is the same in doubles, in bigint
 * and in the circuit.
 * @module
 */
import { type Arithmetic, bigints, numbers } from '../../circuits/arithmetic.ts'
import { VeritensorError } from '../errors.ts'
import { type Shape, sizeOf } from '../tensor.ts'
import type { Bounds, ValueId } from './layer.ts'
import { kindOf, type Layer } from './layers/index.ts'
import type { Weights } from './layers/weights.ts'

/** An input or output of a model: real value = scale · integer. */
export type Port = {
  /** Name in the ONNX graph. */
  readonly name: string
  readonly shape: Shape
  readonly scale: number
  readonly value: ValueId
  /** `even`: an input that the model quantises itself, x / scale in float32, halves to even, saturated. */
  readonly rounding?: 'even'
  /** How integers stand for real values where they are no multiples of the scale. */
  readonly encoding?: Encoding
}

/** `float32`: the integer is the number of the float among all floats (floatOrder.ts). */
export type Encoding = 'float32'

export type IntegerModel = {
  readonly name: string
  /** The integers that each input takes: [lo, hi], enforced by rows of the circuit. Value ids 0, 1, … */
  readonly inputs: readonly (Port & Bounds)[]
  /** Layer i makes value inputs.length + i from earlier values. */
  readonly layers: readonly Layer[]
  readonly outputs: readonly Port[]
  /** The graph that it was made of but for its weights, line by line, where weight sets give these. */
  readonly architecture?: readonly string[]
}

/** Bounds and size of every value. */
export type ValueInfo = Bounds & { readonly size: number; readonly peak: number }

/** A model's data contradict each other. */
export class ModelError extends VeritensorError {}

/**
 * Bounds and sizes of all values, by interval arithmetic. Throws ModelError `model/malformed` where a layer's data do not
 * fit, so that a model from a file is safe to run afterwards.
 */
export function analyse(model: IntegerModel): ValueInfo[] {
  const infos: ValueInfo[] = model.inputs.map(({ lo, hi, shape, name }) => {
    if (!Number.isSafeInteger(lo) || !Number.isSafeInteger(hi) || lo > hi || !isShape(shape))
      throw new ModelError('model/malformed', `input "${name}": bounds or shape are invalid`)
    return { lo, hi, size: sizeOf(shape), peak: Math.max(Math.abs(lo), Math.abs(hi)) }
  })
  for (const layer of model.layers) {
    const inputs = layer.inputs.map((id) => infos[id])
    try {
      if ((inputs.length === 0 && layer.kind !== 'weights') || inputs.some((x) => x === undefined))
        throw new RangeError('an input is not defined')
      if (!isShape(layer.shape)) throw new RangeError('the shape is invalid')
      const known = inputs as ValueInfo[]
      const kind = kindOf(layer)
      if (kind === undefined) throw new RangeError(`the kind "${(layer as Layer).kind}" is not known`)
      kind.validate(
        layer,
        known.map((x) => x.size),
      )
      infos.push({ ...kind.bounds(layer, known), size: sizeOf(layer.shape) })
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause
      throw new ModelError('model/malformed', `layer "${layer.name}" (${layer.kind}): ${cause.message}`, { cause })
    }
  }
  for (const { name, value, shape } of model.outputs)
    if (infos[value]?.size !== sizeOf(shape)) throw new ModelError('model/malformed', `output "${name}" is not defined`)
  return infos
}

const isShape = (shape: Shape): boolean => Array.isArray(shape) && shape.every((d) => Number.isInteger(d) && d > 0)

/** Whether every sum of the model is exact in doubles. */
export const fitsDoubles = (infos: readonly ValueInfo[]): boolean =>
  infos.every(({ peak }) => peak <= Number.MAX_SAFE_INTEGER)

/** The tensors that a weight set gives, in its order. */
export const weightsOf = ({ layers }: Pick<IntegerModel, 'layers'>): Weights[] =>
  layers.filter((layer) => layer.kind === 'weights')

/**
 * All values of the model over any arithmetic. `inputs` are those of the model, then the tensors of a weight set if it takes
 * one; `around` runs each layer, for labels.
 */
export function evaluateModel<T>(
  model: IntegerModel,
  A: Arithmetic<T>,
  inputs: readonly ArrayLike<T>[],
  around: (layer: Layer, body: () => ArrayLike<T>) => ArrayLike<T> = (_, body) => body(),
): ArrayLike<T>[] {
  const values = inputs.slice(0, model.inputs.length)
  let given = values.length
  for (const layer of model.layers) {
    const arguments_ = layer.kind === 'weights' ? [inputs[given++]!] : layer.inputs.map((id) => values[id]!)
    values.push(around(layer, () => kindOf(layer).run(A, layer, arguments_)))
  }
  return values
}

/**
 * The exact integer run of a model: a function from inputs, and the tensors of a weight set if it takes one, to every value. Doubles where they are exact, bigint otherwise.
 * Throws as `analyse` and `checkInputs` do.
 */
export function prepareInteger(
  model: IntegerModel,
): (inputs: readonly ArrayLike<number>[]) => ArrayLike<number | bigint>[] {
  const exact = fitsDoubles(analyse(model))
  return (inputs) => {
    checkInputs(model, inputs)
    if (!exact)
      return evaluateModel(
        model,
        bigints,
        inputs.map((x) => Array.from(x, BigInt)),
      )
    return evaluateModel(
      model,
      numbers,
      inputs.map((x) => Float64Array.from(x)),
    )
  }
}

/** `prepareInteger` for one run. */
export const runInteger = (model: IntegerModel, inputs: readonly ArrayLike<number>[]): ArrayLike<number | bigint>[] =>
  prepareInteger(model)(inputs)

/**
 * Throws ModelError `input/…` unless there is one array per input and tensor of weights, of the right length, of integers
 * within its bounds.
 */
export function checkInputs(model: IntegerModel, inputs: readonly ArrayLike<number>[]): void {
  const weights = weightsOf(model)
  const expected = model.inputs.length + weights.length
  if (inputs.length !== expected)
    throw new ModelError(
      'input/count',
      `the model takes ${expected} ${weights.length > 0 ? 'inputs and tensors of weights' : 'inputs'}, ${inputs.length} were given`,
    )
  for (const [i, of] of [...model.inputs, ...weights].entries())
    checkElements(i < model.inputs.length ? 'input' : 'weights', of, inputs[i]!)
}

/** Throws ModelError `input/…` unless there are as many integers as the shape says, all within the bounds. */
export function checkElements(
  kind: 'input' | 'weights',
  { name, lo, hi, shape }: Bounds & { readonly name: string; readonly shape: Shape },
  x: ArrayLike<number>,
): void {
  if (x.length !== sizeOf(shape))
    throw new ModelError('input/wrong-shape', `${kind} "${name}" has ${sizeOf(shape)} elements, ${x.length} were given`)
  for (let j = 0; j < x.length; j++) {
    const v = x[j]!
    if (!Number.isInteger(v) || v < lo || v > hi)
      throw new ModelError('input/out-of-range', `${kind} "${name}"[${j}] is ${v}, not an integer in [${lo}, ${hi}]`, {
        details: { [kind]: name, element: j, value: v, lo, hi },
      })
  }
}
