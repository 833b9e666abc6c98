/**
 * Proving in worker threads.
 * @module
 */
import { availableParallelism, freemem } from 'node:os'
import type { Circuit } from '../../circuits/circuit.ts'
import { MAX_BYTES } from '../engine/layout.ts'
import { openSession } from '../engine/session.ts'
import { chooseEngine, type EngineChoice } from '../engine/variant.ts'
import type { VerifyingKey } from '../groth16/keys.ts'
import { readQuotientKey } from '../groth16/qkey.ts'
import { checkKeyOfCircuit, readZkey } from '../groth16/zkey.ts'
import { type Mode, openEngineProver } from './engineProver.ts'
import { openPool, type Pool, type ResourceLimits, type RunOptions } from './pool.ts'
import type { Checks, ProveResult, ProverData, ProveTask } from './tasks.ts'

/** Makes proofs for one circuit with one key. */
export type Prover = {
  readonly verifyingKey: VerifyingKey
  readonly threads: number
  readonly engine: EngineChoice
  /**
   * Solves the circuit for inputs (public ones first) and proves it. The witness is checked before, the proof after (but see
   * `checks`).
   *
   * Throws what `solve` throws, as VeritensorError with the same code; `key/corrupt`; `environment/engine-self-test` where
   * verifiers of ours disagree; and what a pool throws:
   * `limit/queue-full`, `limit/worker-memory`, `internal/worker-died`, `aborted/by-caller`, `usage/pool-closed`.
   */
  prove(inputs: readonly (number | bigint)[], options?: ProveRun): Promise<ProveResult>
  /** Takes no more inputs, waits for the proofs under way, and ends the threads. */
  close(): Promise<void>
}

export type ProveRun = RunOptions & {
  /** How threads share the work; not for snarkjs, which proves on one thread each. Default: that of the prover. */
  readonly mode?: Mode | undefined
}

export type ProverOptions = {
  readonly circuit: Circuit
  /** The .zkey file. On shared memory (`readShared`) it is not copied. */
  readonly zkey: Uint8Array
  /** The .qkey file that was made with it: proofs are faster. snarkjs has no use for it. */
  readonly qkey?: Uint8Array | undefined
  /**
   * About how many proofs will be made: for many with a small key, preparation takes longer (a third of a second at 2^13 rows) and
   * each proof less. Default: many.
   */
  readonly expected?: number | undefined
  /** Threads. Default: as many as processors, but no more than fit into free memory. */
  readonly threads?: number | undefined
  /** Inferences that may wait while all threads are busy. Default: 2 for each thread. */
  readonly maxQueue?: number | undefined
  /** Limits of each thread's heap. WebAssembly memory does not count. */
  readonly resourceLimits?: ResourceLimits | undefined
  /** Default: `auto`, all threads on a proof that is alone, else one thread for each. */
  readonly mode?: Mode | undefined
  /**
   * Which proofs are verified before they are given out. Default: `every`. A proof that went wrong (damaged memory, a key
   * with wrong points) convinces nobody, so that `first`, which verifies the first one of each thread, puts no verifier at
   * risk; but whoever asked for the proof is then the one who finds out. And an invalid proof can tell whoever made the key
   * wrong about private values: `first` is for keys that you made or compared yourself. The first proof of a thread is verified as by
   * `verify`; our engine then verifies further ones itself, in a millisecond or two each.
   */
  readonly checks?: Checks | undefined
  /** Default: what VERITENSOR_ENGINE says, else the fastest that this machine can run. */
  readonly engine?: EngineChoice | undefined
}

/**
 * Checks the key, that it belongs to the circuit, reads it into the engine's memory and starts the threads.
 *
 * Throws `key/malformed-zkey`, `key/malformed-qkey`, `key/unsafe`, `key/other-circuit`, `key/other-key`, `limit/engine-memory`,
 * `environment/engine` and `environment/engine-self-test`.
 */
export async function openProver(options: ProverOptions): Promise<Prover> {
  const circuit = shareCircuit(options.circuit)
  const engine = options.engine ?? chooseEngine()
  const zkey = engine === 'snarkjs' ? share(options.zkey) : options.zkey
  const key = readZkey(zkey)
  checkKeyOfCircuit(key, circuit)
  const { verifyingKey } = key
  const pool = (
    threads: number,
    maxQueue: number | undefined,
    workerData: ProverData,
    resourceLimits: ResourceLimits | undefined = options.resourceLimits,
  ): Pool =>
    openPool({
      ...{ threads, maxQueue, resourceLimits },
      workerData: { ...workerData, checks: options.checks },
    })
  if (engine === 'snarkjs') {
    const threads = options.threads ?? threadsWithin(3 * zkey.length)
    const { run, close, ...rest } = pool(threads, options.maxQueue, { engine, circuit, zkey, verifyingKey })
    const task = (inputs: readonly (number | bigint)[]): ProveTask => ({
      ...{ kind: 'prove', source: { inputs: Array.from(inputs) }, slot: -1, place: -1 },
    })
    return {
      ...{ verifyingKey, engine, threads: rest.threads, close },
      prove: (inputs, options) => run(task(inputs), options) as Promise<ProveResult>,
    }
  }
  const threads = Math.max(1, Math.floor(options.threads ?? threadsWithin(0)))
  const session = await openSession({
    ...{ key, threads, proofs: threads, wideWire: circuit.wideWire },
    quotientKey: options.qkey && readQuotientKey(options.qkey, key),
    variant: engine,
    expected: options.expected ?? Number.POSITIVE_INFINITY,
    bytes: Math.min(MAX_BYTES, freeMemory()),
  })
  // what a proof leaves on a thread's heap is little and short-lived: a larger nursery would only keep it for longer
  const limits = { maxYoungGenerationSizeMb: 8, ...options.resourceLimits }
  const workers = pool(threads, Number.MAX_SAFE_INTEGER, { engine: 'ours', circuit, session }, limits)
  const maxQueue = Math.max(0, Math.floor(options.maxQueue ?? 2 * threads))
  const prover = openEngineProver(session, workers, maxQueue, options.mode ?? 'auto')
  return {
    ...{ verifyingKey, engine, threads, close: prover.close },
    prove: (inputs, run) => prover.prove({ inputs: Array.from(inputs) }, run),
  }
}

const freeMemory = (): number => process.availableMemory?.() ?? freemem()

/** As many threads as there are processors, and as fit into free memory: each takes about 150 MB, with snarkjs also `more`. */
const threadsWithin = (more: number): number =>
  Math.max(1, Math.min(availableParallelism(), Math.floor(freeMemory() / (150e6 + more))))

type TypedArray = Uint8Array | Uint32Array | Int32Array | Float64Array

/** The array on shared memory: itself if it lies there already. */
function share<T extends TypedArray>(array: T): T {
  if (array.buffer instanceof SharedArrayBuffer) return array
  const Constructor = Object.getPrototypeOf(array).constructor as { new (buffer: SharedArrayBuffer): T }
  const type = Buffer.isBuffer(array) ? (Uint8Array as unknown as typeof Constructor) : Constructor
  const copy = new type(new SharedArrayBuffer(array.byteLength))
  copy.set(array)
  return copy
}

/** The circuit with its arrays on shared memory, so that threads receive references. */
export function shareCircuit(circuit: Circuit): Circuit {
  const isTyped = (value: unknown): value is TypedArray => ArrayBuffer.isView(value)
  const entries = Object.entries(circuit).map(([key, value]) => [key, isTyped(value) ? share(value) : value])
  return Object.fromEntries(entries) as Circuit
}
