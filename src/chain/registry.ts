/**
 * Models in a ModelRegistry (ERC-7992).
 * @module
 */
import { Contract, Interface, id, type Signer, ZeroHash } from 'ethers'
import { REGISTRY_ABI } from './abi.ts'
import { type Connection, requireCode } from './connect.ts'
import { checkKeyForChain } from './deploy.ts'
import { chainError } from './errors.ts'
import { type Request, sendTransaction, type Waiting } from './transact.ts'

/** Proof systems by name; contracts know them by four bytes. */
export const PROOF_SYSTEMS = {
  /** Public signals as they are. */
  direct: 'groth16-bn254-v1',
  /** Public tensors as bytes behind y, r, e (docs/input-compression.md). */
  compressed: 'groth16-bn254-yre-v1',
} as const

export type ProofSystem = keyof typeof PROOF_SYSTEMS

/** ERC-7992's identifier of a proof system: 0x and 8 hexadecimal digits. */
export const proofSystemId = (system: ProofSystem): string => id(PROOF_SYSTEMS[system]).slice(0, 10)

/** A version of a model as it is registered. Digests are 0x and 64 hexadecimal digits. */
export type ModelRecord = {
  readonly modelHash: string
  readonly circuitHash: string
  readonly vkHash: string
  readonly proofSystem: ProofSystem
  readonly uri: string
  readonly manifestDigest: string
  /** Name of the ceremony's phase 1; empty for development keys. */
  readonly phaseOne: string
  readonly dev: boolean
  /** Bytes of public outputs, and of other public values: of X with compression, else 32 for each signal. */
  readonly outputBytes: number
  readonly inputBytes: number
  /** With compression: public signals behind y, r, e. */
  readonly commitments: number
  /** Where the key leaves the weights open: the bytes of statements that tell them. */
  readonly weights?: StatedWeights
}

/** Bytes of a statement, counted in the commitments, 32 for each, and the input behind them; and their Keccak-256. */
export type StatedWeights = { readonly from: number; readonly bytes: number; readonly hash: string }

/** A model as the registry has it. */
export type RegisteredModel = {
  readonly modelId: bigint
  readonly owner: string
  readonly deprecated: boolean
  readonly version: bigint
  /** The version's record; `proofSystem` is undefined for systems of others. */
  readonly record: Omit<ModelRecord, 'proofSystem'> & { readonly proofSystem: ProofSystem | undefined }
}

const registryInterface = new Interface(REGISTRY_ABI)

const request = (registry: string, what: string, name: string, args: readonly unknown[]): Request => ({
  what,
  to: registry,
  data: registryInterface.encodeFunctionData(name, args),
  decoder: registryInterface,
})

const commitmentOf = ({ modelHash, circuitHash, vkHash, proofSystem, uri }: ModelRecord): unknown[] => [
  ...[modelHash, circuitHash, vkHash, proofSystemId(proofSystem), uri],
]
const detailsOf = (record: ModelRecord): unknown[] => {
  const { manifestDigest, phaseOne, dev, outputBytes, inputBytes, commitments, weights } = record
  const { from, bytes, hash } = weights ?? { from: 0, bytes: 0, hash: ZeroHash }
  return [manifestDigest, phaseOne, dev, outputBytes, inputBytes, commitments, from, bytes, hash]
}

/** The transaction that registers a model. @throws DevelopmentKeyChainError */
export function registerRequest(connection: Connection, registry: string, record: ModelRecord): Request {
  checkKeyForChain(record.dev, connection.chainId)
  return request(registry, 'registering the model', 'registerModelWithDetails', [
    commitmentOf(record),
    detailsOf(record),
  ])
}

/** The transaction that gives a model a new version. @throws DevelopmentKeyChainError */
export function updateRequest(connection: Connection, registry: string, modelId: bigint, record: ModelRecord): Request {
  checkKeyForChain(record.dev, connection.chainId)
  const args = [modelId, commitmentOf(record), detailsOf(record)]
  return request(registry, `updating model ${modelId}`, 'updateModelWithDetails', args)
}

/** The transaction that takes a model out of use. */
export const deprecateRequest = (registry: string, modelId: bigint): Request =>
  request(registry, `deprecating model ${modelId}`, 'deprecateModel', [modelId])

/** Sends one of the above; the number of the model that it was about. Throws as `sendTransaction`. */
export async function sendRegistration(
  connection: Connection,
  signer: Signer,
  what: Request,
  waiting: Waiting = {},
): Promise<{ readonly modelId: bigint; readonly gasUsed: bigint; readonly transactionHash: string }> {
  const receipt = await sendTransaction(connection, signer, what, waiting)
  const events = receipt.logs.flatMap((log) => registryInterface.parseLog(log) ?? [])
  const modelId = events.find(({ args }) => 'modelId' in args.toObject())!.args.modelId as bigint
  return { modelId, gasUsed: receipt.gasUsed, transactionHash: receipt.hash }
}

/**
 * A model and its version, by default the current one.
 * @throws RevertError (ModelNotFound, VersionNotFound, or no registry there), NoCodeError, UnreachableRpcError
 */
export async function readModel(
  connection: Connection,
  registry: string,
  modelId: bigint,
  version?: bigint,
): Promise<RegisteredModel> {
  await requireCode(connection, registry)
  const contract = new Contract(registry, REGISTRY_ABI, connection.provider)
  // biome-ignore lint/suspicious/noExplicitAny: what comes back has the form that the ABI tells
  const read = (name: string, ...args: readonly unknown[]): Promise<any> =>
    contract
      .getFunction(name)
      .staticCall(...args)
      .catch((cause) => {
        throw chainError(cause, `reading model ${modelId} of ${registry}`, connection.url, contract.interface)
      })
  const at = version ?? ((await read('versionCount', modelId)) as bigint)
  const [[, deprecated, owner], [commitment, details]] = await Promise.all([
    read('getModel', modelId),
    read('getVersion', modelId, at),
  ])
  const systems = Object.keys(PROOF_SYSTEMS) as ProofSystem[]
  const { weightsFrom, weightsBytes, weightsHash } = details
  const weights = { from: Number(weightsFrom), bytes: Number(weightsBytes), hash: weightsHash }
  return {
    modelId,
    owner,
    deprecated,
    version: at,
    record: {
      modelHash: commitment.modelHash,
      circuitHash: commitment.circuitHash,
      vkHash: commitment.vkHash,
      proofSystem: systems.find((system) => proofSystemId(system) === commitment.proofSystemId),
      uri: commitment.uri,
      manifestDigest: details.manifestDigest,
      phaseOne: details.phaseOne,
      dev: details.dev,
      outputBytes: Number(details.outputBytes),
      inputBytes: Number(details.inputBytes),
      commitments: Number(details.commitments),
      ...(weights.bytes === 0 ? {} : { weights }),
    },
  }
}
