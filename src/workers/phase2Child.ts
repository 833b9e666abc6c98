/**
 * Contributions to phase 2 with snarkjs, in a process of its own: its threads and memory end with the process. The parent
 * sends one list of steps and gets one answer.
 * @module
 */
import { createRequire } from 'node:module'
import type { Phase2Answer, Phase2Step } from './contributions.ts'

type Logger = Readonly<Record<'debug' | 'info' | 'warn' | 'error', (message: string) => void>>
type Snarkjs = {
  readonly zKey: {
    contribute(old: string, next: string, name: string, entropy: string): Promise<unknown>
    beacon(old: string, next: string, name: string, hash: string, iterationsExp: number): Promise<unknown>
    verifyFromR1cs(r1cs: string, ptau: string, zkey: string, logger: Logger): Promise<boolean>
  }
}

process.once('disconnect', () => process.exit(1)) // the parent is gone
process.once('message', (steps: readonly Phase2Step[]) => {
  run(steps)
    .catch((error: unknown): Phase2Answer => ({ error: error instanceof Error ? error.message : String(error) }))
    .then((answer) => process.send!(answer, () => process.exit(0)))
})

async function run(steps: readonly Phase2Step[]): Promise<Phase2Answer> {
  const { zKey } = createRequire(import.meta.url)('snarkjs') as Snarkjs
  for (const step of steps) {
    if (step.kind === 'contribute') await zKey.contribute(step.from, step.to, step.name, step.entropy)
    else if (step.kind === 'beacon') {
      const { hash, iterationsExp } = step.beacon
      const done = await zKey.beacon(step.from, step.to, 'beacon', hash, iterationsExp)
      if (done === false) throw new Error('snarkjs refused the beacon')
    } else {
      const errors: string[] = []
      const nothing = (): void => {}
      const logger = { debug: nothing, info: nothing, warn: nothing, error: (text: string) => errors.push(text) }
      if (!(await zKey.verifyFromR1cs(step.r1cs, step.ptau, step.zkey, logger)))
        return { refused: errors.join('; ') || 'snarkjs does not say why' }
    }
  }
  return {}
}
