import { readFile } from 'node:fs/promises'
import { ContractFactory, formatEther, type InterfaceAbi, type Signer } from 'ethers'
import { readManifest } from '../../artefacts/directory.ts'
import { openCheckedKey } from '../../artefacts/keys.ts'
import { ArtefactError } from '../../artefacts/manifest.ts'
import { type Connection, connect, signerFor } from '../../chain/connect.ts'
import { checkKeyForChain, deployVerifier } from '../../chain/deploy.ts'
import { chainError } from '../../chain/errors.ts'
import { type CompiledContract, compileContract } from '../../solidity/compile.ts'
import { DEV_CHAIN_IDS, generateVerifier, requiredGas, verifyingKeyDigest } from '../../solidity/verifier.ts'
import { one, UsageError } from '../args.ts'
import { command } from '../command.ts'
import { verifierOptions } from '../contracts.ts'
import { DEV_WARNING } from '../describe.ts'
import { thousands } from '../format.ts'

export const deploy = command({
  name: 'deploy',
  arguments: 'DIR',
  summary: 'deploy the verifier contract',
  details:
    'Who pays: the keystore of --keystore (password in VERITENSOR_KEYSTORE_PASSWORD), else the private key in\n' +
    'VERITENSOR_PRIVATE_KEY, else, on the local chain ids 31337 and 1337 only, the node’s first unlocked account. Keys are\n' +
    'never taken from the command line. Development keys are refused on every other chain.',
  options: {
    rpc: { type: 'string', value: 'URL', required: true, help: 'JSON-RPC endpoint' },
    'chain-id': { type: 'integer', value: 'N', min: 1, help: 'refuse any other chain' },
    keystore: { type: 'string', value: 'FILE', help: 'JSON keystore of the paying account' },
  },
  examples: [
    'veritensor deploy artifacts/model --rpc http://127.0.0.1:8545',
    'VERITENSOR_PRIVATE_KEY=0x… veritensor deploy artifacts/model --rpc https://… --chain-id 1',
  ],
  async run({ options, positionals, progress, signal }) {
    const directory = one(positionals, 'deploy takes one DIR')
    const manifest = await readManifest(directory)
    progress.phase('check key')
    const key = await openCheckedKey(directory, manifest)
    progress.done()
    if (key.dev) progress.note(DEV_WARNING)
    const source = generateVerifier(key, verifierOptions(manifest))
    const expected = options['chain-id']
    const connection = await connect(options.rpc!, expected === undefined ? {} : { expectedChainId: BigInt(expected) })
    try {
      checkKeyForChain(key.dev, connection.chainId)
      const signer = await payer(connection, options.keystore)
      progress.phase('compile contract')
      const compiled = await compileContract(source, 'Verifier')
      progress.done()
      const estimate = await estimateDeployment(connection, signer, compiled)
      const cost = estimate.feeWei === null ? '' : `, about ${ether(estimate.feeWei)}`
      progress.note(`deployment needs about ${thousands(estimate.gas)} gas${cost}`)
      progress.phase('deploy')
      const deployment = await deployVerifier(connection, signer, compiled, { dev: key.dev, signal })
      progress.done()
      const { address, transactionHash, chainId, blockNumber, gasUsed, from } = deployment
      const needed = requiredGas(key.nPublic)
      return {
        json: {
          schema: 'veritensor/deploy@1',
          directory,
          dev: key.dev,
          address,
          chainId: Number(chainId),
          from,
          transactionHash,
          blockNumber,
          gasUsed: Number(gasUsed),
          estimate: { gas: Number(estimate.gas), feeWei: estimate.feeWei === null ? null : String(estimate.feeWei) },
          codeBytes: compiled.deployedBytecode.length / 2 - 1,
          publicSignals: key.nPublic,
          vkDigest: verifyingKeyDigest(key),
          requiredGas: needed,
          warning: key.dev ? DEV_WARNING : null,
        },
        text: [
          ...(key.dev ? [DEV_WARNING] : []),
          `verifier of ${manifest.name} deployed at ${address}`,
          `  chain        ${chainId}, block ${blockNumber}, by ${from}`,
          `  transaction  ${transactionHash}`,
          `  gas          ${thousands(gasUsed)} used, ${thousands(estimate.gas)} estimated${cost}`,
          `  a proof      needs ${thousands(needed)} gas`,
          `  next         veritensor verify ${directory} PROOF --rpc ${connection.url} --contract ${address}`,
        ].join('\n'),
      }
    } finally {
      connection.close()
    }
  },
})

/** The account that pays. */
async function payer(connection: Connection, keystore: string | undefined): Promise<Signer> {
  const { VERITENSOR_PRIVATE_KEY: privateKey, VERITENSOR_KEYSTORE_PASSWORD: password } = process.env
  if (keystore !== undefined) {
    if (password === undefined)
      throw new UsageError('the keystore’s password is not known', 'put it into VERITENSOR_KEYSTORE_PASSWORD')
    const text = await readFile(keystore, 'utf8').catch((cause) => {
      throw new ArtefactError('input/unreadable', `${keystore} can't be read: ${(cause as Error).message}`, { cause })
    })
    return signerFor(connection, { keystore: text, password })
  }
  if (privateKey !== undefined && privateKey !== '') return signerFor(connection, { privateKey })
  if (DEV_CHAIN_IDS.includes(connection.chainId)) return signerFor(connection, { account: 0 })
  throw new UsageError(
    `nobody is named to pay on chain id ${connection.chainId}`,
    'put a private key into VERITENSOR_PRIVATE_KEY, or name a keystore with --keystore FILE',
  )
}

/** Gas of the deployment and, where the node tells prices, its most likely cost. */
async function estimateDeployment(
  connection: Connection,
  signer: Signer,
  contract: CompiledContract,
): Promise<{ readonly gas: bigint; readonly feeWei: bigint | null }> {
  const factory = new ContractFactory(contract.abi as InterfaceAbi, contract.bytecode)
  try {
    const { data } = await factory.getDeployTransaction()
    const [gas, fees] = await Promise.all([
      connection.provider.estimateGas({ from: await signer.getAddress(), data }),
      connection.provider.getFeeData(),
    ])
    return { gas, feeWei: fees.gasPrice === null ? null : gas * fees.gasPrice }
  } catch (cause) {
    throw chainError(cause, 'estimating the deployment', connection.url, factory.interface)
  }
}

const ether = (wei: bigint): string => `${Number(formatEther(wei)).toPrecision(3)} of the chain’s coin`
