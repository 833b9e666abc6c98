/**
 * The contracts in verifier-contracts, which are the same for all models.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { packageRoot } from '../packageRoot.ts'
import { type CompiledContract, type CompileOptions, compileSources, deployable } from './compile.ts'

/** Where each contract is, below verifier-contracts. */
export const SHIPPED = {
  UniversalVerifier: 'verifiers/UniversalVerifier.sol',
  PhaseOneVerifier: 'verifiers/PhaseOneVerifier.sol',
  ModelRegistry: 'registry/ModelRegistry.sol',
  InferenceVerifier: 'registry/InferenceVerifier.sol',
  AgentValidator: 'adapters/AgentValidator.sol',
  ClassBounty: 'consumers/examples/ClassBounty.sol',
  GatedMint: 'consumers/examples/GatedMint.sol',
} as const

export type ShippedContract = keyof typeof SHIPPED

/** Text of a file below verifier-contracts. */
export const readShipped = (path: string): Promise<string> =>
  readFile(join(packageRoot, 'verifier-contracts', path), 'utf8')

/** A file with all that it imports, by path. */
async function sourcesFrom(path: string, found: Record<string, string> = {}): Promise<Record<string, string>> {
  if (found[path] !== undefined) return found
  const text = await readShipped(path)
  found[path] = text
  for (const [, imported] of text.matchAll(/^import [^"]*"(\.[^"]+)";$/gm))
    await sourcesFrom(posix.normalize(posix.join(dirname(path), imported!)), found)
  return found
}

/**
 * Compiles one of them.
 * @throws SolidityCompileError, CompilerMissingError, CodeSizeError as `compileContract`
 */
export async function compileShipped(name: ShippedContract, options: CompileOptions = {}): Promise<CompiledContract> {
  const path = SHIPPED[name]
  const { contracts } = await compileSources(await sourcesFrom(path), path, options)
  return deployable(contracts, name)
}
