import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeTensors } from '../../../circuits/compression.ts'
import { saveCompiled } from '../../artefacts/compiled.ts'
import { addArtefact, FILES } from '../../artefacts/directory.ts'
import { type Keys, setupDirectory } from '../../artefacts/keys.ts'
import { ArtefactError, type Manifest } from '../../artefacts/manifest.ts'
import { discard, makeFolder, temporaryBeside, unwritable, writeWhole } from '../../artefacts/temporary.ts'
import { AnvilMissingError, findAnvil } from '../../chain/anvil.ts'
import { LOCAL_DESTINATION, type LocalVerifier, openLocalVerifier } from '../../chain/localVerifier.ts'
import type { OnchainVerification } from '../../chain/verifyOnchain.ts'
import { AbortedError, VeritensorError } from '../../errors.ts'
import { estimateCircuit } from '../../estimate.ts'
import { runFloat } from '../../graph/run.ts'
import { encodePublicSignals, ProofFormatError, type VerifyingKey } from '../../groth16/keys.ts'
import { verifierOf } from '../../groth16/verify.ts'
import { packageRoot } from '../../packageRoot.ts'
import { type Compiled, compileModel } from '../../pipeline/compileModel.ts'
import { signalsOf } from '../../pipeline/compressed.ts'
import { type Inference, prove } from '../../pipeline/prove.ts'
import { firstLargest } from '../../quantise/report.ts'
import { decodeSamples, type Sample } from '../../samples/samples.ts'
import { OFF_CHAIN } from '../../solidity/compression.ts'
import { generateVerifier, verifyingKeyDigest } from '../../solidity/verifier.ts'
import { UsageError } from '../args.ts'
import { command, type Result } from '../command.ts'
import { verifierOptions } from '../contracts.ts'
import { flipBit, forgeClass } from '../demo/forgery.ts'
import { type Answer, type Attempt, type Digit, demoResult } from '../demo/result.ts'
import { DEV_WARNING } from '../describe.ts'
import { thousands } from '../format.ts'
import type { Progress } from '../progress.ts'
import { PROOF_SUFFIX, PUBLIC_SUFFIX, proofText } from '../proofFiles.ts'

/** Digits that are proved: the first rows of the example's samples. */
const DIGITS = 10

export const demo = command({
  name: 'demo',
  arguments: '',
  summary: 'prove ten handwritten digits, verify them on a local chain, and try to cheat',
  details:
    'Compiles the MNIST example that comes with Veritensor, sets up a development key, proves ten digits on all cores, and\n' +
    'verifies every proof here and by a transaction on a chain of its own. Then it claims another class, and corrupts a\n' +
    'proof. Everything happens in a temporary folder that is removed at the end.',
  options: {
    'off-chain': { type: 'flag', help: 'without a chain, for machines that have no anvil' },
    keep: { type: 'string', value: 'DIR', help: 'leave model, keys, contract and proofs in DIR' },
  },
  examples: ['veritensor demo', 'veritensor demo --keep artifacts/demo', 'veritensor demo --off-chain'],
  async run({ options, positionals, progress, signal }) {
    if (positionals.length > 0) throw new UsageError('demo takes no arguments')
    const onChain = !options['off-chain']
    if (onChain) requireAnvil()
    const directory = options.keep ?? temporaryBeside(join(tmpdir(), 'veritensor-demo'))
    try {
      return await run(directory, { onChain, kept: options.keep !== undefined, progress, signal })
    } finally {
      if (options.keep === undefined) await discard(directory)
    }
  },
})

/** Finds out before long work that there is no chain to verify on. */
function requireAnvil(): void {
  try {
    findAnvil()
  } catch (error) {
    if (!(error instanceof AnvilMissingError)) throw error
    const { code, message, details, fix } = error
    const other = 'To go without a chain: veritensor demo --off-chain'
    throw new VeritensorError(code, message, { details, fix: `${fix} ${other}`, cause: error })
  }
}

type Context = {
  readonly onChain: boolean
  readonly kept: boolean
  readonly progress: Progress
  readonly signal: AbortSignal
}

async function run(directory: string, context: Context): Promise<Result> {
  const { onChain, kept, progress, signal } = context
  const started = performance.now()
  const seconds: Record<string, number> = {}
  const timed = async <T>(name: string, estimate: number | undefined, body: () => Promise<T>): Promise<T> => {
    // what runs in this thread gives Ctrl-C no chance
    await new Promise(setImmediate)
    if (signal.aborted) throw new AbortedError('the demo')
    progress.phase(name, estimate)
    const start = performance.now()
    const result = await body()
    seconds[name] = (performance.now() - start) / 1000
    return result
  }

  const { compiled, samples, labels, pixels } = await timed('compile', undefined, async () => {
    const example = await readExample()
    const made = compileExample(example, (fraction) => progress.update(fraction))
    await saveCompiled(directory, made.compiled)
    progress.done(`${thousands(made.compiled.circuit.rows)} rows`)
    return { ...made, labels: example.labels }
  })
  const estimate = estimateCircuit(compiled.circuit)

  progress.note(DEV_WARNING)
  const { keys, manifest } = await timed('set-up', estimate.setupSeconds, async () => {
    const made = await setupDirectory(directory, { dev: true, signal, onProgress: progress.update })
    const source = generateVerifier(made.keys.verifyingKey, verifierOptions(made.manifest))
    await addArtefact(directory, made.manifest, FILES.verifier, source)
    progress.done()
    return made
  })

  const proofs = join(directory, 'proofs')
  const inferences = await timed('prove', undefined, async () => {
    await makeFolder(proofs).catch((cause) => {
      throw unwritable(proofs, cause)
    })
    const made = await prove(compiled, keys, samples, {
      signal,
      destination: { ...LOCAL_DESTINATION, ctx: OFF_CHAIN.ctx },
      onProgress: (fraction, complete) => progress.update(fraction, `${complete} of ${samples.length}`),
      onProof: ({ proof, publicSignals, compressed }, i) =>
        writeWhole({
          [join(proofs, `digit-${i}${PUBLIC_SUFFIX}`)]:
            `${JSON.stringify(encodePublicSignals(publicSignals), null, 1)}\n`,
          [join(proofs, `digit-${i}${PROOF_SUFFIX}`)]: proofText(proof, compressed),
        }),
    })
    progress.done(`${made.length} proofs`)
    return made
  })

  const isValid = claimVerifier(keys.verifyingKey)
  const offChain = await timed('verify off-chain', undefined, async () => {
    const answers = inferences.map(isValid)
    progress.done(`${answers.filter(Boolean).length} of ${answers.length} valid`)
    return answers
  })
  const chain = onChain ? await timed('deploy', undefined, () => deploy(keys, manifest, context)) : undefined
  try {
    const onChainAnswers: OnchainVerification[] = []
    if (chain !== undefined)
      await timed('verify on-chain', undefined, async () => {
        for (const { proof, publicSignals, compressed } of inferences) {
          onChainAnswers.push(await chain.verify(proof, publicSignals, compressed))
          progress.update(onChainAnswers.length / inferences.length)
        }
        progress.done(`${onChainAnswers.filter(({ valid }) => valid).length} of ${inferences.length} valid`)
      })
    const digits = inferences.map(({ statement, stats }, i): Digit => {
      const float = runFloat(compiled.graph, samples[i]!).get(compiled.graph.outputs[0]!)!
      return {
        label: labels[i]!,
        pixels: pixels[i]!,
        proved: firstLargest(statement[0]!.values),
        float: firstLargest(float.data),
        seconds: (stats.witnessMs + stats.proofMs + stats.checkMs) / 1000,
        offChain: offChain[i]!,
        ...(onChainAnswers[i] === undefined ? {} : { onChain: onChainAnswers[i] }),
      }
    })
    const attempts = await timed('cheat', undefined, async () => {
      const made = await cheat(inferences[0]!, manifest.signals, isValid, chain)
      progress.done()
      return made
    })
    const total = (performance.now() - started) / 1000
    const verifier = chain && { ...chain.deployment, codeBytes: chain.codeBytes }
    return demoResult({ digits, attempts, compiled, verifier, seconds, total, kept: kept ? directory : undefined })
  } finally {
    await chain?.close()
  }
}

/** Files of the example as bytes, and the classes of its samples. */
async function readExample() {
  const folder = join(packageRoot, 'examples', 'mnist')
  const read = (name: string): Promise<Buffer> =>
    readFile(join(folder, name)).catch((cause) => {
      throw new ArtefactError('input/missing-file', `the example file ${join(folder, name)} can't be read`, {
        fix: 'install Veritensor again: the package comes with the folder examples',
        cause,
      })
    })
  const [model, calibration, samples, about] = await Promise.all(
    ['model.onnx', 'calibration.npy', 'samples.npy', 'example.json'].map(read),
  )
  const { labels } = JSON.parse(about!.toString()) as { readonly labels: readonly number[] }
  return { model: model!, calibration: calibration!, samples: samples!, labels }
}

function compileExample(
  { model, calibration, samples }: Awaited<ReturnType<typeof readExample>>,
  onProgress: (fraction: number) => void,
): { readonly compiled: Compiled; readonly samples: readonly Sample[]; readonly pixels: readonly Float64Array[] } {
  const compiled = compileModel(model, {
    calibration: (graph) => decodeSamples(graph, { path: 'calibration.npy', bytes: calibration }),
    compress: true,
    onProgress: (phase, fraction) => {
      if (phase === 'compile') onProgress(fraction) // the others are short
    },
  })
  const digits = decodeSamples(compiled.graph, { path: 'samples.npy', bytes: samples }).slice(0, DIGITS)
  const input = compiled.graph.inputs[0]!.name
  return { compiled, samples: digits, pixels: digits.map((sample) => sample.get(input)!.data) }
}

async function deploy(
  { verifyingKey }: Keys,
  manifest: Manifest,
  { progress, signal }: Context,
): Promise<LocalVerifier> {
  const chain = await openLocalVerifier(verifyingKey, { ...verifierOptions(manifest), signal })
  const { gasUsed } = chain.deployment
  progress.done(`${thousands(chain.codeBytes)} bytes of code, ${thousands(gasUsed)} gas`)
  return chain
}

type Claim = Pick<Inference, 'proof' | 'publicSignals' | 'compressed'>

/** Whether a proof shows what it is said to be about: r and e are computed here. Throws ProofFormatError. */
function claimVerifier(verifyingKey: VerifyingKey): (claim: Claim) => boolean {
  const [isValid, vkDigest] = [verifierOf(verifyingKey), verifyingKeyDigest(verifyingKey)]
  return ({ proof, publicSignals, compressed }) => {
    const signals = compressed === undefined ? publicSignals : signalsOf(vkDigest, publicSignals, compressed)
    return isValid(signals, proof)
  }
}

/** Claims another class with an honest proof, and the honest class with a corrupted proof. */
async function cheat(
  inference: Inference,
  layout: Manifest['signals'],
  isValid: (claim: Claim) => boolean,
  chain: LocalVerifier | undefined,
): Promise<Attempt[]> {
  const off = (claim: Claim): Answer => {
    try {
      const valid = isValid(claim)
      return { refused: !valid, why: valid ? 'the proof verifies' : 'the proof does not verify' }
    } catch (error) {
      if (!(error instanceof ProofFormatError)) throw error
      return { refused: true, why: error.message }
    }
  }
  const on = async ({ proof, publicSignals, compressed }: Claim): Promise<Answer> => {
    const { valid } = await chain!.verify(proof, publicSignals, compressed)
    return { refused: !valid, why: `the contract answers ${valid}` }
  }
  const scores = inference.statement[0]!.integers
  const forged = forgeClass(scores)
  const lies: readonly (readonly [what: string, Claim])[] = [
    [
      `claim class ${forged.to} instead of ${forged.from}, with the same proof`,
      { ...inference, compressed: { ...inference.compressed!, x: outputBytes(layout, forged.scores) } },
    ],
    ['flip one bit of the proof', { ...inference, proof: flipBit(inference.proof) }],
  ]
  const attempts: Attempt[] = []
  for (const [what, claim] of lies)
    attempts.push({ what, offChain: off(claim), ...(chain === undefined ? {} : { onChain: await on(claim) }) })
  return attempts
}

/** The bytes of the model's one public tensor, its output. */
function outputBytes(layout: Manifest['signals'], scores: readonly bigint[]): Uint8Array {
  const { lo, hi } = layout[0]!.bytes!
  return encodeTensors([{ count: scores.length, lo, hi }], [scores])
}
