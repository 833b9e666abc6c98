import { findDeployment } from '../../artefacts/deployments.ts'
import { readManifest } from '../../artefacts/directory.ts'
import { openVerifyingKey } from '../../artefacts/keys.ts'
import type { Manifest } from '../../artefacts/manifest.ts'
import { connect } from '../../chain/connect.ts'
import { openLocalVerifier } from '../../chain/localVerifier.ts'
import { AbortedError, VeritensorError } from '../../errors.ts'
import { ProofFormatError, type VerifyingKey } from '../../groth16/keys.ts'
import { verifierOf } from '../../groth16/verify.ts'
import { checkCompressed } from '../../pipeline/compressed.ts'
import { byteCount, hex, type PublicTensor, readSignals } from '../../pipeline/signals.ts'
import { statedWeights } from '../../pipeline/weights.ts'
import type { Destination } from '../../solidity/compression.ts'
import { verifyingKeyDigest } from '../../solidity/verifier.ts'
import { UsageError } from '../args.ts'
import { command } from '../command.ts'
import { verifierOptions } from '../contracts.ts'
import { DEV_WARNING, describeStatement, statementJson } from '../describe.ts'
import { checkExpected, destinationJson, destinationText, parseExpected } from '../destination.ts'
import { counted, table, thousands } from '../format.ts'
import { modelNumber } from '../numbers.ts'
import { findProofs, type ReadProof, readProof } from '../proofFiles.ts'
import { DRY_RUN, estimateJson, openSending, SENDING_OPTIONS, type Sending } from '../sending.ts'
import { askRegistered, askVerifier, type Chain, type ChainAnswer } from '../verifying.ts'
import { expectedWeights } from '../weights.ts'

type Verdict = {
  readonly name: string
  /** Every verifier that was asked accepts the proof. */
  readonly valid: boolean
  /** Why not, where the proof is none at all. */
  readonly malformed?: VeritensorError
  /** The proof is for another contract or context than it must be; no contract was asked. */
  readonly elsewhere?: VeritensorError
  /** Of compressed tensors: for whom the proof is. */
  readonly destination?: Destination
  readonly offChain: boolean
  readonly onChain?: ChainAnswer
  /** What the public signals say, true or not. */
  readonly statement: readonly PublicTensor[]
  /** Digest of the weights that it is about, where they are not part of the key, and whether it is the expected one. */
  readonly weights?: bigint | undefined
  readonly sameWeights?: boolean
}

export const verify = command({
  name: 'verify',
  arguments: 'DIR PROOF…',
  summary: 'verify proofs, off the chain and on it',
  details:
    'PROOF is a file or a folder of NAME.proof.json with NAME.public.json beside it. Every proof is verified here; --anvil\n' +
    'also deploys the contract on a chain of its own and sends each proof as a transaction, --rpc asks a contract that is\n' +
    'deployed already. Where the circuit does not hold the weights, proofs for others than those of --weights-digest are\n' +
    'refused. Proofs of compressed tensors are each for a contract, or for none, and bound to a context: off the chain any\n' +
    'is accepted and printed, unless --for or --ctx says which must be. The exit code is 4 unless all are valid.',
  options: {
    public: { type: 'string', value: 'FILE', help: 'public signals of a single PROOF, if not beside it' },
    'weights-digest': {
      type: 'string',
      value: 'HEX',
      help: 'digest of the weights that are trusted, as commit prints it (default: of those that DIR was compiled with)',
    },
    for: {
      type: 'string',
      value: 'CHAINID:ADDRESS',
      help: 'refuse proofs that are for another contract; local: that of --anvil',
    },
    ctx: { type: 'string', value: 'HEX', help: 'refuse proofs that are bound to another context' },
    anvil: { type: 'flag', help: 'start a local chain, deploy the contract there, and verify on it too' },
    rpc: { type: 'string', value: 'URL', help: 'JSON-RPC endpoint: verify with a deployed contract too' },
    contract: { type: 'string', value: 'ADDRESS', help: 'with --rpc: the model’s own verifier' },
    inference: { type: 'string', value: 'ADDRESS', help: 'with --rpc and --model: the inference verifier' },
    model: { type: 'string', value: 'ID', help: 'with --inference: the model’s number in the registry' },
    onchain: { type: 'flag', help: 'with --rpc: ask the contracts that deploy and register noted down in DIR' },
    record: { type: 'flag', help: 'send each proof that is accepted as a transaction, to have it on record' },
    store: { type: 'flag', help: 'with a registered model: the same, and the inference verifier keeps it' },
    keystore: SENDING_OPTIONS.keystore,
    send: SENDING_OPTIONS.send,
  },
  examples: [
    'veritensor verify artifacts/model proofs',
    'veritensor verify artifacts/model proofs/a.proof.json --anvil',
    'veritensor verify artifacts/model proofs --rpc http://127.0.0.1:8545 --contract 0x5FbD…',
    'veritensor verify artifacts/model proofs --onchain --store --rpc http://127.0.0.1:8545',
  ],
  async run({ options, positionals, progress, signal }) {
    const [directory, ...paths] = positionals
    if (directory === undefined || paths.length === 0) throw new UsageError('verify takes a DIR and at least one PROOF')
    checkOptions(options)
    const files = await findProofs(paths, options.public)
    const manifest = await readManifest(directory)
    const expected = expectedWeights(directory, manifest, options['weights-digest'])
    const named = options.for !== undefined || options.ctx !== undefined
    if (named && manifest.visibility.compressed !== true)
      throw new UsageError(`--for and --ctx belong to compressed tensors; proofs of ${directory} are for everyone`)
    const destination = parseExpected(options.for, options.ctx)
    const key = await openVerifyingKey(directory, manifest)
    const [isValid, vkDigest] = [verifierOf(key), verifyingKeyDigest(key)]
    if (key.dev) progress.note(DEV_WARNING)

    let chain: Chain | undefined
    if (options.anvil) {
      progress.phase('deploy on anvil')
      chain = await localChain(key, manifest, signal)
      progress.done()
    } else if (options.rpc !== undefined) chain = await remoteChain(options, directory, manifest, key, signal)
    const verdicts: Verdict[] = []
    try {
      progress.phase('verify')
      for (const [i, file] of files.entries()) {
        await new Promise(setImmediate) // for Ctrl-C
        if (signal.aborted) throw new AbortedError('verify')
        progress.update(i / files.length)
        const read = await readProof(file, key.nPublic, byteCount(manifest.signals))
        verdicts.push({
          name: file.name,
          ...(await judge(read, manifest, { isValid, vkDigest, expected, destination, chain })),
        })
      }
      progress.done(counted(files.length, 'proof'))
    } finally {
      await chain?.close()
    }

    const invalid = verdicts.filter(({ valid }) => !valid).length
    const rows = verdicts.map((verdict) => {
      const { name, valid, malformed, elsewhere, offChain, onChain, statement, weights, sameWeights } = verdict
      const { outputs, largest } = describeStatement(statement)
      const other = sameWeights === false ? `OTHER WEIGHTS ${weights === undefined ? '' : hex(weights)}: ` : ''
      const word = (accepted: boolean): string => (accepted ? 'valid' : 'INVALID')
      return [
        name,
        malformed === undefined ? word(offChain) : 'MALFORMED',
        ...(chain === undefined
          ? []
          : [onChain === undefined ? 'not asked' : word(onChain.valid), gasText(onChain?.gasUsed)]),
        (malformed ?? elsewhere)?.message ?? `${other}${valid ? '' : 'claims '}${outputs}`,
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
        dryRun: chain?.dry ?? false,
        proofs: verdicts.map(
          ({ valid, malformed, elsewhere, offChain, onChain, statement, weights, sameWeights, destination }, i) => ({
            ...files[i],
            valid,
            offChain,
            weights: weights === undefined ? null : hex(weights),
            sameWeights: sameWeights ?? null,
            destination: destination === undefined ? null : destinationJson(destination),
            onChain: onChain?.valid ?? null,
            gasUsed: onChain?.gasUsed === undefined ? null : Number(onChain.gasUsed),
            estimate: onChain?.estimate === undefined ? null : estimateJson(onChain.estimate),
            transactionHash: onChain?.transactionHash ?? null,
            inferenceId: onChain?.inferenceId ?? null,
            stored: onChain?.stored ?? null,
            error: errorJson(malformed ?? elsewhere),
            statement: statementJson(statement),
          }),
        ),
        warning: key.dev ? DEV_WARNING : null,
      },
      text: [
        table(['proof', 'off-chain', ...(chain === undefined ? [] : ['on-chain', 'gas']), 'output', 'largest'], rows),
        ...(chain === undefined ? [] : [`contract ${chain.address} on chain id ${chain.chainId}`]),
        ...destinationLines(verdicts),
        ...verdicts.flatMap(({ onChain }) => (onChain?.stored ? [`stored as ${onChain.inferenceId}`] : [])),
        ...gasComparison(verdicts),
        ...(chain?.dry ? [DRY_RUN] : []),
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

const gasText = (gas: bigint | undefined): string => (gas === undefined ? '' : thousands(gas))

const errorJson = (error: VeritensorError | undefined) =>
  error === undefined ? null : { code: error.code, message: error.message }

/** Gas that was used against what was estimated, of all transactions together. */
function gasComparison(verdicts: readonly Verdict[]): string[] {
  const sum = (gas: (answer: ChainAnswer) => bigint | undefined): bigint =>
    verdicts.reduce((total, { onChain }) => total + ((onChain && gas(onChain)) ?? 0n), 0n)
  const [used, estimated] = [sum(({ gasUsed }) => gasUsed), sum(({ estimate }) => estimate?.gas)]
  if (estimated === 0n) return []
  return [
    used === 0n
      ? `${thousands(estimated)} gas estimated`
      : `${thousands(used)} gas used, ${thousands(estimated)} estimated`,
  ]
}

/** For whom valid proofs are, each destination once, with how many it has. */
function destinationLines(verdicts: readonly Verdict[]): string[] {
  const counts = new Map<string, number>()
  for (const { valid, destination } of verdicts)
    if (valid && destination !== undefined) {
      const text = destinationText(destination)
      counts.set(text, (counts.get(text) ?? 0) + 1)
    }
  return [...counts].map(([text, count]) => `${counted(count, 'valid proof')} ${text}`)
}

type Judges = {
  readonly isValid: ReturnType<typeof verifierOf>
  readonly vkDigest: string
  readonly expected: bigint | undefined
  readonly destination: Partial<Destination>
  readonly chain: Chain | undefined
}

/** The answers about one proof. What is malformed is not sent anywhere. */
async function judge(
  read: Awaited<ReturnType<typeof readProof>>,
  manifest: Manifest,
  { isValid, vkDigest, expected, destination, chain }: Judges,
): Promise<Omit<Verdict, 'name'>> {
  if (read instanceof VeritensorError) return { valid: false, malformed: read, offChain: false, statement: [] }
  const { proof, publicSignals, compressed } = read
  try {
    const statement = readSignals(manifest.signals, publicSignals, compressed?.x)
    // r and e are computed here, from the bytes that the statement was read from
    if (compressed !== undefined) checkCompressed(vkDigest, publicSignals, compressed)
    const offChain = isValid(publicSignals, proof)
    const asked = await askChain(chain, read, destination)
    const accepted = offChain && asked.elsewhere === undefined && asked.onChain?.valid !== false
    const base = { offChain, ...asked, statement, ...(compressed && { destination: compressed }) }
    if (expected === undefined) return { ...base, valid: accepted }
    const weights = statedWeights(manifest.weights!.tensors, statement)
    return { ...base, valid: accepted && weights === expected, weights, sameWeights: weights === expected }
  } catch (error) {
    if (error instanceof ProofFormatError) return { valid: false, malformed: error, offChain: false, statement: [] }
    throw error
  }
}

/** The contract's answer, or why it was not asked. */
async function askChain(
  chain: Chain | undefined,
  read: ReadProof,
  destination: Partial<Destination>,
): Promise<{ readonly onChain?: ChainAnswer; readonly elsewhere?: VeritensorError }> {
  try {
    if (read.compressed !== undefined) checkExpected(read.compressed, destination)
    const onChain = await chain?.ask(read)
    return onChain === undefined ? {} : { onChain }
  } catch (error) {
    if (error instanceof VeritensorError && error.code === 'proof/other-destination') return { elsewhere: error }
    throw error
  }
}

type Given = {
  readonly anvil: boolean
  readonly onchain: boolean
  readonly record: boolean
  readonly store: boolean
  readonly send: boolean
  readonly rpc: string | undefined
  readonly contract: string | undefined
  readonly inference: string | undefined
  readonly model: string | undefined
  readonly keystore: string | undefined
}

/** Throws UsageError for options that don't go together. */
function checkOptions({ anvil, onchain, record, store, rpc, contract, inference, model }: Given): void {
  if (anvil && rpc !== undefined) throw new UsageError('--anvil and --rpc exclude each other')
  const ways = [onchain, contract !== undefined, inference !== undefined].filter(Boolean).length
  if (ways > 1) throw new UsageError('--onchain, --contract and --inference exclude each other')
  if ((rpc === undefined) !== (ways === 0))
    throw new UsageError('--rpc URL belongs to --contract ADDRESS, --inference ADDRESS or --onchain')
  if ((inference === undefined) !== (model === undefined))
    throw new UsageError('--inference ADDRESS and --model ID belong together')
  if ((record || store) && rpc === undefined) throw new UsageError('--record and --store need --rpc')
  if (store && contract !== undefined)
    throw new UsageError('--store belongs to a registered model: --inference and --model, or --onchain')
}

async function localChain(key: VerifyingKey, manifest: Manifest, signal: AbortSignal): Promise<Chain> {
  const { deployment, verify, close } = await openLocalVerifier(key, { ...verifierOptions(manifest), signal })
  return {
    ask: ({ proof, publicSignals, compressed }) => verify(proof, publicSignals, compressed),
    address: deployment.address,
    chainId: deployment.chainId,
    dry: false,
    close,
  }
}

async function remoteChain(
  given: Given,
  directory: string,
  manifest: Manifest,
  key: VerifyingKey,
  signal: AbortSignal,
): Promise<Chain> {
  const sends = given.record || given.store
  const sending: Sending = sends
    ? await openSending({ ...given, 'chain-id': undefined })
    : { connection: await connect(given.rpc!), signer: undefined, from: '', dry: false }
  const { connection } = sending
  try {
    const vkDigest = verifyingKeyDigest(key)
    const noted = given.onchain ? await findDeployment(directory, connection.chainId, vkDigest) : undefined
    const verifier = given.contract ?? (given.store ? undefined : noted?.verifier)
    const registered =
      given.inference !== undefined
        ? { inferenceVerifier: given.inference, modelId: modelNumber(given.model!) }
        : noted?.inferenceVerifier !== undefined && noted.modelId !== undefined
          ? { inferenceVerifier: noted.inferenceVerifier, modelId: BigInt(noted.modelId) }
          : undefined
    if (verifier === undefined && registered === undefined)
      throw new UsageError(
        `${directory} notes down no contract${given.store ? ' of a registered model' : ''} for its key on chain id ${connection.chainId}`,
        `run \`veritensor ${given.store ? 'register' : 'deploy'} ${directory} …\`, or name the contract`,
      )
    const how = { manifest, vkDigest, sending, sends, store: given.store, signal }
    return {
      // a proof of compressed tensors says which of the two it is for
      ask: (read) =>
        registered !== undefined && (verifier === undefined || isFor(read, registered.inferenceVerifier))
          ? askRegistered(registered, read, how)
          : askVerifier(verifier!, read, how),
      address: verifier ?? registered!.inferenceVerifier,
      chainId: connection.chainId,
      dry: sending.dry && sends,
      close: connection.close,
    }
  } catch (error) {
    connection.close()
    throw error
  }
}

const isFor = ({ compressed }: ReadProof, address: string): boolean =>
  compressed?.contract.toLowerCase() === address.toLowerCase()
