import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import { bn254 } from '@noble/curves/bn254.js'
import { findAnvil, startAnvil } from '../../chain/anvil.ts'
import { connect } from '../../chain/connect.ts'
import { chooseEngine } from '../../engine/variant.ts'
import { AbortedError, VeritensorError } from '../../errors.ts'
import { readG1 } from '../../groth16/bn254.ts'
import { compileContract } from '../../solidity/compile.ts'
import { openMultiplier } from '../../workers/multiplier.ts'
import { UsageError } from '../args.ts'
import { command } from '../command.ts'
import { counted, formatBytes } from '../format.ts'

/** What a check found; `remedy` for what is not ok. */
export type Finding = {
  readonly state: 'ok' | 'warn' | 'fail'
  readonly found: string
  readonly remedy?: string
}

type Check = { readonly name: string; readonly run: (signal: AbortSignal) => Promise<Finding> | Finding }

const LEAST_NODE = [20, 19] as const
const LEAST_MEMORY = 1e9

/** Without anvil all works but `demo` and `verify --anvil`. */
const anvilRemedy = (error: unknown): Finding => ({
  state: error instanceof VeritensorError && error.code === 'environment/anvil-missing' ? 'warn' : 'fail',
  found: messageOf(error),
  remedy: 'npm install @foundry-rs/anvil, or install Foundry; needed for demo and verify --anvil only',
})

const checks: readonly Check[] = [
  {
    name: 'Node.js',
    run() {
      const [major, minor] = process.versions.node.split('.').map(Number) as [number, number]
      const recent = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])
      const found = `${process.versions.node} on ${process.platform} ${process.arch}`
      return recent
        ? { state: 'ok', found }
        : { state: 'fail', found, remedy: `install Node.js ${LEAST_NODE.join('.')}` }
    },
  },
  {
    name: 'processors',
    run() {
      const cores = availableParallelism()
      if (cores > 1) return { state: 'ok', found: `${cores}: as many proofs at a time` }
      return {
        state: 'warn',
        found: '1',
        remedy: 'proofs are made one after the other; more cores make more at a time',
      }
    },
  },
  {
    name: 'memory',
    run() {
      const free = process.availableMemory?.() ?? freemem()
      if (free >= LEAST_MEMORY) return { state: 'ok', found: `${formatBytes(free)} free` }
      return {
        state: 'warn',
        found: `${formatBytes(free)} free`,
        remedy: 'close programs; large models need gigabytes',
      }
    },
  },
  {
    name: 'temporary folder',
    async run() {
      try {
        const folder = await mkdtemp(join(tmpdir(), 'veritensor-doctor-'))
        try {
          await writeFile(join(folder, 'file'), 'x')
        } finally {
          await rm(folder, { recursive: true, force: true })
        }
        return { state: 'ok', found: tmpdir() }
      } catch (error) {
        const remedy = 'set TMPDIR to a folder that can be written to'
        return { state: 'fail', found: `${tmpdir()}: ${messageOf(error)}`, remedy }
      }
    },
  },
  {
    name: 'worker thread',
    async run(signal) {
      const remedy = 'run npm ci again; the package piscina must be in node_modules'
      try {
        const multiplier = openMultiplier(1)
        try {
          const scalars = new Uint8Array(new SharedArrayBuffer(32))
          scalars[0] = 5
          const bytes = await multiplier.multiply('g1', scalars, signal)
          const { x, y } = bn254.G1.Point.BASE.multiply(5n).toAffine()
          const point = readG1(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0)
          if (point?.x !== x || point.y !== y) return { state: 'fail', found: 'multiplies points wrongly', remedy }
          return { state: 'ok', found: 'loads the engine and multiplies points' }
        } finally {
          await multiplier.close()
        }
      } catch (error) {
        return { state: 'fail', found: messageOf(error), remedy }
      }
    },
  },
  {
    name: 'engine',
    run() {
      const engine = chooseEngine()
      const found = { fma: 'fused multiply-add', int: 'integers', snarkjs: 'snarkjs' }[engine]
      if (engine === 'fma') return { state: 'ok', found }
      const asked = process.env.VERITENSOR_ENGINE ? ', as VERITENSOR_ENGINE asks' : ''
      const remedy = 'proofs take longer; a processor and a Node.js with relaxed SIMD are faster'
      return { state: asked ? 'ok' : 'warn', found: found + asked, ...(asked ? {} : { remedy }) }
    },
  },
  {
    name: 'Solidity compiler',
    async run() {
      try {
        const source = '// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24; contract C {}'
        await compileContract(source, 'C')
        return { state: 'ok', found: 'solc loads and compiles' }
      } catch (error) {
        return { state: 'fail', found: messageOf(error), remedy: 'run npm ci again; the package solc must be there' }
      }
    },
  },
  {
    name: 'anvil',
    run() {
      try {
        return { state: 'ok', found: findAnvil() }
      } catch (error) {
        return anvilRemedy(error)
      }
    },
  },
  {
    name: 'local chain',
    async run(signal) {
      try {
        const anvil = await startAnvil({ signal })
        try {
          const connection = await connect(anvil.url)
          connection.close()
          return { state: 'ok', found: `anvil starts and serves chain id ${connection.chainId}` }
        } finally {
          await anvil.stop()
        }
      } catch (error) {
        return anvilRemedy(error)
      }
    },
  },
]

export const doctor = command({
  name: 'doctor',
  arguments: '',
  summary: 'check that this machine has what is needed',
  details: 'The exit code is 6 if a check fails; a warning says what will be slow or missing.',
  options: {},
  examples: ['veritensor doctor'],
  async run({ positionals, progress, signal }) {
    if (positionals.length > 0) throw new UsageError('doctor takes no arguments')
    const findings: ({ readonly name: string } & Finding)[] = []
    for (const { name, run } of checks) {
      progress.phase(name)
      findings.push({ name, ...(await run(signal)) })
      if (signal.aborted) throw new AbortedError('doctor')
      progress.done()
    }
    const failed = findings.filter(({ state }) => state === 'fail').length
    const width = Math.max(...findings.map(({ name }) => name.length))
    return {
      json: { schema: 'veritensor/doctor@1', ok: failed === 0, checks: findings },
      text: [
        ...findings.flatMap(({ name, state, found, remedy }) => [
          `${state.padEnd(4)}  ${name.padEnd(width)}  ${found}`,
          ...(remedy === undefined ? [] : [`      ${' '.repeat(width)}  → ${remedy}`]),
        ]),
        failed === 0 ? 'all that is needed is there' : `${counted(failed, 'check')} failed`,
      ].join('\n'),
      exitCode: failed === 0 ? 0 : 6,
    }
  },
})

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
