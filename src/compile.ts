import { constraints } from '../circuits/arithmetic.ts'
import { createBuilder } from '../circuits/builder.ts'
import type { Circuit } from '../circuits/circuit.ts'
import { Fr } from '../circuits/field.ts'
import { rangeCheck } from '../circuits/gadgets/bits.ts'
import type { LC } from '../circuits/lc.ts'
import type { Layer } from './model/layers/index.ts'
import { orderMaxima } from './model/maxFirst.ts'
import { analyse, evaluateModel, type IntegerModel } from './model/model.ts'
import { sizeOf } from './tensor.ts'

/** Who sees a tensor: `public` makes its integers public signals. */
export type Visibility = { readonly input: 'public' | 'private'; readonly output: 'public' | 'private' }

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

/**
 * The circuit whose witnesses are the runs of the model.
 *
 * Public signals: every element of every public output, then of every public input, in the order of the model, as residues
 * of their integers. Rows enforce the bounds of all inputs, public ones too: the proven ranges rest on them.
 *
 * Throws CircuitError where a value could overflow the field.
 */
export function compile(model: IntegerModel, visibility: Visibility, options: CompileOptions = {}): Circuit {
  analyse(model)
  const ordered = orderMaxima(model)
  const cs = createBuilder(Fr)
  const outputWires =
    visibility.output === 'public'
      ? ordered.outputs.map(({ shape }) => Array.from({ length: sizeOf(shape) }, cs.output))
      : []
  const wires = ordered.inputs.map(({ shape, lo, hi }) =>
    Array.from({ length: sizeOf(shape) }, () => cs.input(visibility.input, { lo: BigInt(lo), hi: BigInt(hi) })),
  )
  const inputs = ordered.inputs.map(({ name, lo, hi }, i) =>
    cs.scope(name, () =>
      located(ordered, i)
        ? wires[i]!
        : cs.scope('input range', () => wires[i]!.map((x) => rangeCheck(cs, x, BigInt(lo), BigInt(hi)))),
    ),
  )
  let done = 0
  const values = evaluateModel<LC>(ordered, constraints(cs), inputs, (layer, body) => {
    const result = cs.scope(layer.name, () => cs.scope(layer.kind, body))
    options.onProgress?.(++done / ordered.layers.length, layer.name)
    options.onLayer?.(layer, result)
    return result
  })
  ordered.outputs.forEach(({ name, value }, i) => {
    const bind = (): void => {
      for (const [j, wire] of (outputWires[i] ?? []).entries()) cs.bindOutput(wire, values[value]![j]!)
    }
    cs.scope(name, () => cs.scope('output', bind))
  })
  return cs.build()
}
