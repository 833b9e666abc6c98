/**
 * Who sees what of a proved inference.
 * @module
 */
import { VeritensorError } from './errors.ts'

/** `public` makes a tensor's integers public signals, `committed` a digest of them (docs/commitments.md). */
export type TensorVisibility = 'public' | 'private' | 'committed'

/**
 * How a verifier knows the weights. `fixed`: they are constants of the circuit, so the verifying key knows them. Otherwise one
 * circuit serves every weight set of the architecture, and public signals tell which one: `public` its integers, `committed` a
 * digest, `private` a digest with a salt, so that nobody can check a guess. Weights that no public signal tells of do not
 * exist: the prover could choose the model after the fact.
 */
export type WeightVisibility = 'fixed' | TensorVisibility

type ByName = Readonly<Record<string, TensorVisibility>>

export type Visibility = {
  /** Of every input that `inputs` does not name; likewise for outputs. */
  readonly input: TensorVisibility
  readonly output: TensorVisibility
  readonly inputs?: ByName
  readonly outputs?: ByName
  /** Default: fixed. */
  readonly weights?: WeightVisibility
  /** Digests of committed inputs are made without salts: they bind but do not hide. Digests of outputs never have any. */
  readonly unsalted?: true
  /** Public tensors are bytes behind three public signals, y, r and e (docs/input-compression.md), instead of signals. */
  readonly compressed?: true
}

type Named = { readonly name: string }

const lookUp = (names: ByName | undefined, name: string, otherwise: TensorVisibility): TensorVisibility =>
  names !== undefined && Object.hasOwn(names, name) ? names[name]! : otherwise

export const inputVisibility = ({ input, inputs }: Visibility, { name }: Named): TensorVisibility =>
  lookUp(inputs, name, input)

export const outputVisibility = ({ output, outputs }: Visibility, { name }: Named): TensorVisibility =>
  lookUp(outputs, name, output)

/** Whether an input's digest has a salt: a private input of any field element. */
export const isSalted = (visibility: Visibility, input: Named): boolean =>
  inputVisibility(visibility, input) === 'committed' && visibility.unsalted !== true

export const weightVisibility = ({ weights }: Visibility): WeightVisibility => weights ?? 'fixed'

/** Public signals of input compression, before all others. */
export const COMPRESSED_SIGNALS = 3

/**
 * Throws VeritensorError `usage/visibility` for names that no input or output has, `usage/unsalted` for no committed input,
 * `usage/compressed` where nothing is public that could be compressed.
 */
export function checkVisibility(
  visibility: Visibility,
  model: { readonly inputs: readonly Named[]; readonly outputs: readonly Named[] },
): void {
  for (const kind of ['inputs', 'outputs'] as const)
    for (const name of Object.keys(visibility[kind] ?? {}))
      if (!model[kind].some((port) => port.name === name))
        throw new VeritensorError('usage/visibility', `no ${kind.slice(0, -1)} of the model is called "${name}"`, {
          fix: `the ${kind} are ${model[kind].map((port) => `"${port.name}"`).join(', ')}`,
        })
  if (visibility.unsalted && !model.inputs.some((port) => inputVisibility(visibility, port) === 'committed'))
    throw new VeritensorError('usage/unsalted', 'only committed inputs have salts', {
      fix: 'leave "unsalted" out, or commit to the inputs',
    })
  const open =
    model.inputs.some((port) => inputVisibility(visibility, port) === 'public') ||
    model.outputs.some((port) => outputVisibility(visibility, port) === 'public') ||
    weightVisibility(visibility) === 'public'
  if (visibility.compressed && !open)
    throw new VeritensorError('usage/compressed', 'no tensor is public, so there is nothing to compress', {
      fix: 'leave compression out, or make the outputs public',
    })
}
