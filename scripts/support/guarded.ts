import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '../../src/packageRoot.ts'

/** How a child process ended. `errors` is the end of what it wrote on stderr. */
export type Ending =
  | { readonly kind: 'done' }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'crashed'; readonly how: string; readonly errors: string }

/** Characters of a child's stderr that are kept. */
const KEPT = 4000

/**
 * Runs a module in a process of its own and sends it `task`; it answers by any number of messages and ends itself.
 * Whatever it does, this resolves: after `timeoutMs` the process is killed, and a crash is an ending like others.
 */
export function runGuarded(
  module: URL,
  task: unknown,
  options: { readonly timeoutMs: number; readonly onMessage: (message: unknown) => void },
): Promise<Ending> {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(module), {
      cwd: packageRoot,
      execArgv: ['--import', 'tsx'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let errors = ''
    let late = false
    child.stderr!.on('data', (chunk) => {
      errors = `${errors}${chunk}`.slice(-KEPT)
    })
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, options.timeoutMs)
    child.on('message', options.onMessage)
    child.on('error', (error) => {
      errors = `${errors}${error.message}`.slice(-KEPT)
      if (child.pid !== undefined) return
      clearTimeout(timer) // it never began, and will not close either
      resolve({ kind: 'crashed', how: 'failure to start', errors })
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (late) resolve({ kind: 'timeout' })
      else if (code === 0) resolve({ kind: 'done' })
      else resolve({ kind: 'crashed', how: signal === null ? `exit code ${code}` : `signal ${signal}`, errors })
    })
    child.send(task as object, (error) => {
      if (error) child.kill('SIGKILL')
    })
  })
}
