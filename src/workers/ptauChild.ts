/**
 * Phase 2 with snarkjs, in a process of its own: its threads and memory end with the process. The parent sends one request
 * and gets one answer.
 * @module
 */
import { createRequire } from 'node:module'
import type { PtauAnswer, PtauRequest } from './ptauSetup.ts'

type Logger = Readonly<Record<'debug' | 'info' | 'warn' | 'error', (message: string) => void>>
type Snarkjs = {
  readonly zKey: {
    newZKey(r1cs: string, ptau: string, zkey: string, logger: Logger): Promise<Uint8Array | -1>
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

async function setup({ r1cs, ptau, fresh, contributed, out, name, entropy, beacon }: PtauRequest): Promise<void> {
  const { zKey } = createRequire(import.meta.url)('snarkjs') as Snarkjs
  const errors: string[] = []
  const nothing = (): void => {}
  const logger = { debug: nothing, info: nothing, warn: nothing, error: (message: string) => errors.push(message) }
  if ((await zKey.newZKey(r1cs, ptau, fresh, logger)) === -1)
    throw new Error(errors.join('; ') || 'snarkjs made no key')
  await zKey.contribute(fresh, beacon ? contributed : out, name, entropy)
  if (beacon) {
    const done = await zKey.beacon(contributed, out, 'beacon', beacon.hash, beacon.iterationsExp)
    if (done === false) throw new Error('snarkjs refused the beacon')
  }
}
