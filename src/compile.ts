import { constraints } from '../circuits/arithmetic.ts'
import { type Builder, createBuilder } from '../circuits/builder.ts'
import type { Circuit } from '../circuits/circuit.ts'
import { CircuitError } from '../circuits/error.ts'
import { Fr } from '../circuits/field.ts'
import { rangeCheck } from '../circuits/gadgets/bits.ts'
import { commit } from '../circuits/gadgets/commit.ts'
import type { LC } from '../circuits/lc.ts'
import type { Layer } from './model/layers/index.ts'
import { orderMaxima } from './model/maxFirst.ts'
import { analyse, evaluateModel, type IntegerModel } from './model/model.ts'
import { sizeOf } from './tensor.ts'
import { checkVisibility, inputVisibility, isSalted, outputVisibility, type Visibility } from './visibility.ts'

export type CompileOptions = {
  /** Share of the layers done. */
  readonly onProgress?: (fraction: number, layer: string) => void
  /** The combinations that stand for the elements of each layer's result, in the order of `orderMaxima(model)`. */
  readonly onLayer?: (layer: Layer, values: ArrayLike<LC>) => void
}

/** Whether only layers that find an input's place among thresholds read it: their rows enforce its bounds as well. */
const located = ({ layers, outputs, inputs }: IntegerModel, input: number): boolean => {
  const { lo, hi } = inputs[input]!
  const readers = layers.filter((layer) => layer.inputs.includes(input))
  const same = readers.every((layer) => layer.kind === 'locate' && layer.lo === lo && layer.hi === hi)
  return readers.length > 0 && same && outputs.every(({ value }) => value !== input)
}

/** The value with its proven range, narrowed by rows where the order of maxima left it wider than the model's bounds. */
function within(cs: Builder, x: LC, lo: number, hi: number): LC {
  if (!Number.isSafeInteger(lo) || !Number.isSafeInteger(hi))
    throw new CircuitError('circuit/commitment', `an output in [${lo}, ${hi}] is too wide to be committed to`)
  const fits = x.range !== null && x.range.lo >= BigInt(lo) && x.range.hi <= BigInt(hi)
  return fits ? x : rangeCheck(cs, x, BigInt(lo), BigInt(hi))
}

/**
 * What the circuit takes, in its order: public inputs, the other inputs, a salt for each input whose digest has one.
 */
export function circuitAssignment(
  { inputs }: Pick<IntegerModel, 'inputs'>,
  visibility: Visibility,
  values: readonly ArrayLike<number>[],
  salts: readonly bigint[],
): (number | bigint)[] {
  const seen = (isPublic: boolean): number[] =>
    inputs.flatMap((port, i) =>
      (inputVisibility(visibility, port) === 'public') === isPublic ? Array.from(values[i]!) : [],
    )
  return [...seen(true), ...seen(false), ...salts]
}

/**
 * The circuit whose witnesses are the runs of the model.
 *
 * Public signals: every element of every public output, or a committed one's digest, in the order of the model; the digests of
 * committed inputs; every element of every public input. Elements are residues of their integers. Rows enforce the bounds of
 * all inputs, public ones too: the proven ranges rest on them. It takes what `circuitAssignment` gives.
 *
 * Throws CircuitError where a value could overflow the field, and as `checkVisibility`.
 */
export function compile(model: IntegerModel, visibility: Visibility, options: CompileOptions = {}): Circuit {
  checkVisibility(visibility, model)
  const infos = analyse(model)
  const ordered = orderMaxima(model)
  const cs = createBuilder(Fr)
  const signals = { public: sizeOf, private: () => 0, committed: () => 1 }
  const outputWires = ordered.outputs.map((port) =>
    Array.from({ length: signals[outputVisibility(visibility, port)](port.shape) }, cs.output),
  )
  const seen = ordered.inputs.map((port) => inputVisibility(visibility, port))
  const digests = seen.map((v) => (v === 'committed' ? cs.output() : undefined))
  const wires: LC[][] = []
  for (const stage of ['public', 'private'] as const)
    ordered.inputs.forEach(({ shape, lo, hi }, i) => {
      if ((seen[i] === 'public') !== (stage === 'public')) return
      wires[i] = Array.from({ length: sizeOf(shape) }, () => cs.input(stage, { lo: BigInt(lo), hi: BigInt(hi) }))
    })
  const salts = ordered.inputs.map((port) => (isSalted(visibility, port) ? cs.input('private', null) : undefined))
  const inputs = ordered.inputs.map(({ name, shape, lo, hi }, i) =>
    cs.scope(name, () => {
      if (digests[i] === undefined && located(ordered, i)) return wires[i]!
      const bounded = cs.scope('input range', () => wires[i]!.map((x) => rangeCheck(cs, x, BigInt(lo), BigInt(hi))))
      const form = { count: sizeOf(shape), lo, hi, salted: salts[i] !== undefined }
      const digest = digests[i]
      if (digest !== undefined) cs.scope('commitment', () => cs.bindOutput(digest, commit(cs, bounded, form, salts[i])))
      return bounded
    }),
  )
  let done = 0
  const values = evaluateModel<LC>(ordered, constraints(cs), inputs, (layer, body) => {
    const result = cs.scope(layer.name, () => cs.scope(layer.kind, body))
    options.onProgress?.(++done / ordered.layers.length, layer.name)
    options.onLayer?.(layer, result)
    return result
  })
  ordered.outputs.forEach((port, i) => {
    const { name, value } = port
    const elements = values[value]!
    const bind = (): void => {
      for (const [j, wire] of outputWires[i]!.entries()) cs.bindOutput(wire, elements[j]!)
    }
    const bindDigest = (): void => {
      const { lo, hi } = infos[model.outputs[i]!.value]!
      const form = { count: elements.length, lo, hi, salted: false }
      cs.bindOutput(
        outputWires[i]![0]!,
        commit(
          cs,
          Array.from(elements, (x) => within(cs, x, lo, hi)),
          form,
        ),
      )
    }
    if (outputVisibility(visibility, port) === 'committed') cs.scope(name, () => cs.scope('commitment', bindDigest))
    else cs.scope(name, () => cs.scope('output', bind))
  })
  return cs.build()
}
