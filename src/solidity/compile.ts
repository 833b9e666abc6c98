/**
 * Solidity to EVM bytecode with the WebAssembly build of solc from npm: no native compiler, no download.
 * @module
 */
import { VeritensorError } from '../errors.ts'

/** EVM versions to compile for, best first: the first that the installed solc knows is taken. */
const EVM_VERSIONS = ['osaka', 'prague', 'cancun'] as const

/** EIP-170: the most bytes of code that a contract may have on chain. */
export const MAX_CODE_BYTES = 24_576

/** EIP-3860: the most bytes of init code (constructor, contract and all that it creates) that a deployment may have. */
export const MAX_INIT_CODE_BYTES = 49_152

export type CompileOptions = {
  /** Optimiser's expected executions of each opcode, default 1,000,000: cheap to call rather than to deploy. */
  readonly runs?: number
  /** EVM versions in order of preference; default osaka, then older ones. Name an older one for chains behind Ethereum. */
  readonly evmVersions?: readonly string[]
  /** Compile through solc's intermediate representation; our verifiers are smaller without. */
  readonly viaIR?: boolean
}

/** One entry of a contract's JSON ABI; passed on to ethers as it is. */
export type AbiEntry = Readonly<Record<string, unknown>>

export type CompiledContract = {
  readonly name: string
  readonly abi: readonly AbiEntry[]
  /** Code to deploy, `0x…`: constructor and contract. */
  readonly bytecode: string
  /** Code as it will stand on chain, `0x…`; immutables are still zero. */
  readonly deployedBytecode: string
}

export type Compilation = {
  /** By contract name. Libraries and interfaces are there too. */
  readonly contracts: Readonly<Record<string, CompiledContract>>
  readonly warnings: readonly string[]
  /** As solc names it: 0.8.37+commit.… */
  readonly compiler: string
  readonly evmVersion: string
  /** Why `evmVersion` is not the first choice; absent if it is. */
  readonly evmVersionReason?: string
}

/** solc refused the source. */
export class SolidityCompileError extends VeritensorError {
  constructor(messages: readonly string[], compiler: string) {
    super('input/solidity', `solc ${compiler} refused the source:\n${messages.join('\n')}`, {
      details: { messages, compiler },
      fix: 'Correct the Solidity source; if Veritensor generated it, this is a bug worth reporting.',
    })
  }
}

/** solc could not be loaded. */
export class CompilerMissingError extends VeritensorError {
  constructor(cause: unknown) {
    super('environment/solc-missing', 'the Solidity compiler (npm package solc) could not be loaded', {
      fix: 'Run `npm install` again; the package solc must be in node_modules.',
      cause,
    })
  }
}

/** A contract that was asked for is not in the source. */
export class ContractMissingError extends VeritensorError {
  constructor(name: string, found: readonly string[]) {
    super('input/no-such-contract', `the source has no contract ${name} (it has ${found.join(', ') || 'none'})`, {
      details: { name, found },
      fix: 'Name one of the contracts of the source.',
    })
  }
}

/** The contract, or the code that deploys it, is larger than the EVM allows. */
export class CodeSizeError extends VeritensorError {
  constructor(name: string, kind: 'code' | 'init code', bytes: number) {
    const [maximum, rule] = kind === 'code' ? [MAX_CODE_BYTES, 'EIP-170'] : [MAX_INIT_CODE_BYTES, 'EIP-3860']
    super(
      kind === 'code' ? 'limit/code-size' : 'limit/init-code-size',
      `contract ${name} has ${bytes} bytes of ${kind}, more than the ${maximum} of ${rule}`,
      {
        details: { name, kind, bytes, maximum },
        fix: 'Use fewer public inputs (make the larger public tensor private), and compile without viaIR.',
      },
    )
  }
}

type Solc = { readonly compile: (input: string) => string; readonly version: () => string }
type SolcMessage = { readonly severity: string; readonly formattedMessage: string; readonly message: string }
type SolcOutput = {
  readonly errors?: readonly SolcMessage[]
  readonly contracts?: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly abi: readonly AbiEntry[]
            readonly evm: {
              readonly bytecode: { readonly object: string }
              readonly deployedBytecode: { readonly object: string }
            }
          }
        >
      >
    >
  >
}

let loading: Promise<Solc> | undefined

/** solc takes about a second to load, so it is loaded on first use. */
function loadSolc(): Promise<Solc> {
  loading ??= (async () => {
    // Emscripten's start-up code adds process-wide handlers, which would change how the program around us fails.
    const events = ['uncaughtException', 'unhandledRejection'] as const
    const before = events.map((event) => process.listeners(event as 'uncaughtException'))
    try {
      const module = (await import('solc')) as unknown as { readonly default: Solc }
      return module.default
    } catch (cause) {
      loading = undefined
      throw new CompilerMissingError(cause)
    } finally {
      events.forEach((event, i) => {
        for (const listener of process.listeners(event as 'uncaughtException'))
          if (!before[i]!.includes(listener)) process.removeListener(event, listener)
      })
    }
  })()
  return loading
}

/**
 * Compiles one self-contained source (no imports).
 * @throws SolidityCompileError with solc's messages
 * @throws CompilerMissingError if the package solc is not installed
 */
export const compileSolidity = (source: string, options: CompileOptions = {}): Promise<Compilation> =>
  compileSources({ 'source.sol': source }, 'source.sol', options)

/**
 * Compiles sources by path and returns the contracts of one of them. They import each other by paths that resolve to these.
 * @throws SolidityCompileError, CompilerMissingError as {@link compileSolidity}
 */
export async function compileSources(
  sources: Readonly<Record<string, string>>,
  wanted: string,
  options: CompileOptions = {},
): Promise<Compilation> {
  const solc = await loadSolc()
  const versions = options.evmVersions ?? EVM_VERSIONS
  for (const [i, evmVersion] of versions.entries()) {
    const input = {
      language: 'Solidity',
      sources: Object.fromEntries(Object.entries(sources).map(([path, content]) => [path, { content }])),
      settings: {
        optimizer: { enabled: true, runs: options.runs ?? 1_000_000 },
        viaIR: options.viaIR ?? false,
        evmVersion,
        outputSelection: { [wanted]: { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
      },
    }
    const output = JSON.parse(solc.compile(JSON.stringify(input))) as SolcOutput
    const messages = output.errors ?? []
    const errors = messages.filter(({ severity }) => severity === 'error')
    const unknownVersion = errors.some(({ message }) => /invalid EVM version/i.test(message))
    if (unknownVersion && i + 1 < versions.length) continue
    if (errors.length > 0)
      throw new SolidityCompileError(
        errors.map(({ formattedMessage }) => formattedMessage.trim()),
        solc.version(),
      )
    const contracts = Object.entries(output.contracts?.[wanted] ?? {}).map(([name, { abi, evm }]) => [
      name,
      {
        name,
        abi,
        bytecode: `0x${evm.bytecode.object}`,
        deployedBytecode: `0x${evm.deployedBytecode.object}`,
      } satisfies CompiledContract,
    ])
    return {
      contracts: Object.fromEntries(contracts),
      warnings: messages
        .filter(({ severity }) => severity === 'warning')
        .map(({ formattedMessage }) => formattedMessage.trim()),
      compiler: solc.version(),
      evmVersion,
      ...(i === 0
        ? {}
        : { evmVersionReason: `solc ${solc.version()} does not know EVM version ${versions.slice(0, i).join(', ')}` }),
    }
  }
  throw new RangeError('compileSources: no EVM version was given')
}

/**
 * Compiles and picks one contract that is to be deployed.
 * @throws ContractMissingError if the source does not define it
 * @throws CodeSizeError if its code is larger than EIP-170 allows, or its init code than EIP-3860 does
 * @throws SolidityCompileError, CompilerMissingError as {@link compileSolidity}
 */
export async function compileContract(
  source: string,
  name: string,
  options: CompileOptions = {},
): Promise<CompiledContract> {
  const { contracts } = await compileSolidity(source, options)
  return deployable(contracts, name)
}

/** The contract of a name, if it can be deployed. Throws as {@link compileContract}. */
export function deployable(contracts: Compilation['contracts'], name: string): CompiledContract {
  const contract = Object.hasOwn(contracts, name) ? contracts[name] : undefined
  if (contract === undefined) throw new ContractMissingError(name, Object.keys(contracts))
  const [bytes, initBytes] = [contract.deployedBytecode, contract.bytecode].map((code) => code.length / 2 - 1)
  if (bytes! > MAX_CODE_BYTES) throw new CodeSizeError(name, 'code', bytes!)
  if (initBytes! > MAX_INIT_CODE_BYTES) throw new CodeSizeError(name, 'init code', initBytes!)
  return contract
}
