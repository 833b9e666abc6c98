import { LOCAL_DESTINATION } from '../chain/localVerifier.ts'
import { VeritensorError } from '../errors.ts'
import { checkDestination, type Destination, OFF_CHAIN } from '../solidity/compression.ts'
import { UsageError } from './args.ts'

/**
 * For whom a proof of compressed tensors is: `--for CHAINID:ADDRESS`, or `local`, the verifier that `verify --anvil` deploys;
 * and its context, `--ctx`, up to 32 bytes. By default for verification off the chain, with a context of zeros.
 *
 * Throws UsageError.
 */
export function parseDestination(forWhom: string | undefined, ctx: string | undefined): Destination {
  const context = ctx === undefined ? OFF_CHAIN.ctx : parseContext(ctx)
  if (forWhom === undefined) return { ...OFF_CHAIN, ctx: context }
  if (forWhom === 'local') return { ...LOCAL_DESTINATION, ctx: context }
  const [, chainId, contract] = /^([0-9]{1,78}):(0x[0-9a-fA-F]{40})$/.exec(forWhom) ?? []
  if (chainId === undefined || contract === undefined)
    throw new UsageError(
      `--for: "${forWhom}" is neither CHAINID:ADDRESS nor local`,
      '`deploy` and `register` print what to pass',
    )
  const destination = { chainId: BigInt(chainId), contract, ctx: context }
  checkDestination(destination)
  return destination
}

/** The same for JSON. */
export const destinationJson = ({ chainId, contract, ctx }: Destination) => ({
  chainId: String(chainId),
  contract,
  ctx,
})

/** For whom a proof is, in words. */
export const destinationText = ({ chainId, contract, ctx }: Destination): string => {
  const context = ctx === OFF_CHAIN.ctx ? '' : `, context ${ctx}`
  return chainId === OFF_CHAIN.chainId
    ? `for verification off the chain${context}`
    : `for ${contract} on chain id ${chainId}${context}`
}

/** What proofs must be for, as far as options say so. Throws UsageError. */
export function parseExpected(forWhom: string | undefined, ctx: string | undefined): Partial<Destination> {
  const { ctx: context, ...where } = parseDestination(forWhom, ctx)
  return { ...(forWhom !== undefined && where), ...(ctx !== undefined && { ctx: context }) }
}

/** Throws VeritensorError `proof/other-destination` unless a proof is for what was expected of it. */
export function checkExpected(made: Destination, expected: Partial<Destination>): void {
  const wanted = { ...made, ...expected }
  const same =
    made.chainId === wanted.chainId &&
    made.contract.toLowerCase() === wanted.contract.toLowerCase() &&
    made.ctx.toLowerCase() === wanted.ctx
  if (same) return
  throw new VeritensorError(
    'proof/other-destination',
    `the proof is ${destinationText(made)}, not ${destinationText(wanted)}`,
    {
      details: { made: destinationJson(made), expected: destinationJson(wanted) },
      fix: 'Prove again with --for and --ctx.',
    },
  )
}

function parseContext(text: string): string {
  if (!/^0x([0-9a-fA-F]{2}){1,32}$/.test(text))
    throw new UsageError(`--ctx: "${text}" is not 0x and 2 to 64 hexadecimal digits`)
  return `0x${text.slice(2).toLowerCase().padStart(64, '0')}`
}
