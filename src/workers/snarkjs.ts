/**
 * snarkjs inside a worker thread. ffjavascript, on which it stands, starts threads of its own through web-worker 1.2,
 * which takes any worker thread for one that it started and throws on import. Here that package is replaced before
 * anything loads it, and one single-threaded curve per thread serves all calls, which otherwise build one each.
 * @module
 */
import { createRequire } from 'node:module'
import { isMainThread } from 'node:worker_threads'

type MemoryFile = { readonly type: 'mem'; readonly data: Uint8Array }
type Logger = Readonly<Record<'debug' | 'info' | 'warn' | 'error', (message: string) => void>>

/** The part of snarkjs 0.7.6 that we call. */
export type Snarkjs = {
  readonly groth16: {
    prove(zkey: MemoryFile, wtns: MemoryFile, logger: Logger): Promise<{ proof: unknown; publicSignals: unknown }>
  }
}

type Loaded = { readonly snarkjs: () => Snarkjs }

let loaded: Promise<Loaded> | undefined

/** snarkjs and its curve, ready for this thread. Worker threads only: elsewhere it would change other users' snarkjs. */
export function loadSnarkjs(): Promise<Loaded> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<Loaded> {
  if (isMainThread) throw new Error('snarkjs is for worker threads only')
  const require = createRequire(import.meta.url)
  const fromSnarkjs = createRequire(require.resolve('snarkjs'))
  const fromFfjavascript = createRequire(fromSnarkjs.resolve('ffjavascript'))
  const id = fromFfjavascript.resolve('web-worker')
  const exports = function NestedWorker() {
    throw new Error('nested threads are disabled')
  }
  require.cache[id] = { id, filename: id, loaded: true, exports } as unknown as NodeJS.Module
  // the very copy that snarkjs loads: others would not see its curve
  const { buildBn128 } = fromSnarkjs('ffjavascript') as { buildBn128(singleThread: boolean): Promise<unknown> }
  const curve = await buildBn128(true)
  const snarkjs = (): Snarkjs => {
    const module = require('snarkjs') as Snarkjs
    Object.assign(globalThis, { curve_bn128: curve }) // where ffjavascript looks for a curve that exists
    return module
  }
  return { snarkjs }
}

/** What snarkjs 0.7.6 logs as it enters a phase, the phase's share of the time, and our word for it. */
const PHASES: readonly (readonly [prefix: string, share: number, phase: string])[] = [
  // measured on one thread and 99,971 rows of a quantised layer, whose B side is bits; full-size values shift time to B2
  ['Reading Wtns', 0.005, 'rows'],
  ['Building ABC', 0.07, 'rows'],
  ['IFFT_A', 0.065, 'polynomials'],
  ['IFFT_B', 0.065, 'polynomials'],
  ['IFFT_C', 0.065, 'polynomials'],
  ['Join ABC', 0.005, 'polynomials'],
  ['Reading A Points', 0.01, 'sum A'],
  ['Reading B1 Points', 0.02, 'sum B1'],
  ['Reading B2 Points', 0.065, 'sum B2'],
  ['Reading C Points', 0.03, 'sum C'],
  ['Reading H Points', 0.6, 'sum H'],
]
const WHOLE = PHASES.reduce((sum, [, share]) => sum + share, 0)

/** A logger for snarkjs that turns its messages into the finished share of a proof, which never goes back. */
export function progressLogger(onProgress: (fraction: number, phase: string) => void): Logger {
  let current = -1
  let before = 0 // shares of the finished phases
  let last = -1
  const report = (fraction: number): void => {
    if (fraction <= last) return
    last = fraction
    onProgress(Math.min(fraction, 1), PHASES[Math.max(current, 0)]![2])
  }
  const debug = (message: string): void => {
    const entered = PHASES.findIndex(([prefix], i) => i > current && message.startsWith(prefix))
    if (entered >= 0) {
      current = entered
      before = PHASES.slice(0, entered).reduce((sum, [, share]) => sum + share, 0)
      report(before / WHOLE)
      return
    }
    const within = /^(?:Multiexp end: .*|QAP AB): (\d+)\/(\d+)$/.exec(message)
    if (within && current >= 0)
      report((before + (PHASES[current]![1] * Number(within[1])) / Math.max(Number(within[2]), 1)) / WHOLE)
  }
  const nothing = (): void => {}
  return { debug, info: nothing, warn: nothing, error: nothing }
}
