/**
 * Times provers on the same keys and witnesses, taken in turn: this project's engine on both kinds of kernels, snarkjs, and
 * rapidsnark if its program is given. The witness is that of a quantised network: with private weights (products) or with
 * constant ones (relu). Verification is not counted.
 *
 * With --throughput: proofs a second of pools on a circuit of so many rows, one thread for each proof; each prover
 * verifies every proof before it gives it out, or only the first. How much memory a further thread takes follows from the
 * resident sizes with different numbers of threads.
 *
 * Our engine uses the quotient key that the set-up makes beside the .zkey, except with --zkey-alone.
 *
 * npm run bench:prover -- [--circuit products|relu] [--powers 13,15,17,19] [--threads 1,N] [--provers fma,int,snarkjs]
 *   [--rounds 5] [--zkey-alone] [--rapidsnark PROGRAM] [--throughput ROWS] [--json FILE]
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { solve } from '../circuits/solve.ts'
import { chooseEngine } from '../src/engine/variant.ts'
import { VeritensorError } from '../src/errors.ts'
import { encodeWtns } from '../src/groth16/wtns.ts'
import { packageRoot } from '../src/packageRoot.ts'
import { setupDev } from '../src/workers/devSetup.ts'
import type { Answer, Prover, Request, Sample } from './benchProver/child.ts'
import { benchCircuit, CIRCUITS, type CircuitKind } from './benchProver/circuits.ts'
import type { ThroughputRequest, ThroughputResult } from './benchProver/throughput.ts'
import { runScript } from './support/script.ts'

type Competitor = {
  readonly name: string
  readonly threads: number
  readonly samples: Sample[]
  peakBytes: number
  prove(): Promise<void>
  end(): void
}

const startChild = (name: string): ChildProcess =>
  fork(fileURLToPath(new URL(`./benchProver/${name}.ts`, import.meta.url)), {
    execArgv: ['--import', 'tsx', '--max-old-space-size=4096'],
  })

/** A prover in a child process. */
async function childProver(request: Request): Promise<Competitor> {
  const child = startChild('child')
  const answer = (): Promise<Answer> =>
    new Promise((resolve, reject) => {
      child.once('message', resolve)
      child.once('exit', (code) => reject(new Error(`${request.prover} ended with code ${code}`)))
    })
  const ready = answer()
  child.send(request)
  await ready
  const competitor: Competitor = {
    ...{ name: request.prover, threads: request.threads, samples: [], peakBytes: 0 },
    async prove() {
      const next = answer()
      child.send('prove')
      const result = await next
      if (!('sample' in result)) return
      competitor.samples.push(result.sample)
      competitor.peakBytes = result.peakBytes
    },
    end: () => {
      child.removeAllListeners('exit')
      child.disconnect()
    },
  }
  return competitor
}

/** A program that is called as rapidsnark's prover is: key, witness, proof, public signals. Only wall time is known. */
function program(path: string, threads: number, folder: string): Competitor {
  const file = (name: string): string => join(folder, name)
  const competitor: Competitor = {
    ...{ name: 'rapidsnark', threads, samples: [], peakBytes: 0 },
    async prove() {
      const words = [file('key.zkey'), file('witness.wtns'), file('proof.json'), file('public.json')]
      const start = performance.now()
      execFileSync(path, words, { env: { ...process.env, OMP_NUM_THREADS: String(threads) } })
      competitor.samples.push({ wallMs: performance.now() - start, cpuMs: Number.NaN, phases: {} })
    },
    end() {},
  }
  return competitor
}

/** Pools of one thread and of several, each in a process of its own. */
async function throughput(
  circuit: CircuitKind,
  rows: number,
  provers: readonly Prover[],
  threadCounts: readonly number[],
  withQuotient: boolean,
): Promise<object[]> {
  const folder = mkdtempSync(join(tmpdir(), 'veritensor-bench-'))
  const keys = { zkey: join(folder, 'key.zkey'), qkey: join(folder, 'key.qkey'), withQuotient }
  const run = (request: ThroughputRequest): Promise<ThroughputResult> =>
    new Promise((resolve, reject) => {
      const child = startChild('throughput')
      child.once('message', (result) => {
        child.disconnect()
        resolve(result as ThroughputResult)
      })
      child.once('exit', (code) => reject(new Error(`${request.prover} ended with code ${code}`)))
      child.send(request)
    })
  const results: object[] = []
  let first = true
  try {
    for (const threads of threadCounts)
      for (const [checks, prover] of (['every', 'first'] as const).flatMap((c) =>
        provers.map((p) => [c, p] as const),
      )) {
        const proofs = prover === 'snarkjs' ? 6 : 40
        const result = await run({ prover, circuit, rows, threads, proofs, checks, ...keys, setup: first })
        first = false
        const { proofsPerSecond, cpuMs, witnessMs, proofMs, checkMs, residentBytes } = result
        console.log(
          [
            `${prover.padEnd(8)} ${threads} threads, checks ${checks}, load ${loadavg()[0]!.toFixed(1)}: ${proofsPerSecond.toFixed(1)} proofs/s`,
            `${cpuMs.toFixed(1)} CPU ms a proof`,
            `wall ms: witness ${witnessMs.toFixed(1)}, proof ${proofMs.toFixed(1)}, check ${checkMs.toFixed(1)}`,
            `resident ${(residentBytes / 2 ** 20).toFixed(0)} MiB`,
          ].join('  '),
        )
        results.push({ prover, circuit, rows, threads, checks, load: loadavg()[0], ...result })
      }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return results
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const versionOf = (name: string): string =>
  JSON.parse(readFileSync(join(packageRoot, 'node_modules', name, 'package.json'), 'utf8')).version

const list = (text: string): string[] => text.split(',').filter((word) => word !== '')

await runScript(async (words) => {
  const { values } = parseArgs({
    args: [...words],
    options: {
      powers: { type: 'string', default: '13,15,17,19' },
      threads: { type: 'string', default: `1,${availableParallelism()}` },
      provers: { type: 'string', default: 'fma,int,snarkjs' },
      rounds: { type: 'string', default: '5' },
      circuit: { type: 'string', default: 'products' },
      throughput: { type: 'string' },
      'zkey-alone': { type: 'boolean', default: false },
      rapidsnark: { type: 'string' },
      json: { type: 'string' },
    },
  })
  const engine = chooseEngine('')
  const provers = list(values.provers).filter((name) => name !== 'fma' || engine === 'fma') as Prover[]
  if (provers.some((name) => !['fma', 'int', 'snarkjs'].includes(name)))
    throw new VeritensorError('usage/argument', `unknown prover among ${values.provers}`, { fix: 'fma, int, snarkjs' })
  const kind = CIRCUITS.find((name) => name === values.circuit)
  if (kind === undefined)
    throw new VeritensorError('usage/argument', `unknown circuit ${values.circuit}`, { fix: CIRCUITS.join(', ') })
  const threadCounts = [...new Set(list(values.threads).map(Number))]
  const versions = {
    node: process.versions.node,
    v8: process.versions.v8,
    snarkjs: versionOf('snarkjs'),
    processor: cpus()[0]?.model,
    processors: availableParallelism(),
  }
  console.log(JSON.stringify(versions))
  const results: object[] = []
  const withQuotient = !values['zkey-alone']
  if (values.throughput)
    results.push(...(await throughput(kind, Number(values.throughput), provers, threadCounts, withQuotient)))
  else
    for (const power of list(values.powers).map(Number)) {
      const folder = mkdtempSync(join(tmpdir(), 'veritensor-bench-'))
      try {
        const rows = 2 ** power - 4
        const { circuit, inputs } = benchCircuit(kind, rows)
        const [zkey, quotientPath] = [join(folder, 'key.zkey'), join(folder, 'key.qkey')]
        await setupDev(circuit, { path: zkey, quotientPath })
        const qkey = withQuotient ? quotientPath : undefined
        writeFileSync(join(folder, 'witness.wtns'), encodeWtns(solve(circuit, inputs)))
        for (const threads of threadCounts) {
          const competitors: Competitor[] = []
          for (const prover of provers)
            competitors.push(await childProver({ prover, threads, circuit: kind, rows, zkey, qkey }))
          if (values.rapidsnark) competitors.push(program(values.rapidsnark, threads, folder))
          try {
            for (const competitor of competitors) await competitor.prove() // warms up
            for (const { samples } of competitors) samples.length = 0
            for (let round = 0; round < Number(values.rounds); round++)
              for (const competitor of competitors) await competitor.prove()
          } finally {
            for (const competitor of competitors) competitor.end()
          }
          const load = loadavg()[0]!
          console.log(
            `\n2^${power}: ${circuit.rows} rows, ${circuit.wires} wires; ${kind}, threads ${threads}, load ${load.toFixed(1)}`,
          )
          const of = (c: Competitor, what: 'wallMs' | 'cpuMs'): number =>
            median(c.samples.map((sample) => sample[what]))
          const reference = competitors.find(({ name }) => name === 'snarkjs')
          for (const competitor of competitors) {
            const [wallMs, cpuMs] = [of(competitor, 'wallMs'), of(competitor, 'cpuMs')]
            const ratio = (what: 'wallMs' | 'cpuMs'): number | undefined =>
              reference && median(competitor.samples.map((s, i) => reference.samples[i]![what] / s[what]))
            const names = [...new Set(competitor.samples.flatMap(({ phases }) => Object.keys(phases)))]
            const phases = Object.fromEntries(
              names.map((name) => [name, median(competitor.samples.map((s) => s.phases[name] ?? 0))]),
            )
            const [byWall, byCpu] = [ratio('wallMs'), ratio('cpuMs')]
            const parts = [
              `${competitor.name.padEnd(10)} ${wallMs.toFixed(0).padStart(7)} ms wall ${cpuMs.toFixed(0).padStart(7)} ms CPU`,
              ...(byWall === undefined ? [] : [`snarkjs/this ${byWall.toFixed(2)} wall, ${byCpu!.toFixed(2)} CPU`]),
              `peak ${(competitor.peakBytes / 2 ** 20).toFixed(0)} MiB`,
              Object.entries(phases)
                .map(([name, ms]) => `${name} ${ms.toFixed(1)}`)
                .join(' '),
            ]
            console.log(parts.join('  '))
            results.push({
              ...{ power, rows: circuit.rows, wires: circuit.wires, threads, load },
              ...{ prover: competitor.name, wallMs, cpuMs, byWall, byCpu, peakBytes: competitor.peakBytes, phases },
            })
          }
        }
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    }
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ versions, results }, null, 1)}\n`)
  return 0
})
