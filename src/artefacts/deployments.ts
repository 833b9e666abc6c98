/**
 * Where the contracts of a directory's key stand: `deployments.json`, which commands that deploy and register keep, so that
 * others need not be told addresses. It is no artefact: whoever gets the directory should look the contracts up on the chain.
 * @module
 */
import { join } from 'node:path'
import { readRegularText } from '../files.ts'
import { ArtefactError } from './manifest.ts'
import { writeWhole } from './temporary.ts'

export const DEPLOYMENTS_FILE = 'deployments.json'

/** Contracts on one chain. */
export type DeploymentRecord = {
  readonly chainId: string
  /** Of the key; records of keys that were replaced are passed over. */
  readonly vkDigest: string
  /** The model's own verifier. */
  readonly verifier?: string
  /** Where the model is registered. */
  readonly inferenceVerifier?: string
  readonly modelId?: string
}

const isAddress = (value: unknown): boolean => typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value)
const isNumber = (value: unknown): boolean => typeof value === 'string' && /^[0-9]{1,78}$/.test(value)

function isRecord(value: unknown): value is DeploymentRecord {
  if (typeof value !== 'object' || value === null) return false
  const { chainId, vkDigest, verifier, inferenceVerifier, modelId } = value as Readonly<Record<string, unknown>>
  return (
    isNumber(chainId) &&
    typeof vkDigest === 'string' &&
    (verifier === undefined || isAddress(verifier)) &&
    (inferenceVerifier === undefined || isAddress(inferenceVerifier)) &&
    (modelId === undefined || isNumber(modelId))
  )
}

/** All records of a directory, none where it has no file. Throws ArtefactError `input/deployments`. */
export async function readDeployments(directory: string): Promise<DeploymentRecord[]> {
  const path = join(directory, DEPLOYMENTS_FILE)
  const text = await readRegularText(path).catch(() => undefined)
  if (text === undefined) return []
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  const { schema, deployments } = (value ?? {}) as { readonly schema?: unknown; readonly deployments?: unknown }
  if (schema !== 'veritensor/deployments@1' || !Array.isArray(deployments) || !deployments.every(isRecord))
    throw new ArtefactError('input/deployments', `${path} is no list of deployments`, {
      fix: 'remove the file, and name contracts on the command line',
    })
  return deployments
}

/** The record of a key on a chain. Throws likewise. */
export const findDeployment = async (
  directory: string,
  chainId: bigint,
  vkDigest: string,
): Promise<DeploymentRecord | undefined> =>
  (await readDeployments(directory)).find((r) => r.chainId === String(chainId) && r.vkDigest === vkDigest)

/** Adds to the record of a key on a chain. Throws likewise, and `input/unwritable`. */
export async function recordDeployment(directory: string, record: DeploymentRecord): Promise<void> {
  const all = await readDeployments(directory)
  const same = ({ chainId, vkDigest }: DeploymentRecord): boolean =>
    chainId === record.chainId && vkDigest === record.vkDigest
  const deployments = [...all.filter((r) => !same(r)), { ...all.find(same), ...record }]
  const text = `${JSON.stringify({ schema: 'veritensor/deployments@1', deployments }, null, 2)}\n`
  await writeWhole({ [join(directory, DEPLOYMENTS_FILE)]: text })
}
