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

/** Who sees a tensor: `public` makes its integers public signals, `committed` a digest of them (docs/commitments.md). */
export type TensorVisibility = 'public' | 'private' | 'committed'

export type Visibility = {
  readonly input: TensorVisibility
  readonly output: TensorVisibility
  /** Digests of committed inputs are made without salts: they bind but do not hide. Digests of outputs never have any. */
  readonly unsalted?: true
}

/** Whether each committed input has a salt: a private input of any field element, after all others. */
export const isSalted = ({ input, unsalted }: Visibility): boolean => input === 'committed' && unsalted !== true

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
 * The circuit whose witnesses are the runs of the model.
 *
 * Public signals: every element of every public output, then of every public input, in the order of the model, as residues
 * of their integers; of committed ones one digest each. Salts follow the other private inputs, one for each input. Rows enforce the bounds of all inputs, public ones too: the proven ranges rest on them.
 *
 * Throws CircuitError where a value could overflow the field.
 */
export function compile(model: IntegerModel, visibility: Visibility, options: CompileOptions = {}): Circuit {
  const infos = analyse(model)
  const ordered = orderMaxima(model)
  const cs = createBuilder(Fr)
  const signals = { public: sizeOf, private: () => 0, committed: () => 1 }[visibility.output]
  const outputWires = ordered.outputs.map(({ shape }) => Array.from({ length: signals(shape) }, cs.output))
  const digests = visibility.input === 'committed' ? ordered.inputs.map(() => cs.output()) : []
  const wires = ordered.inputs.map(({ shape, lo, hi }) =>
    Array.from({ length: sizeOf(shape) }, () =>
      cs.input(visibility.input === 'public' ? 'public' : 'private', { lo: BigInt(lo), hi: BigInt(hi) }),
    ),
  )
  const salted = isSalted(visibility)
  const salts = salted ? ordered.inputs.map(() => cs.input('private', null)) : []
  const inputs = ordered.inputs.map(({ name, lo, hi }, i) =>
    cs.scope(name, () =>
      digests.length === 0 && located(ordered, i)
        ? wires[i]!
        : cs.scope('input range', () => wires[i]!.map((x) => rangeCheck(cs, x, BigInt(lo), BigInt(hi)))),
    ),
  )
  for (const [i, digest] of digests.entries()) {
    const { name, shape, lo, hi } = ordered.inputs[i]!
    const form = { count: sizeOf(shape), lo, hi, salted }
    const bind = (): void => cs.bindOutput(digest, commit(cs, inputs[i]!, form, salts[i]))
    cs.scope(name, () => cs.scope('commitment', bind))
  }
  let done = 0
  const values = evaluateModel<LC>(ordered, constraints(cs), inputs, (layer, body) => {
    const result = cs.scope(layer.name, () => cs.scope(layer.kind, body))
    options.onProgress?.(++done / ordered.layers.length, layer.name)
    options.onLayer?.(layer, result)
    return result
  })
  ordered.outputs.forEach(({ name, value }, i) => {
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
    if (visibility.output === 'committed') cs.scope(name, () => cs.scope('commitment', bindDigest))
    else cs.scope(name, () => cs.scope('output', bind))
  })
  return cs.build()
}
