import { constraints } from '../circuits/arithmetic.ts'
import { type Builder, createBuilder } from '../circuits/builder.ts'
import type { Circuit } from '../circuits/circuit.ts'
import { elementBits, type SetForm } from '../circuits/commitment.ts'
import { CircuitError } from '../circuits/error.ts'
import { Fr } from '../circuits/field.ts'
import { rangeCheck } from '../circuits/gadgets/bits.ts'
import { commit, commitSet } from '../circuits/gadgets/commit.ts'
import { compress } from '../circuits/gadgets/compress.ts'
import type { LC } from '../circuits/lc.ts'
import { arrange, type Rewrite } from './model/arrange.ts'
import type { Bounds } from './model/layer.ts'
import type { Layer } from './model/layers/index.ts'
import type { Weights } from './model/layers/weights.ts'
import { analyse, evaluateModel, type IntegerModel, ModelError, weightsOf } from './model/model.ts'
import { type Shape, sizeOf } from './tensor.ts'
import {
  checkVisibility,
  inputVisibility,
  isSalted,
  outputVisibility,
  type Visibility,
  weightVisibility,
} from './visibility.ts'

export type CompileOptions = {
  /** Most rows; a model that takes more is refused. */
  readonly maxRows?: number
  /** How the model is arranged first; by default `arrange`, which takes the fewest rows. */
  readonly rewrite?: Rewrite
  /** Share of the layers done. */
  readonly onProgress?: (fraction: number, layer: string) => void
  /** The combinations that stand for the elements of each layer's result, in the order of `arrange(model)`. */
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
    throw new CircuitError(
      'circuit/commitment',
      `an output in [${lo}, ${hi}] is too wide to be committed to or compressed`,
    )
  const fits = x.range !== null && x.range.lo >= BigInt(lo) && x.range.hi <= BigInt(hi)
  return fits ? x : rangeCheck(cs, x, BigInt(lo), BigInt(hi))
}

/** A wire for each element, without a range of its own. */
const inputWires = (
  cs: Builder,
  stage: 'public' | 'private',
  { shape, lo, hi }: Bounds & { readonly shape: Shape },
): LC[] => Array.from({ length: sizeOf(shape) }, () => cs.input(stage, { lo: BigInt(lo), hi: BigInt(hi) }))

/** Elements as sums of bits that are inputs: they need no rows but those of their bits. */
const weightBits = (cs: Builder, { name, kind, shape, lo, hi }: Weights): LC[] =>
  cs.scope(name, () =>
    cs.scope(kind, () =>
      Array.from({ length: sizeOf(shape) }, () =>
        cs.combine([
          [1, cs.fromBits(cs.inputBits(elementBits({ lo, hi })))],
          [lo, cs.ONE],
        ]),
      ),
    ),
  )

/** The tensors of a weight set as integers, in the order of the model's weights, and the salt of its digest if it has one. */
export type WeightValues = { readonly integers: readonly ArrayLike<number>[]; readonly salt?: bigint | undefined }

const formOf = ({ shape, lo, hi }: Bounds & { readonly shape: Shape }) => ({ count: sizeOf(shape), lo, hi })

/** The form of a weight set's digest. */
export const weightsForm = (model: Pick<IntegerModel, 'layers'>, visibility: Visibility): SetForm => ({
  salted: weightVisibility(visibility) === 'private',
  tensors: weightsOf(model).map(formOf),
})

/**
 * What the circuit takes, in its order: public inputs, public weights; the other inputs, a salt for each input whose digest has
 * one, the bits of weights that are not public, lowest first, the salt of their digest; the challenge of input compression.
 */
export function circuitAssignment(
  model: Pick<IntegerModel, 'inputs' | 'layers'>,
  visibility: Visibility,
  values: readonly ArrayLike<number>[],
  salts: readonly bigint[],
  weights: WeightValues = { integers: [] },
  challenge?: bigint,
): (number | bigint)[] {
  const all: (number | bigint)[] = []
  const add = (elements: ArrayLike<number>): void => {
    for (let i = 0; i < elements.length; i++) all.push(elements[i]!)
  }
  const addInputs = (isPublic: boolean): void =>
    model.inputs.forEach((port, i) => {
      if ((inputVisibility(visibility, port) === 'public') === isPublic) add(values[i]!)
    })
  addInputs(true)
  const open = weightVisibility(visibility) === 'public'
  if (open) weights.integers.forEach(add)
  addInputs(false)
  all.push(...salts)
  if (!open)
    weightsOf(model).forEach((tensor, t) => {
      const [elements, bits] = [weights.integers[t]!, elementBits(tensor)]
      for (let i = 0; i < elements.length; i++)
        for (let rest = elements[i]! - tensor.lo, k = 0; k < bits; rest = Math.floor(rest / 2), k++) all.push(rest % 2)
    })
  if (weights.salt !== undefined) all.push(weights.salt)
  if (challenge !== undefined) all.push(challenge)
  return all
}

/**
 * The circuit whose witnesses are the runs of the model.
 *
 * Public signals: every element of every public output, or a committed one's digest, in the order of the model; the digest of
 * the weights; the digests of committed inputs; every element of every public input, then of public weights. Elements are
 * residues of their integers. With input compression there are y, r, e, and then the digests alone. Rows enforce the bounds of
 * all inputs and weights, public ones too: the proven ranges rest on them. It takes what `circuitAssignment` gives.
 *
 * Throws CircuitError where a value could overflow the field, as `checkVisibility`, and ModelError `usage/weights` where the
 * model has its weights in it and they shall not be fixed, or the other way round.
 */
export function compile(model: IntegerModel, visibility: Visibility, options: CompileOptions = {}): Circuit {
  checkVisibility(visibility, model)
  const tensors = weightsOf(model)
  const weights = weightVisibility(visibility)
  if ((weights === 'fixed') !== (tensors.length === 0))
    throw new ModelError(
      'usage/weights',
      `weights are to be ${weights}; the model holds ${tensors.length} tensors of them`,
    )
  const infos = analyse(model)
  const ordered = (options.rewrite ?? arrange)(model)
  const cs = createBuilder(Fr, options.maxRows)
  const compressed = visibility.compressed ? { y: cs.output(), r: cs.output(), e: cs.output() } : undefined
  const signals = { public: compressed ? () => 0 : sizeOf, private: () => 0, committed: () => 1 }
  const outputWires = ordered.outputs.map((port) =>
    Array.from({ length: signals[outputVisibility(visibility, port)](port.shape) }, cs.output),
  )
  const weightsDigest = weights === 'committed' || weights === 'private' ? cs.output() : undefined
  const seen = ordered.inputs.map((port) => inputVisibility(visibility, port))
  const digests = seen.map((v) => (v === 'committed' ? cs.output() : undefined))
  const wires: LC[][] = []
  // compressed tensors are no signals
  const openStage = compressed ? 'private' : 'public'
  const declare = (open: boolean): void =>
    ordered.inputs.forEach((port, i) => {
      if ((seen[i] === 'public') === open) wires[i] = inputWires(cs, open ? openStage : 'private', port)
    })
  declare(true)
  const openWeights = weights === 'public' ? tensors.map((tensor) => inputWires(cs, openStage, tensor)) : []
  declare(false)
  const salts = ordered.inputs.map((port) => (isSalted(visibility, port) ? cs.input('private', null) : undefined))
  const hiddenWeights = weights === 'public' ? [] : tensors.map((tensor) => weightBits(cs, tensor))
  const weightsSalt = weights === 'private' ? cs.input('private', null) : undefined
  const challenge = compressed ? cs.input('private', null) : undefined
  const inputs = ordered.inputs.map(({ name, shape, lo, hi }, i) =>
    cs.scope(name, () => {
      const hashed = digests[i] !== undefined || (compressed !== undefined && seen[i] === 'public')
      if (!hashed && located(ordered, i)) return wires[i]!
      const bounded = cs.scope('input range', () => wires[i]!.map((x) => rangeCheck(cs, x, BigInt(lo), BigInt(hi))))
      const form = { ...formOf({ shape, lo, hi }), salted: salts[i] !== undefined }
      const digest = digests[i]
      if (digest !== undefined) cs.scope('commitment', () => cs.bindOutput(digest, commit(cs, bounded, form, salts[i])))
      return bounded
    }),
  )
  const given = [
    ...hiddenWeights,
    ...openWeights.map((xs, t) => {
      const { name, kind, lo, hi } = tensors[t]!
      return cs.scope(name, () => cs.scope(kind, () => xs.map((x) => rangeCheck(cs, x, BigInt(lo), BigInt(hi)))))
    }),
  ]
  if (weightsDigest !== undefined) {
    const form = weightsForm(model, visibility)
    const bind = (): void => cs.bindOutput(weightsDigest, commitSet(cs, given, form, weightsSalt))
    cs.scope('weights', () => cs.scope('commitment', bind))
  }
  let done = 0
  const values = evaluateModel<LC>(ordered, constraints(cs), [...inputs, ...given], (layer, body) => {
    const result = cs.scope(layer.name, () => cs.scope(layer.kind, body))
    options.onProgress?.(++done / ordered.layers.length, layer.name)
    options.onLayer?.(layer, result)
    return result
  })
  const boundedOutput = (i: number) => {
    const [{ lo, hi }, elements] = [infos[model.outputs[i]!.value]!, values[ordered.outputs[i]!.value]!]
    return { elements: Array.from(elements, (x) => within(cs, x, lo, hi)), form: { count: elements.length, lo, hi } }
  }
  ordered.outputs.forEach((port, i) => {
    const { name, value } = port
    const bind = (): void => {
      for (const [j, wire] of outputWires[i]!.entries()) cs.bindOutput(wire, values[value]![j]!)
    }
    const bindDigest = (): void => {
      const { elements, form } = boundedOutput(i)
      cs.bindOutput(outputWires[i]![0]!, commit(cs, elements, { ...form, salted: false }))
    }
    if (outputVisibility(visibility, port) === 'committed') cs.scope(name, () => cs.scope('commitment', bindDigest))
    else cs.scope(name, () => cs.scope('output', bind))
  })
  if (compressed !== undefined)
    cs.scope('compression', () => {
      const parts = [
        ...ordered.outputs.flatMap((port, i) =>
          outputVisibility(visibility, port) === 'public' ? [boundedOutput(i)] : [],
        ),
        ...ordered.inputs.flatMap((port, i) =>
          seen[i] === 'public' ? [{ elements: inputs[i]!, form: formOf(port) }] : [],
        ),
        ...openWeights.map((_, t) => ({ elements: given[t]!, form: formOf(tensors[t]!) })),
      ]
      const { y, e } = compress(cs, parts, challenge!)
      cs.bindOutput(compressed.y, y)
      cs.bindOutput(compressed.r, challenge!)
      cs.bindOutput(compressed.e, e)
    })
  return cs.build()
}
