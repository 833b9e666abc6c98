import { openModel } from '../../artefacts/compiled.ts'
import { recordDeployment } from '../../artefacts/deployments.ts'
import { readManifest } from '../../artefacts/directory.ts'
import { openCheckedKey } from '../../artefacts/keys.ts'
import type { Manifest } from '../../artefacts/manifest.ts'
import { openOwnWeights } from '../../artefacts/weights.ts'
import { modelRecord, type WeightsTold } from '../../chain/registration.ts'
import { deprecateRequest, registerRequest, sendRegistration, updateRequest } from '../../chain/registry.ts'
import { sharedContractsOf, storeKeyRequest } from '../../chain/sharedContracts.ts'
import { estimateTransaction, type GasEstimate, sendTransaction } from '../../chain/transact.ts'
import { verifyingKeyDigest } from '../../solidity/verifier.ts'
import { weightVisibility } from '../../visibility.ts'
import { one, UsageError } from '../args.ts'
import { command } from '../command.ts'
import { DEV_WARNING } from '../describe.ts'
import { thousands } from '../format.ts'
import { modelNumber } from '../numbers.ts'
import { DRY_RUN, estimateJson, estimateText, openSending, SENDING_DETAILS, SENDING_OPTIONS } from '../sending.ts'
import { expectedWeights } from '../weights.ts'

export const register = command({
  name: 'register',
  arguments: 'DIR',
  summary: 'register a model on chain (ERC-7992), update it, or take it out of use',
  details:
    'Stores the verifying key of DIR where the inference verifier looks for keys, unless it is there, and registers the\n' +
    'model: hashes of model, circuit, key and manifest, the ceremony, the form of its statements, and its weights where one\n' +
    'key serves several models: proofs about others are refused. --update gives a registered model a new version; old ones\n' +
    'are kept. --deprecate is final. `deploy --shared` deploys the contracts.\n' +
    SENDING_DETAILS,
  options: {
    ...SENDING_OPTIONS,
    inference: { type: 'string', value: 'ADDRESS', required: true, help: 'the inference verifier' },
    uri: { type: 'string', value: 'URI', help: 'where more can be read about the model' },
    'weights-digest': {
      type: 'string',
      value: 'HEX',
      help: 'digest of the model’s weights, where DIR serves several (default: of those that it was compiled with)',
    },
    update: { type: 'string', value: 'ID', help: 'add a version to this model' },
    deprecate: { type: 'string', value: 'ID', help: 'take this model out of use' },
  },
  examples: [
    'veritensor register artifacts/model --inference 0x9fE4… --rpc http://127.0.0.1:8545',
    'veritensor register artifacts/model --update 7 --inference 0x9fE4… --rpc https://… --send',
    'veritensor register artifacts/model --deprecate 7 --inference 0x9fE4… --rpc https://… --send',
  ],
  async run({ options, positionals, progress, signal }) {
    const directory = one(positionals, 'register takes one DIR')
    const [update, deprecate] = [options.update, options.deprecate].map((text) =>
      text === undefined ? undefined : modelNumber(text),
    )
    if (update !== undefined && deprecate !== undefined)
      throw new UsageError('--update and --deprecate exclude each other')
    const manifest = await readManifest(directory)
    progress.phase('check key')
    const key = await openCheckedKey(directory, manifest)
    progress.done()
    if (key.dev) progress.note(DEV_WARNING)
    const vkDigest = verifyingKeyDigest(key)
    const { connection, signer, from, dry } = await openSending(options)
    try {
      const { registry, keyVerifier, inferenceVerifier } = await sharedContractsOf(connection, options.inference!)
      const weights = await weightsTold(directory, manifest, options['weights-digest'])
      const record = modelRecord(manifest, { vkDigest, dev: key.dev }, options.uri, weights)
      const store = deprecate === undefined ? await storeKeyRequest(connection, keyVerifier, key) : undefined
      const request =
        deprecate !== undefined
          ? deprecateRequest(registry, deprecate)
          : update !== undefined
            ? updateRequest(connection, registry, update, record)
            : registerRequest(connection, registry, record)
      const estimates: GasEstimate[] = []
      for (const r of store === undefined ? [request] : [store, request])
        estimates.push(await estimateTransaction(connection, from, r))
      const estimate = {
        gas: estimates.reduce((sum, { gas }) => sum + gas, 0n),
        feeWei: estimates.some(({ feeWei }) => feeWei === null)
          ? null
          : estimates.reduce((sum, { feeWei }) => sum + feeWei!, 0n),
      }
      progress.note(`${request.what} needs about ${estimateText(estimate)}`)
      const json = {
        schema: 'veritensor/register@1',
        directory,
        dev: key.dev,
        dryRun: dry,
        chainId: Number(connection.chainId),
        ...{ registry, keyVerifier, inferenceVerifier },
        keyStored: store === undefined,
        record,
        estimate: estimateJson(estimate),
        warning: key.dev ? DEV_WARNING : null,
      }
      if (dry || signer === undefined)
        return {
          json: { ...json, modelId: null },
          text: `${request.what} would take ${estimateText(estimate)} on chain id ${connection.chainId}\n${DRY_RUN}`,
        }
      progress.phase('send')
      const stored = store && (await sendTransaction(connection, signer, store, { signal }))
      const sent = await sendRegistration(connection, signer, request, { signal })
      progress.done()
      const gasUsed = sent.gasUsed + (stored?.gasUsed ?? 0n)
      const modelId = String(sent.modelId)
      if (deprecate === undefined)
        await recordDeployment(directory, {
          ...{ chainId: String(connection.chainId), vkDigest, inferenceVerifier, modelId },
        })
      const done =
        deprecate !== undefined
          ? `model ${modelId} is out of use`
          : `${manifest.name} is ${update === undefined ? '' : 'a new version of '}model ${modelId}`
      const hint = manifest.visibility.compressed ? ` --for ${connection.chainId}:${inferenceVerifier}` : ''
      return {
        json: {
          ...{ ...json, modelId, gasUsed: Number(gasUsed) },
          ...{ keyGas: stored === undefined ? null : Number(stored.gasUsed), transactionHash: sent.transactionHash },
        },
        text: [
          ...(key.dev ? [DEV_WARNING] : []),
          `${done} of the registry ${registry} on chain id ${connection.chainId}`,
          `  transaction  ${sent.transactionHash}`,
          `  gas          ${thousands(gasUsed)} used; estimated ${estimateText(estimate)}`,
          ...(stored === undefined ? [] : [`  key          stored for ${thousands(stored.gasUsed)} of that`]),
          ...(deprecate === undefined
            ? [
                `  next         veritensor prove ${directory} --input FILE -o OUT${hint}`,
                `               veritensor verify ${directory} OUT --onchain --store --rpc ${connection.url}`,
              ]
            : []),
        ].join('\n'),
      }
    } finally {
      connection.close()
    }
  },
})

/** The weights that the registry shall demand. Throws UsageError, and as `openOwnWeights`. */
async function weightsTold(
  directory: string,
  manifest: Manifest,
  given: string | undefined,
): Promise<WeightsTold | undefined> {
  if (weightVisibility(manifest.visibility) !== 'public') {
    const digest = expectedWeights(directory, manifest, given)
    return digest === undefined ? undefined : { digest }
  }
  if (given !== undefined)
    throw new UsageError(`the weights of ${directory} are public: statements tell them, and no digest`)
  const { weights } = await openOwnWeights(directory, manifest, await openModel(directory, manifest))
  return { integers: weights.integers }
}
