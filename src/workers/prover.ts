/**
 * Proving in worker threads: one inference, one task, one thread.
 * @module
 */
import { availableParallelism, freemem } from 'node:os'
import type { Circuit } from '../../circuits/circuit.ts'
import type { VerifyingKey } from '../groth16/keys.ts'
import { checkKeyOfCircuit, readZkey } from '../groth16/zkey.ts'
import { openPool, type RunOptions } from './pool.ts'
import type { ProveResult, ProverData, ProveTask } from './tasks.ts'

/** Makes proofs for one circuit with one key. */
export type Prover = {
  readonly verifyingKey: VerifyingKey
  readonly threads: number
  /**
   * Solves the circuit for inputs (public ones first) and proves it. The witness is checked before, the proof after.
   *
   * Throws what `solve` throws, as VeritensorError with the same code; `key/corrupt`; and what a pool throws:
   * `limit/queue-full`, `limit/worker-memory`, `internal/worker-died`, `aborted/by-caller`, `usage/pool-closed`.
   */
  prove(inputs: readonly (number | bigint)[], options?: RunOptions): Promise<ProveResult>
  /** Takes no more inputs, waits for the proofs under way, and ends the threads. */
  close(): Promise<void>
}

export type ProverOptions = {
  readonly circuit: Circuit
  /** The .zkey file. On shared memory (`readShared`) it is not copied. */
  readonly zkey: Uint8Array
  /** Proofs at a time. Default: as many as processors, but no more than fit into free memory. */
  readonly threads?: number | undefined
  /** Inferences that may wait while all threads are busy. Default: 2 for each thread. */
  readonly maxQueue?: number | undefined
  /** Limits of each thread's heap. WebAssembly memory does not count. */
  readonly resourceLimits?: { readonly maxOldGenerationSizeMb?: number } | undefined
}

/**
 * Checks the key, that it belongs to the circuit, and starts the threads.
 *
 * Throws `key/malformed-zkey`, `key/unsafe` and `key/other-circuit`.
 */
export async function openProver(options: ProverOptions): Promise<Prover> {
  const circuit = shareCircuit(options.circuit)
  const zkey = share(options.zkey)
  const key = readZkey(zkey)
  checkKeyOfCircuit(key, circuit)
  const workerData: ProverData = { circuit, zkey, verifyingKey: key.verifyingKey }
  const pool = openPool({
    threads: options.threads ?? defaultThreads(zkey.length),
    maxQueue: options.maxQueue,
    workerData,
    resourceLimits: options.resourceLimits,
  })
  return {
    verifyingKey: key.verifyingKey,
    threads: pool.threads,
    prove: (inputs, run) =>
      pool.run({ kind: 'prove', inputs: Array.from(inputs) } satisfies ProveTask, run) as Promise<ProveResult>,
    close: pool.close,
  }
}

/** A thread with snarkjs takes about 150 MB and three times its key (measured up to 2¹⁹ rows). */
function defaultThreads(zkeyBytes: number): number {
  const memory = process.availableMemory?.() ?? freemem()
  return Math.max(1, Math.min(availableParallelism(), Math.floor(memory / (150e6 + 3 * zkeyBytes))))
}

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
