/**
 * What commands that send transactions have in common: which chain, who pays, and whether anything is sent at all.
 * @module
 */

import { formatEther, type Signer, ZeroAddress } from 'ethers'
import { ArtefactError } from '../artefacts/manifest.ts'
import { type Connection, connect, signerFor } from '../chain/connect.ts'
import type { GasEstimate } from '../chain/transact.ts'
import { readRegularText } from '../files.ts'
import { DEV_CHAIN_IDS } from '../solidity/verifier.ts'
import { UsageError } from './args.ts'
import { thousands } from './format.ts'

/** Their options. */
export const SENDING_OPTIONS = {
  rpc: { type: 'string', value: 'URL', required: true, help: 'JSON-RPC endpoint' },
  'chain-id': { type: 'integer', value: 'N', min: 1, help: 'refuse any other chain' },
  keystore: { type: 'string', value: 'FILE', help: 'JSON keystore of the paying account' },
  send: { type: 'flag', help: 'send transactions on chains that are not local; without it, they are estimated only' },
} as const

export const SENDING_DETAILS =
  'Who pays: the keystore of --keystore (password in VERITENSOR_KEYSTORE_PASSWORD), else the private key in\n' +
  'VERITENSOR_PRIVATE_KEY, else, on the local chain ids 31337 and 1337 only, the node’s first unlocked account. Keys are\n' +
  'never taken from the command line. On other chains nothing is sent without --send: what it would cost is printed.\n' +
  'Development keys are refused on every chain that is not local.'

export type Sending = {
  readonly connection: Connection
  /** Who pays; undefined in a dry run in which nobody is named. */
  readonly signer: Signer | undefined
  /** From whom transactions are estimated. */
  readonly from: string
  /** Nothing shall be sent. */
  readonly dry: boolean
}

type SendingValues = {
  readonly rpc: string | undefined
  readonly 'chain-id': number | undefined
  readonly keystore: string | undefined
  readonly send: boolean
}

/** Connects and finds the payer. Throws UsageError, ArtefactError, SignerError, and as `connect`. */
export async function openSending(options: SendingValues): Promise<Sending> {
  const expected = options['chain-id']
  const connection = await connect(options.rpc!, expected === undefined ? {} : { expectedChainId: BigInt(expected) })
  try {
    const dry = !options.send && !DEV_CHAIN_IDS.includes(connection.chainId)
    const signer = await payer(connection, options.keystore)
    if (signer === undefined && !dry)
      throw new UsageError(
        `nobody is named to pay on chain id ${connection.chainId}`,
        'put a private key into VERITENSOR_PRIVATE_KEY, or name a keystore with --keystore FILE',
      )
    return { connection, signer, from: (await signer?.getAddress()) ?? ZeroAddress, dry }
  } catch (error) {
    connection.close()
    throw error
  }
}

/** The account that pays; undefined where nobody is named. */
async function payer(connection: Connection, keystore: string | undefined): Promise<Signer | undefined> {
  const { VERITENSOR_PRIVATE_KEY: privateKey, VERITENSOR_KEYSTORE_PASSWORD: password } = process.env
  if (keystore !== undefined) {
    if (password === undefined)
      throw new UsageError('the keystore’s password is not known', 'put it into VERITENSOR_KEYSTORE_PASSWORD')
    const text = await readRegularText(keystore).catch((cause) => {
      throw new ArtefactError('input/unreadable', `${keystore} can't be read: ${(cause as Error).message}`, { cause })
    })
    return signerFor(connection, { keystore: text, password })
  }
  if (privateKey !== undefined && privateKey !== '') return signerFor(connection, { privateKey })
  return DEV_CHAIN_IDS.includes(connection.chainId) ? signerFor(connection, { account: 0 }) : undefined
}

/** What a dry run says at its end. */
export const DRY_RUN = 'dry run: nothing was sent; add --send to send it'

const ether = (wei: bigint): string => `${Number(formatEther(wei)).toPrecision(3)} of the chain’s coin`

/** An estimate in words. */
export const estimateText = ({ gas, feeWei }: GasEstimate): string =>
  `${thousands(gas)} gas${feeWei === null ? '' : `, about ${ether(feeWei)}`}`

/** An estimate for JSON. */
export const estimateJson = ({ gas, feeWei }: GasEstimate) => ({
  gas: Number(gas),
  feeWei: feeWei === null ? null : String(feeWei),
})
