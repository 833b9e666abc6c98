/**
 * One prover in a process of its own: gets a key and a witness once, then makes a proof whenever asked.
 */
import { createRequire } from 'node:module'
import { solve, type Witness } from '../../circuits/solve.ts'
import { assembleProof, drawBlinding, keyPoints } from '../../src/engine/assemble.ts'
import type { KeyLayout } from '../../src/engine/layout.ts'
import { proofSums } from '../../src/engine/prove.ts'
import { openRuntime } from '../../src/engine/runtime.ts'
import { openSession, type Session } from '../../src/engine/session.ts'
import { cutOf, passBlocks, rowValues } from '../../src/engine/transforms.ts'
import { chooseEngine } from '../../src/engine/variant.ts'
import { readQuotientKey } from '../../src/groth16/qkey.ts'
import { encodeWtns } from '../../src/groth16/wtns.ts'
import { readZkey } from '../../src/groth16/zkey.ts'
import { openEngineProver } from '../../src/workers/engineProver.ts'
import { readShared } from '../../src/workers/files.ts'
import { openPool } from '../../src/workers/pool.ts'
import { benchCircuit, type CircuitKind } from './circuits.ts'

export type Prover = 'fma' | 'int' | 'snarkjs'
export type Request = {
  readonly prover: Prover
  readonly threads: number
  readonly circuit: CircuitKind
  readonly rows: number
  readonly zkey: string
  /** The quotient key, if it is to be used. */
  readonly qkey: string | undefined
}
/** Milliseconds of a proof, wall and CPU; of its phases, where one thread makes it. */
export type Sample = {
  readonly wallMs: number
  readonly cpuMs: number
  readonly phases: Readonly<Record<string, number>>
}
export type Answer = { readonly ready: true } | { readonly sample: Sample; readonly peakBytes: number }

type Prove = () => Promise<Readonly<Record<string, number>>>

const now = (): number => performance.now()

/** On one thread without a pool, so that phases can be timed. */
function onThisThread(session: Session, witness: Witness): Prove {
  const { variant, module, memory, layout } = session
  const runtime = openRuntime(variant, module, memory, layout.slots[0]!)
  const points = keyPoints(session.header, session.verifyingKey)
  const proof = layout.proofs[0]!
  const rowsOnly = (key: KeyLayout): number => {
    const cut = cutOf(key.counts.power)
    const start = now()
    for (let block = 0; block < passBlocks(cut, key.counts.kept).rows; block++)
      rowValues(runtime, key, proof, cut, block)
    return now() - start
  }
  return async () => {
    const phases: Record<string, number> = {}
    let [last, since] = ['intake', now()]
    const enter = (phase: string): void => {
      phases[last] = (phases[last] ?? 0) + now() - since
      ;[last, since] = [phase, now()]
    }
    const sums = proofSums(runtime, session.plan, layout.key, proof, witness, enter)
    enter('assemble')
    assembleProof(
      runtime,
      layout.key,
      points,
      sums,
      drawBlinding((bytes) => crypto.getRandomValues(bytes)),
    )
    enter('end')
    const { rows = 0, columns = 0, results = 0, ...rest } = phases
    const abc = rowsOnly(layout.key)
    return { abc, fft: rows + columns + results - abc, ...rest }
  }
}

async function ours(
  engine: 'fma' | 'int',
  { threads, zkey, qkey }: Pick<Request, 'threads' | 'zkey' | 'qkey'>,
  witness: Witness,
): Promise<Prove> {
  if (engine === 'fma') chooseEngine('fma')
  const key = readZkey(readShared(zkey))
  const wideWire = new Uint8Array(key.nVars)
  for (const wire of witness.wide.keys()) wideWire[wire] = 1
  const quotientKey = qkey === undefined ? undefined : readQuotientKey(readShared(qkey), key)
  const session = await openSession({ key, quotientKey, variant: engine, threads, proofs: 1, wideWire })
  if (threads === 1) return onThisThread(session, witness)
  const pool = openPool({ threads, maxQueue: 1e9, workerData: { engine: 'ours', circuit: undefined, session } })
  const prover = openEngineProver(session, pool, 0, 'latency')
  return async () => {
    const { stats } = await prover.prove({ values: witness })
    return { check: stats.checkMs }
  }
}

/** What snarkjs logs as it enters a phase. */
const PHASES: readonly (readonly [prefix: string, phase: string])[] = [
  ['Reading Wtns', 'intake'],
  ['Building ABC', 'abc'],
  ['IFFT_A', 'fft'],
  ['Join ABC', 'fft'],
  ['Reading A Points', 'a'],
  ['Reading B1 Points', 'b1'],
  ['Reading B2 Points', 'b2'],
  ['Reading C Points', 'c'],
  ['Reading H Points', 'h'],
]

async function snarkjs(threads: number, zkey: string, witness: Witness): Promise<Prove> {
  const require = createRequire(import.meta.url)
  const { buildBn128 } = createRequire(require.resolve('snarkjs'))('ffjavascript')
  const { groth16 } = require('snarkjs')
  const curve = await buildBn128(threads === 1)
  Object.assign(globalThis, { curve_bn128: curve })
  const data = encodeWtns(witness)
  const key = readShared(zkey)
  return async () => {
    const phases: Record<string, number> = {}
    let [last, since] = ['intake', now()]
    const enter = (phase: string): void => {
      phases[last] = (phases[last] ?? 0) + now() - since
      ;[last, since] = [phase, now()]
    }
    const nothing = (): void => {}
    const debug = (message: string): void => {
      const found = PHASES.find(([prefix]) => message.startsWith(prefix))
      if (found) enter(found[1])
    }
    await groth16.prove(
      { type: 'mem', data: key },
      { type: 'mem', data },
      { debug, info: nothing, warn: nothing, error: nothing },
    )
    enter('end')
    return threads === 1 ? phases : {}
  }
}

async function serve(request: Request): Promise<void> {
  const { prover, threads, circuit: kind, rows, zkey } = request
  const { circuit, inputs } = benchCircuit(kind, rows)
  const witness = solve(circuit, inputs)
  const prove = await (prover === 'snarkjs' ? snarkjs(threads, zkey, witness) : ours(prover, request, witness))
  process.on('message', async () => {
    const [cpu, start] = [process.cpuUsage(), now()]
    const phases = await prove()
    const excluded = (phases.abc !== undefined && prover !== 'snarkjs' ? phases.abc : 0) + (phases.check ?? 0)
    const wallMs = now() - start - excluded
    const { user, system } = process.cpuUsage(cpu)
    const sample: Sample = { wallMs, cpuMs: (user + system) / 1000 - excluded, phases }
    process.send!({ sample, peakBytes: 1024 * process.resourceUsage().maxRSS } satisfies Answer)
  })
  process.send!({ ready: true } satisfies Answer)
}

process.once('disconnect', () => process.exit(0))
process.once('message', (request: Request) => serve(request))
