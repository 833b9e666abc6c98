/**
 * Contributions to phase 2 with snarkjs, in a process of its own: its threads and memory end with the process. The parent sends one request
 * and gets one answer.
 * @module
 */
import { createRequire } from 'node:module'
import type { PtauAnswer, PtauRequest } from './ptauSetup.ts'

type Snarkjs = {
  readonly zKey: {
    contribute(old: string, next: string, name: string, entropy: string): Promise<unknown>
    beacon(old: string, next: string, name: string, hash: string, iterationsExp: number): Promise<unknown>
  }
}

process.once('disconnect', () => process.exit(1)) // the parent is gone
process.once('message', (request: PtauRequest) => {
  setup(request)
    .then(
      (): PtauAnswer => ({}),
      (error: unknown): PtauAnswer => ({ error: error instanceof Error ? error.message : String(error) }),
    )
    .then((answer) => process.send!(answer, () => process.exit(0)))
})

async function setup({ fresh, contributed, out, name, entropy, beacon }: PtauRequest): Promise<void> {
  const { zKey } = createRequire(import.meta.url)('snarkjs') as Snarkjs
  await zKey.contribute(fresh, beacon ? contributed : out, name, entropy)
  if (beacon) {
    const done = await zKey.beacon(contributed, out, 'beacon', beacon.hash, beacon.iterationsExp)
    if (done === false) throw new Error('snarkjs refused the beacon')
  }
}
