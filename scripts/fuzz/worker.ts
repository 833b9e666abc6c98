import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '../../src/packageRoot.ts'
import { loaderOf } from '../../src/workers/modules.ts'
import type { Order } from './child.ts'
import type { Outcome } from './outcome.ts'
import type { Target } from './target.ts'

/** How a mutant ended, also where its process had to be ended or ended itself. */
export type Ending =
  | Outcome
  | { readonly kind: 'timeout' | 'memory' }
  | { readonly kind: 'crashed'; readonly message: string }

export type Limits = {
  /** Seconds of CPU time where the system tells it (Linux), else of time; the start of a process counts with its first mutant. */
  readonly seconds: number
  readonly megabytes: number
}

/** A process that tries mutants one after the other. */
export type Worker = {
  readonly attempt: (mutant: Uint8Array, of: number) => Promise<Ending>
  readonly close: () => void
}

/** How often a process is looked at, in milliseconds. */
const WATCH = 100
/** Characters of a process's stderr that are kept. */
const KEPT = 4000

/** Seconds of CPU time and resident megabytes of a process; undefined where the system does not tell. */
function usageOf(pid: number): { readonly seconds: number; readonly megabytes: number } | undefined {
  try {
    // fields after the name, which may hold anything: utime and stime are the 14th and 15th, in ticks of 1/100 s
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
    return { seconds: (Number(fields[11]) + Number(fields[12])) / 100, megabytes: (pages * 4096) / 1e6 }
  } catch {
    return undefined
  }
}

/**
 * A worker for the given targets. Its process, which runs `module`, is started at once, and again after each that had to be
 * ended.
 */
export function openWorker(
  targets: readonly Target[],
  limits: Limits,
  module: URL = new URL('./child.ts', import.meta.url),
): Worker {
  let child: ChildProcess | undefined
  let errors = ''
  const start = (): ChildProcess => {
    errors = ''
    const started = fork(fileURLToPath(module), {
      cwd: packageRoot,
      execArgv: [...loaderOf(module), `--max-old-space-size=${limits.megabytes}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    started.stderr!.on('data', (chunk) => {
      errors = `${errors}${chunk}`.slice(-KEPT)
    })
    started.on('error', () => {}) // what it sends to a process that is gone; its end is seen
    for (const target of targets) started.send({ target } satisfies Order)
    return started
  }
  child = start()
  return {
    attempt: (mutant, of) =>
      new Promise((resolve) => {
        const current = child ?? start()
        child = current
        const begun = performance.now()
        const before = usageOf(current.pid!)?.seconds ?? 0
        const end = (ending: Ending): void => {
          clearInterval(watch)
          current.off('message', onMessage)
          current.off('exit', onExit)
          if (ending.kind === 'timeout' || ending.kind === 'memory') current.kill('SIGKILL')
          if (ending.kind === 'timeout' || ending.kind === 'memory' || ending.kind === 'crashed') child = undefined
          resolve(ending)
        }
        const onMessage = (outcome: Outcome): void => end(outcome)
        const onExit = (code: number | null, signal: string | null): void =>
          end({ kind: 'crashed', message: `${signal ?? `exit code ${code}`}\n${errors.trim()}` })
        const watch = setInterval(() => {
          const usage = usageOf(current.pid!)
          const spent = usage === undefined ? (performance.now() - begun) / 1000 : usage.seconds - before
          if (spent > limits.seconds) end({ kind: 'timeout' })
          else if (usage !== undefined && usage.megabytes > limits.megabytes) end({ kind: 'memory' })
        }, WATCH)
        current.on('message', onMessage)
        current.on('exit', onExit)
        current.send({ mutant, of } satisfies Order, (error) => {
          if (error) current.kill('SIGKILL')
        })
      }),
    close: () => child?.kill('SIGKILL'),
  }
}
