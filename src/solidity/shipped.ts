/**
 * The contracts in verifier-contracts, which are the same for all models.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { packageRoot } from '../packageRoot.ts'
import { type CompiledContract, compileSources, deployable } from './compile.ts'

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

const compiled = new Map<ShippedContract, Promise<CompiledContract>>()

/**
 * Compiles one of them, once in a process.
 * @throws SolidityCompileError, CompilerMissingError, CodeSizeError as `compileContract`
 */
export function compileShipped(name: ShippedContract): Promise<CompiledContract> {
  const known = compiled.get(name)
  if (known !== undefined) return known
  const compiling = (async () => {
    const path = SHIPPED[name]
    const { contracts } = await compileSources(await sourcesFrom(path), path)
    return deployable(contracts, name)
  })()
  compiled.set(name, compiling)
  compiling.catch(() => compiled.delete(name)) // so that it can be tried again
  return compiling
}
