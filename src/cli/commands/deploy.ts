import { recordDeployment } from '../../artefacts/deployments.ts'
import { readManifest } from '../../artefacts/directory.ts'
import { openCheckedKey } from '../../artefacts/keys.ts'
import type { Manifest } from '../../artefacts/manifest.ts'
import { checkKeyForChain, deploymentRequest, deployVerifier } from '../../chain/deploy.ts'
import { deployShared, estimateShared, type SharedOptions } from '../../chain/sharedContracts.ts'
import { estimateTransaction } from '../../chain/transact.ts'
import type { VerifyingKey } from '../../groth16/keys.ts'
import { compileContract } from '../../solidity/compile.ts'
import { generateVerifier, requiredGas, verifyingKeyDigest } from '../../solidity/verifier.ts'
import { one, UsageError } from '../args.ts'
import { type CommandContext, command, type Result } from '../command.ts'
import { verifierOptions } from '../contracts.ts'
import { DEV_WARNING } from '../describe.ts'
import { table, thousands } from '../format.ts'
import {
  DRY_RUN,
  estimateJson,
  estimateText,
  openSending,
  SENDING_DETAILS,
  SENDING_OPTIONS,
  type Sending,
} from '../sending.ts'

const options = {
  ...SENDING_OPTIONS,
  shared: { type: 'flag', help: 'the contracts that all models share: key verifier, registry, inference verifier' },
  'phase-one': { type: 'flag', help: 'with --shared and DIR: bind the key verifier to the ceremony of DIR’s key' },
} as const

type Context = CommandContext<typeof options>

export const deploy = command({
  name: 'deploy',
  arguments: '[DIR]',
  summary: 'deploy the verifier contract, or the contracts that all models share',
  details:
    `${SENDING_DETAILS}\n` +
    '--shared deploys once what `register` then uses: with --phase-one, for the keys of one ceremony only, which makes models\n' +
    'cheaper to add and lets proofs of different models be verified in one batch.',
  options,
  examples: [
    'veritensor deploy artifacts/model --rpc http://127.0.0.1:8545',
    'VERITENSOR_PRIVATE_KEY=0x… veritensor deploy artifacts/model --rpc https://… --chain-id 1 --send',
    'veritensor deploy --shared --rpc http://127.0.0.1:8545',
  ],
  async run(context) {
    const { options: given, positionals, progress } = context
    const { shared, 'phase-one': bound } = given
    if (bound && !shared) throw new UsageError('--phase-one belongs to --shared')
    if (shared && !bound) {
      if (positionals.length > 0) throw new UsageError('deploy --shared takes no DIR, unless with --phase-one')
      return deployAll(context, {}, false)
    }
    const directory = one(positionals, 'deploy takes one DIR')
    const manifest = await readManifest(directory)
    progress.phase('check key')
    const key = await openCheckedKey(directory, manifest)
    progress.done()
    if (key.dev) progress.note(DEV_WARNING)
    return bound
      ? deployAll(context, { phaseOne: { name: manifest.key?.ptau?.file ?? 'development', of: key } }, key.dev)
      : deployOne(context, directory, manifest, key)
  },
})

/** The model's own verifier. */
async function deployOne(
  { options: given, progress, signal }: Context,
  directory: string,
  manifest: Manifest,
  key: VerifyingKey,
): Promise<Result> {
  const compressed = verifierOptions(manifest)
  const source = generateVerifier(key, compressed)
  const { connection, signer, from, dry } = await openSending(given)
  try {
    checkKeyForChain(key.dev, connection.chainId)
    progress.phase('compile contract')
    const compiled = await compileContract(source, 'Verifier')
    progress.done()
    const estimate = await estimateTransaction(connection, from, await deploymentRequest(compiled))
    progress.note(`deployment needs about ${estimateText(estimate)}`)
    const vkDigest = verifyingKeyDigest(key)
    const needed = requiredGas(key.nPublic, 1, compressed.compressedBytes)
    const json = {
      schema: 'veritensor/deploy@1',
      directory,
      dev: key.dev,
      dryRun: dry,
      chainId: Number(connection.chainId),
      estimate: estimateJson(estimate),
      codeBytes: compiled.deployedBytecode.length / 2 - 1,
      publicSignals: key.nPublic,
      publicBytes: compressed.compressedBytes ?? null,
      vkDigest,
      requiredGas: needed,
      warning: key.dev ? DEV_WARNING : null,
    }
    if (dry || signer === undefined)
      return {
        json: { ...json, address: null },
        text: [
          `the verifier of ${manifest.name} would take ${estimateText(estimate)} on chain id ${connection.chainId}`,
          DRY_RUN,
        ].join('\n'),
      }
    progress.phase('deploy')
    const deployment = await deployVerifier(connection, signer, compiled, { dev: key.dev, signal })
    progress.done()
    const { address, transactionHash, chainId, blockNumber, gasUsed } = deployment
    await recordDeployment(directory, { chainId: String(chainId), vkDigest, verifier: address })
    const hint = manifest.visibility.compressed ? ` --for ${chainId}:${address}` : ''
    return {
      json: { ...json, address, from: deployment.from, transactionHash, blockNumber, gasUsed: Number(gasUsed) },
      text: [
        ...(key.dev ? [DEV_WARNING] : []),
        `verifier of ${manifest.name} deployed at ${address}`,
        `  chain        ${chainId}, block ${blockNumber}, by ${deployment.from}`,
        `  transaction  ${transactionHash}`,
        `  gas          ${thousands(gasUsed)} used; estimated ${estimateText(estimate)}`,
        `  a proof      needs ${thousands(needed)} gas`,
        `  next         veritensor prove ${directory} --input FILE -o OUT${hint}`,
        `               veritensor verify ${directory} OUT --onchain --rpc ${connection.url}`,
      ].join('\n'),
    }
  } finally {
    connection.close()
  }
}

/** The contracts that all models share. */
async function deployAll(
  { options: given, progress, signal }: Context,
  how: SharedOptions,
  dev: boolean,
): Promise<Result> {
  const { connection, signer, from, dry }: Sending = await openSending(given)
  try {
    checkKeyForChain(dev, connection.chainId)
    progress.phase('compile contracts')
    const estimate = await estimateShared(connection, from, how)
    progress.done()
    progress.note(`deployment needs about ${estimateText(estimate)}`)
    const phaseOne = how.phaseOne?.name ?? null
    const json = {
      schema: 'veritensor/deploy-shared@1',
      dryRun: dry,
      chainId: Number(connection.chainId),
      phaseOne,
      estimate: estimateJson(estimate),
    }
    if (dry || signer === undefined)
      return {
        json,
        text: `the contracts would take ${estimateText(estimate)} on chain id ${connection.chainId}\n${DRY_RUN}`,
      }
    progress.phase('deploy')
    const { deployments, ...addresses } = await deployShared(connection, signer, how, { signal })
    progress.done()
    const gasUsed = deployments.reduce((sum, d) => sum + d.gasUsed, 0n)
    return {
      json: {
        ...{ ...json, ...addresses, gasUsed: Number(gasUsed), from: deployments[0]!.from },
        transactions: deployments.map(({ contract, transactionHash, gasUsed: gas }) => ({
          ...{ contract, transactionHash, gasUsed: Number(gas) },
        })),
      },
      text: [
        table(
          ['contract', 'address', 'gas'],
          deployments.map(({ contract, address, gasUsed: gas }) => [contract, address, thousands(gas)]),
        ),
        `on chain id ${connection.chainId}: ${thousands(gasUsed)} gas used, ${thousands(estimate.gas)} estimated`,
        `  next   veritensor register DIR --inference ${addresses.inferenceVerifier} --rpc ${connection.url}`,
      ].join('\n'),
    }
  } finally {
    connection.close()
  }
}
