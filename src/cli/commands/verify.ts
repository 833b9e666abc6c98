import { readManifest } from '../../artefacts/directory.ts'
import { openVerifyingKey } from '../../artefacts/keys.ts'
import type { Manifest } from '../../artefacts/manifest.ts'
import { connect } from '../../chain/connect.ts'
import { openLocalVerifier } from '../../chain/localVerifier.ts'
import { type OnchainVerification, verifyOnchain } from '../../chain/verifyOnchain.ts'
import { AbortedError, VeritensorError } from '../../errors.ts'
import { type Proof, ProofFormatError, type VerifyingKey } from '../../groth16/keys.ts'
import { verifierOf } from '../../groth16/verify.ts'
import { hex, type PublicTensor, readSignals } from '../../pipeline/signals.ts'
import { statedWeights } from '../../pipeline/weights.ts'
import { verifyingKeyDigest } from '../../solidity/verifier.ts'
import { UsageError } from '../args.ts'
import { command } from '../command.ts'
import { verifierOptions } from '../contracts.ts'
import { DEV_WARNING, describeStatement, statementJson } from '../describe.ts'
import { counted, table, thousands } from '../format.ts'
import { findProofs, readProof } from '../proofFiles.ts'
import { parseElement } from '../weights.ts'

/** Asks a contract about a proof. */
type Ask = (proof: Proof, publicSignals: readonly bigint[]) => Promise<OnchainVerification>

/** Where proofs are verified besides here. */
type Chain = { readonly ask: Ask; readonly address: string; readonly chainId: bigint; close(): Promise<void> | void }

type Verdict = {
  readonly name: string
  /** Every verifier that was asked accepts the proof. */
  readonly valid: boolean
  /** Why not, where the proof is none at all. */
  readonly malformed?: VeritensorError
  readonly offChain: boolean
  readonly onChain?: OnchainVerification
  /** Digest of the weights that the proof is for, where they are not part of the key. */
  readonly weights?: bigint | undefined
  /** Whether these are the weights that are asked for. */
  readonly sameWeights?: boolean
  /** What the public signals say, true or not. */
  readonly statement: readonly PublicTensor[]
}

export const verify = command({
  name: 'verify',
  arguments: 'DIR PROOF…',
  summary: 'verify proofs, off the chain and on it',
  details:
    'PROOF is a file or a folder of NAME.proof.json with NAME.public.json beside it. Every proof is verified here; --anvil\n' +
    'also deploys the contract on a chain of its own and sends each proof as a transaction, --rpc asks a contract that is\n' +
    'deployed already. Where the circuit does not hold the weights, proofs for others than those of --weights-digest are\n' +
    'refused. The exit code is 4 unless all are valid.',
  options: {
    public: { type: 'string', value: 'FILE', help: 'public signals of a single PROOF, if not beside it' },
    'weights-digest': {
      type: 'string',
      value: 'HEX',
      help: 'digest of the weights that are trusted, as commit prints it (default: of those that DIR was compiled with)',
    },
    anvil: { type: 'flag', help: 'start a local chain, deploy the contract there, and verify on it too' },
    rpc: { type: 'string', value: 'URL', help: 'JSON-RPC endpoint: verify with a deployed contract too' },
    contract: { type: 'string', value: 'ADDRESS', help: 'with --rpc: the contract' },
  },
  examples: [
    'veritensor verify artifacts/model proofs',
    'veritensor verify artifacts/model proofs/a.proof.json --anvil',
    'veritensor verify artifacts/model proofs --rpc http://127.0.0.1:8545 --contract 0x5FbD…',
  ],
  async run({ options, positionals, progress, signal }) {
    const [directory, ...paths] = positionals
    if (directory === undefined || paths.length === 0) throw new UsageError('verify takes a DIR and at least one PROOF')
    if ((options.rpc === undefined) !== (options.contract === undefined))
      throw new UsageError('--rpc URL and --contract ADDRESS belong together')
    if (options.anvil && options.rpc !== undefined) throw new UsageError('--anvil and --rpc exclude each other')
    const files = await findProofs(paths, options.public)
    const manifest = await readManifest(directory)
    const expected = expectedWeights(directory, manifest, options['weights-digest'])
    const key = await openVerifyingKey(directory, manifest)
    const isValid = verifierOf(key)
    if (key.dev) progress.note(DEV_WARNING)

    let chain: Chain | undefined
    if (options.anvil) {
      progress.phase('deploy on anvil')
      chain = await localChain(key, manifest, signal)
      progress.done()
    } else if (options.rpc !== undefined) chain = await remoteChain(options.rpc, options.contract!, key, signal)
    const verdicts: Verdict[] = []
    try {
      progress.phase('verify')
      for (const [i, file] of files.entries()) {
        await new Promise(setImmediate) // for Ctrl-C
        if (signal.aborted) throw new AbortedError('verify')
        progress.update(i / files.length)
        const read = await readProof(file, key.nPublic)
        verdicts.push({ name: file.name, ...(await judge(read, manifest, isValid, expected, chain?.ask)) })
      }
      progress.done(counted(files.length, 'proof'))
    } finally {
      await chain?.close()
    }

    const invalid = verdicts.filter(({ valid }) => !valid).length
    const rows = verdicts.map(({ name, valid, malformed, offChain, onChain, statement, weights, sameWeights }) => {
      const { outputs, largest } = describeStatement(statement)
      const other = sameWeights === false ? `OTHER WEIGHTS ${weights === undefined ? '' : hex(weights)}: ` : ''
      const word = (accepted: boolean): string => (accepted ? 'valid' : 'INVALID')
      return [
        name,
        malformed === undefined ? word(offChain) : 'MALFORMED',
        ...(chain === undefined
          ? []
          : [onChain === undefined ? 'not asked' : word(onChain.valid), gasText(onChain?.gasUsed)]),
        malformed?.message ?? `${other}${valid ? '' : 'claims '}${outputs}`,
        malformed === undefined ? largest : '',
      ]
    })
    return {
      json: {
        schema: 'veritensor/verify@1',
        directory,
        dev: key.dev,
        valid: invalid === 0,
        weights: expected === undefined ? null : hex(expected),
        chain: chain === undefined ? null : { chainId: Number(chain.chainId), address: chain.address },
        proofs: verdicts.map(({ valid, malformed, offChain, onChain, statement, weights, sameWeights }, i) => ({
          ...files[i],
          valid,
          offChain,
          weights: weights === undefined ? null : hex(weights),
          sameWeights: sameWeights ?? null,
          onChain: onChain?.valid ?? null,
          gasUsed: onChain?.gasUsed === undefined ? null : Number(onChain.gasUsed),
          transactionHash: onChain?.transactionHash ?? null,
          error: malformed === undefined ? null : { code: malformed.code, message: malformed.message },
          statement: statementJson(statement),
        })),
        warning: key.dev ? DEV_WARNING : null,
      },
      text: [
        table(['proof', 'off-chain', ...(chain === undefined ? [] : ['on-chain', 'gas']), 'output', 'largest'], rows),
        ...(chain === undefined ? [] : [`contract ${chain.address} on chain id ${chain.chainId}`]),
        ...(expected === undefined ? [] : [`weights ${hex(expected)}`]),
        invalid === 0
          ? `${counted(verdicts.length, 'proof')}: valid`
          : `${counted(verdicts.length, 'proof')}: ${invalid} do NOT verify`,
        ...(key.dev ? [DEV_WARNING] : []),
      ].join('\n'),
      exitCode: invalid === 0 ? 0 : 4,
    }
  },
})

/** The digest that proofs must be for, where the weights are not part of the key. */
function expectedWeights(directory: string, { weights }: Manifest, given: string | undefined): bigint | undefined {
  if (weights === undefined && given !== undefined)
    throw new UsageError(
      `the weights of ${directory} are fixed: its key stands for them, and --weights-digest for nothing`,
    )
  return given === undefined ? weights && BigInt(weights.digest) : parseElement(given, 'a digest')
}

const gasText = (gas: bigint | undefined): string => (gas === undefined ? '' : thousands(gas))

/** The answers about one proof. What is malformed is not sent anywhere. */
async function judge(
  read: Awaited<ReturnType<typeof readProof>>,
  manifest: Manifest,
  isValid: ReturnType<typeof verifierOf>,
  expected: bigint | undefined,
  ask: Ask | undefined,
): Promise<Omit<Verdict, 'name'>> {
  if (read instanceof VeritensorError) return { valid: false, malformed: read, offChain: false, statement: [] }
  const { proof, publicSignals } = read
  try {
    const statement = readSignals(manifest.signals, publicSignals)
    const offChain = isValid(publicSignals, proof)
    const onChain = await ask?.(proof, publicSignals)
    const accepted = offChain && onChain?.valid !== false
    const base = { offChain, ...(onChain && { onChain }), statement }
    if (expected === undefined) return { ...base, valid: accepted }
    const weights = statedWeights(manifest.weights!.tensors, statement)
    return { ...base, valid: accepted && weights === expected, weights, sameWeights: weights === expected }
  } catch (error) {
    if (error instanceof ProofFormatError) return { valid: false, malformed: error, offChain: false, statement: [] }
    throw error
  }
}

async function localChain(key: VerifyingKey, manifest: Manifest, signal: AbortSignal): Promise<Chain> {
  const { deployment, verify, close } = await openLocalVerifier(key, { ...verifierOptions(manifest), signal })
  return { ask: verify, address: deployment.address, chainId: deployment.chainId, close }
}

async function remoteChain(url: string, address: string, key: VerifyingKey, signal: AbortSignal): Promise<Chain> {
  const connection = await connect(url)
  const vkDigest = verifyingKeyDigest(key)
  return {
    ask: (proof, publicSignals) => verifyOnchain(connection, address, proof, publicSignals, { vkDigest, signal }),
    address,
    chainId: connection.chainId,
    close: connection.close,
  }
}
