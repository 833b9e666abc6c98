import type { Manifest } from '../artefacts/manifest.ts'
import { R } from '../groth16/bn254.ts'
import { UsageError } from './args.ts'

/** Help of the option that names another weight set. */
export const WEIGHTS_HELP = 'other weights of the same architecture: an .onnx file, or one that commit wrote'

/** A field element of hexadecimal digits. Throws UsageError. */
export function parseElement(text: string, what: string): bigint {
  const x = /^(0x)?[0-9a-f]{1,64}$/i.test(text) ? BigInt(`0x${text.replace(/^0x/i, '')}`) : R
  if (x >= R) throw new UsageError(`${what} is a field element of up to 64 hexadecimal digits, below r`)
  return x
}

/** The digest that proofs must be for, where the weights are not part of the key. */
export function expectedWeights(
  directory: string,
  { weights }: Manifest,
  given: string | undefined,
): bigint | undefined {
  if (weights === undefined && given !== undefined)
    throw new UsageError(
      `the weights of ${directory} are fixed: its key stands for them, and --weights-digest for nothing`,
    )
  return given === undefined ? weights && BigInt(weights.digest) : parseElement(given, 'a digest')
}
