/**
 * Challenges of input compression as contracts compute them (verifier-contracts/libraries/InputCompression.sol).
 * @module
 */
import { AbiCoder, concat, getBytes, id, isAddress, keccak256 } from 'ethers'
import { evaluate } from '../../circuits/compression.ts'
import { VeritensorError } from '../errors.ts'
import { R } from '../groth16/bn254.ts'
import { wordHex } from './calldata.ts'

/** What a proof is for: contracts compute challenges for themselves and their chain. */
export type Destination = {
  /** 0 for proofs that are verified off the chain. */
  readonly chainId: bigint
  /** The contract that will compute the challenge, 0x and 40 hexadecimal digits; zeros off the chain. */
  readonly contract: string
  /** What else the proof is bound to, 0x and 64 hexadecimal digits. */
  readonly ctx: string
}

/** What goes with a proof of compressed tensors: their bytes, and for whom its challenge was computed. */
export type Compressed = Destination & { readonly x: Uint8Array }

/** For proofs that are verified off the chain alone: no contract accepts them. */
export const OFF_CHAIN: Destination = {
  chainId: 0n,
  contract: '0x0000000000000000000000000000000000000000',
  ctx: wordHex(0n),
}

/** A destination is malformed. */
export class DestinationError extends VeritensorError {
  constructor(what: string, value: unknown, expected: string) {
    super('usage/destination', `${what}: ${JSON.stringify(String(value))} is not ${expected}`, {
      details: { what, expected },
      fix: `Pass ${expected}.`,
    })
  }
}

/** Throws DestinationError unless its parts have the form that the type tells. */
export function checkDestination({ chainId, contract, ctx }: Destination): void {
  if (typeof chainId !== 'bigint' || chainId < 0n || chainId >> 256n !== 0n)
    throw new DestinationError('chain id', chainId, 'a chain id')
  if (!isAddress(contract)) throw new DestinationError('contract', contract, 'an address of 40 hexadecimal digits')
  if (!/^0x[0-9a-fA-F]{64}$/.test(ctx)) throw new DestinationError('ctx', ctx, '0x and 64 hexadecimal digits')
}

/**
 * r and e for the bytes x of the public tensors and their digest y.
 *
 * @param vkDigest from verifyingKeyDigest
 * @throws DestinationError
 */
export function challengeOf(
  vkDigest: string,
  destination: Destination,
  y: bigint,
  x: Uint8Array,
): { readonly r: bigint; readonly e: bigint } {
  checkDestination(destination)
  const { chainId, contract, ctx } = destination
  const domain = keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ['bytes32', 'bytes32', 'uint256', 'address', 'uint256'],
      [id('veritensor/input-compression/v1'), vkDigest, chainId, contract, x.length],
    ),
  )
  const r = BigInt(keccak256(getBytes(concat([domain, ctx, wordHex(y), x])))) % R
  return { r, e: evaluate(x, r) }
}
