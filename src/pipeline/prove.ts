import { setMaxListeners } from 'node:events'
import { circuitAssignment } from '../compile.ts'
import { VeritensorError } from '../errors.ts'
import type { Proof, VerifyingKey } from '../groth16/keys.ts'
import type { IntegerModel } from '../model/model.ts'
import { type OutOfRange, quantiseInput } from '../quantise/ports.ts'
import type { Sample } from '../samples/samples.ts'
import { type Compressed, checkDestination, type Destination, OFF_CHAIN } from '../solidity/compression.ts'
import { verifyingKeyDigest } from '../solidity/verifier.ts'
import { formatShape, sizeOf } from '../tensor.ts'
import { openProver, type ProverOptions } from '../workers/prover.ts'
import type { ProofStats } from '../workers/tasks.ts'
import type { Compiled } from './compileModel.ts'
import { compressor, keyMissing } from './compressed.ts'
import { type Opening, opener, saltsFor } from './opening.ts'
import { layoutOf, type PublicTensor, readSignals } from './signals.ts'
import { type WeightSet, weightsFor } from './weights.ts'

/** A proof that the model, run on a sample, gives what the public signals say. */
export type Inference = {
  readonly proof: Proof
  readonly publicSignals: readonly bigint[]
  /** The public signals in the model's own units: its outputs, inputs and weights, as far as they are public. */
  readonly statement: readonly PublicTensor[]
  /** What opens the commitments among the public signals: for those only who may know the tensors. */
  readonly openings: readonly Opening[]
  /** Where public tensors are compressed: their bytes, and for whom the proof is. */
  readonly compressed?: Compressed
  readonly stats: ProofStats
}

export type ProveOptions = Pick<ProverOptions, 'threads' | 'maxQueue' | 'resourceLimits' | 'mode' | 'engine'> & {
  /** What to do with values outside the calibrated range; default: refuse. */
  readonly outOfRange?: OutOfRange
  /** What errors call the samples; default: their positions. */
  readonly names?: readonly string[]
  /** For every sample one salt, in [0, r), for each input that is committed with a salt; default: drawn here. */
  readonly salts?: readonly (readonly bigint[])[]
  /** Another weight set of the architecture; default: that of the compiled model. */
  readonly weights?: WeightSet
  /** For whom proofs of compressed tensors are: a contract on a chain. Default: for verification off the chain alone. */
  readonly destination?: Destination
  readonly signal?: AbortSignal
  /** Called with the finished share of all proofs in [0, 1], never less than before, and how many are complete. */
  readonly onProgress?: (fraction: number, complete: number) => void
  /** Called with each proof as it is made, in any order. A rejection ends the work. */
  readonly onProof?: (inference: Inference, index: number) => void | Promise<void>
}

/**
 * Integers of each of a model's inputs for a sample.
 *
 * Throws ModelError `input/wrong-shape`, `input/not-finite`, `input/out-of-range`, or VeritensorError `input/count`.
 */
export function integersOf(model: IntegerModel, sample: Sample, outOfRange: OutOfRange): Float64Array[] {
  return model.inputs.map((port) => {
    const tensor = sample.get(port.name)
    if (tensor === undefined) throw new VeritensorError('input/count', `input "${port.name}" is missing`)
    // a tensor of another length would shift the inputs after it
    if (tensor.data.length !== sizeOf(tensor.shape))
      throw new VeritensorError(
        'input/wrong-shape',
        `input "${port.name}" has ${tensor.data.length} values for its shape ${formatShape(tensor.shape)}`,
      )
    return quantiseInput(port, tensor, outOfRange)
  })
}

/**
 * What the circuit of a model takes for a sample. Salts, one for each input whose digest has one, are drawn where they are
 * not given. Where public tensors are compressed, the verifying key is needed, and for whom the proof is.
 *
 * Throws as `integersOf`, VeritensorError `input/salt`, `input/weights`, `usage/compressed`, and DestinationError.
 */
export const circuitInputs = (
  { model, visibility, weights }: Pick<Compiled, 'model' | 'visibility' | 'weights'>,
  sample: Sample,
  options: {
    readonly outOfRange?: OutOfRange
    readonly salts?: readonly bigint[]
    /** Default: those of the compiled model. */
    readonly weights?: WeightSet
    readonly verifyingKey?: VerifyingKey
    /** Default: for verification off the chain alone. */
    readonly destination?: Destination
  } = {},
): (number | bigint)[] => {
  const inputs = integersOf(model, sample, options.outOfRange ?? 'refuse')
  const set = weightsFor(model, options.weights ?? weights)
  if (visibility.compressed && options.verifyingKey === undefined) throw keyMissing()
  const digest = options.verifyingKey === undefined ? '' : verifyingKeyDigest(options.verifyingKey)
  const compress = compressor(visibility, model, digest, options.destination ?? OFF_CHAIN, set?.integers)
  return circuitAssignment(
    model,
    visibility,
    inputs,
    saltsFor(visibility, model, options.salts),
    set,
    compress?.(inputs).r,
  )
}

/**
 * Proves an inference for every sample and returns them in the order of the samples: as many at a time as there are
 * threads, or one on all threads where it is alone. All samples are checked before the first proof begins. To prove samples as
 * they come, keep a prover open
 * (`openProver`) and give it `circuitInputs`.
 *
 * Throws `input/wrong-shape`, `input/not-finite`, `input/out-of-range`, `key/malformed-zkey`, `key/malformed-qkey`, `key/unsafe`,
 * `key/other-circuit`, `key/other-key`, `key/corrupt`, `input/salt`, `input/weights`, `usage/destination`, `limit/worker-memory`,
 * `internal/worker-died` and `aborted/by-caller`.
 */
export async function prove(
  compiled: Pick<Compiled, 'model' | 'circuit' | 'visibility' | 'weights'>,
  keys: { readonly zkey: Uint8Array; readonly qkey?: Uint8Array | undefined },
  samples: Iterable<Sample>,
  options: ProveOptions = {},
): Promise<Inference[]> {
  const { model, circuit, visibility } = compiled
  const { outOfRange = 'refuse', names, onProgress, onProof } = options
  const weights = weightsFor(model, options.weights ?? compiled.weights)
  const naming = (error: unknown, i: number): unknown => named(error, names?.[i] ?? `sample ${i}`)
  const jobs = Array.from(samples, (sample, i) => {
    try {
      const inputs = integersOf(model, sample, outOfRange)
      return { inputs, salts: saltsFor(visibility, model, options.salts && (options.salts[i] ?? [])) }
    } catch (error) {
      throw naming(error, i)
    }
  })
  if (jobs.length === 0) return []
  const layout = layoutOf(visibility, model)
  const open = opener(visibility, model, weights?.integers)
  const destination = options.destination ?? OFF_CHAIN
  checkDestination(destination)
  const threads = threadsFor(jobs.length, circuit.rows, options)
  const prover = await openProver({
    ...options,
    circuit,
    zkey: keys.zkey,
    qkey: keys.qkey,
    threads,
    expected: jobs.length,
  })
  const vkDigest = verifyingKeyDigest(prover.verifyingKey)
  const compress = compressor(visibility, model, vkDigest, destination, weights?.integers)
  // the first failure ends the others
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  setMaxListeners(0, signal)
  const done = new Float64Array(jobs.length)
  let [sum, complete] = [0, 0]
  let failure: { readonly error: unknown } | undefined
  const one = async ({ inputs, salts }: Job, i: number): Promise<Inference | undefined> => {
    try {
      const compression = compress?.(inputs)
      const { proof, publicSignals, stats } = await prover.prove(
        circuitAssignment(model, visibility, inputs, salts, weights, compression?.r),
        {
          signal,
          whenFull: 'wait',
          onProgress(fraction) {
            sum += fraction - done[i]!
            done[i] = fraction
            onProgress?.(Math.min(sum / jobs.length, 1), complete)
          },
        },
      )
      const statement = readSignals(layout, publicSignals, compression?.x)
      const inference: Inference = {
        ...{ proof, publicSignals, statement, openings: open(inputs, salts, statement), stats },
        ...(compression && { compressed: { ...destination, x: compression.x } }),
      }
      await onProof?.(inference, i)
      complete++
      onProgress?.(complete === jobs.length ? 1 : Math.min(sum / jobs.length, 1), complete)
      return inference
    } catch (error) {
      failure ??= { error: naming(error, i) }
      stop.abort()
      return undefined
    }
  }
  try {
    const made = new Array<Inference | undefined>(jobs.length)
    let next = 0
    // with open weights the inputs of one proof are many: those of all at once could be too many
    const lane = async (): Promise<void> => {
      while (next < jobs.length && failure === undefined) {
        const i = next++
        made[i] = await one(jobs[i]!, i)
      }
    }
    await Promise.all(Array.from({ length: 2 * prover.threads }, lane))
    if (failure !== undefined) throw failure.error
    return made as Inference[]
  } finally {
    await prover.close()
  }
}

type Job = { readonly inputs: readonly Float64Array[]; readonly salts: readonly bigint[] }

/** Rows above which a single proof is worth the start of more threads. */
const ROWS_FOR_MANY = 10_000

/** All threads for many proofs, and for a large one; one thread for a small one. */
const threadsFor = (jobs: number, rows: number, { threads }: ProveOptions): number | undefined =>
  jobs > 1 ? threads && Math.min(threads, jobs) : (threads ?? (rows > ROWS_FOR_MANY ? undefined : 1))

/** The error with the name of the sample before its message. */
function named(error: unknown, name: string): unknown {
  if (!(error instanceof VeritensorError) || error.category === 'aborted') return error
  const { code, message, details, fix } = error
  if (!['input', 'circuit'].includes(error.category)) return error
  return new VeritensorError(code, `${name}: ${message}`, {
    details: { ...details, sample: name },
    ...(fix === undefined ? {} : { fix }),
    cause: error,
  })
}
