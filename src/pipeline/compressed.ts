import { digestOf, encodeTensors } from '../../circuits/compression.ts'
import { VeritensorError } from '../errors.ts'
import { ProofFormatError } from '../groth16/keys.ts'
import { type IntegerModel, prepareInteger } from '../model/model.ts'
import { type Compressed, challengeOf, checkDestination, type Destination } from '../solidity/compression.ts'
import { sizeOf } from '../tensor.ts'
import { COMPRESSED_SIGNALS, outputVisibility, type Visibility } from '../visibility.ts'
import { layoutOf } from './signals.ts'

/** The bytes of a run's public tensors, their digest y and the challenge r. */
export type Compression = { readonly x: Uint8Array; readonly r: bigint }

/**
 * A function from the integers of a run's inputs to its compression; undefined where the circuit has none.
 *
 * Throws DestinationError.
 */
export function compressor(
  visibility: Visibility,
  model: IntegerModel,
  vkDigest: string,
  destination: Destination,
  weights: readonly ArrayLike<number>[] = [],
): ((inputs: readonly ArrayLike<number>[]) => Compression) | undefined {
  if (!visibility.compressed) return undefined
  checkDestination(destination)
  const groups = layoutOf(visibility, model).filter(({ bytes }) => bytes !== undefined)
  const forms = groups.map(({ shape, bytes }) => ({ count: sizeOf(shape), lo: bytes!.lo, hi: bytes!.hi }))
  const runs = model.outputs.some((port) => outputVisibility(visibility, port) === 'public')
  const run = runs ? prepareInteger(model) : undefined
  return (inputs) => {
    const values = run?.([...inputs, ...weights])
    let tensor = 0
    const elements = groups.map(({ kind, name }) => {
      if (kind === 'weights') return weights[tensor++]!
      const at = model[kind === 'input' ? 'inputs' : 'outputs'].findIndex((port) => port.name === name)
      return kind === 'input' ? inputs[at]! : values![model.outputs[at]!.value]!
    })
    const x = encodeTensors(forms, elements)
    return { x, r: challengeOf(vkDigest, destination, digestOf(x), x).r }
  }
}

/**
 * The public signals of a proof that is said to be about those bytes: y and the digests as given, r and e computed here, since a
 * verifier must never take them from anybody. A proof that verifies with these signals is about these bytes.
 *
 * Throws ProofFormatError where there are too few signals, and DestinationError.
 */
export function signalsOf(vkDigest: string, publicSignals: readonly bigint[], compressed: Compressed): bigint[] {
  const y = publicSignals[0]
  if (publicSignals.length < COMPRESSED_SIGNALS || y === undefined || y < 0n || y >> 256n !== 0n)
    throw new ProofFormatError('malformed-public-signals', 'the public signals do not begin with y, r and e')
  const { r, e } = challengeOf(vkDigest, compressed, y, compressed.x)
  return [y, r, e, ...publicSignals.slice(COMPRESSED_SIGNALS)]
}

/** Throws ProofFormatError where r and e are others than `signalsOf` computes, and as it does. */
export function checkCompressed(vkDigest: string, publicSignals: readonly bigint[], compressed: Compressed): void {
  const [, r, e] = signalsOf(vkDigest, publicSignals, compressed)
  if (r !== publicSignals[1] || e !== publicSignals[2])
    throw new ProofFormatError(
      'malformed-public-signals',
      'the public signals r and e are not those of the bytes, the key and the destination that the proof names',
    )
}

/** The refusal to compute a circuit's inputs without the key that the challenge depends on. */
export const keyMissing = (): VeritensorError =>
  new VeritensorError('usage/compressed', 'the challenge of input compression depends on the verifying key', {
    fix: 'pass the verifying key, and for whom the proof is',
  })

/** The field `veritensor` of proof.json, which snarkjs ignores. */
export type CompressedJson = {
  readonly chainId: string
  readonly contract: string
  readonly ctx: string
  /** 0x and hexadecimal digits. */
  readonly x: string
}

export const encodeCompressed = ({ chainId, contract, ctx, x }: Compressed): CompressedJson => ({
  chainId: String(chainId),
  contract,
  ctx,
  x: `0x${Buffer.from(x).toString('hex')}`,
})

/** Reads the field strictly; undefined where there is none. Throws ProofFormatError `proof/malformed`. */
export function decodeCompressed(json: unknown): Compressed | undefined {
  const fail = (what: string): never => {
    throw new ProofFormatError('malformed', `malformed proof: veritensor.${what}`)
  }
  if (json === undefined) return undefined
  if (typeof json !== 'object' || json === null) return fail(' is no object')
  const { chainId, contract, ctx, x } = json as Readonly<Record<string, unknown>>
  if (typeof chainId !== 'string' || !/^(0|[1-9][0-9]{0,77})$/.test(chainId)) return fail('chainId is no chain id')
  if (typeof contract !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(contract)) return fail('contract is no address')
  if (typeof ctx !== 'string' || !/^0x[0-9a-f]{64}$/.test(ctx)) return fail('ctx is not 0x and 64 hexadecimal digits')
  // no group in the expression: each repetition of one takes stack
  if (typeof x !== 'string' || x.length % 2 !== 0 || !/^0x[0-9a-f]*$/.test(x)) return fail('x is no string of bytes')
  const compressed = { chainId: BigInt(chainId), contract, ctx, x: Uint8Array.from(Buffer.from(x.slice(2), 'hex')) }
  try {
    checkDestination(compressed)
  } catch (error) {
    return fail((error as Error).message)
  }
  return compressed
}
