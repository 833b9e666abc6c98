/**
 * Takes every model of a folder through import, calibration on its own inputs, compilation, development set-up, proof,
 * and verification off-chain and on anvil, and compares the integers with the expected outputs.
 *
 * usage: npx tsx scripts/conformance.ts FOLDER [--only NAME,NAME…] [--no-prove] [--bits N] [--jobs N]
 *        [--timeout SECONDS] [--json]
 *        npx tsx scripts/conformance.ts --node-tests FOLDER [--only NAME,NAME…] [--bits N] [--rows N] [--json]
 *
 * FOLDER holds NAME/model.onnx with NAME/test_data_set_N/input_K.pb and output_K.pb, as ONNX's test data do, and maybe
 * NAME/samples.json with labels. Each model has a process and a time limit of its own, so that none can stop the others.
 * Exit code 1 if a model failed, or if one that --only names was not proved.
 *
 * --node-tests runs ONNX's operator tests through the integers instead (see conformance/checkNode.ts): those that FOLDER/index.csv
 * marks core, plain_dtypes, not expanded and passing in onnxruntime. Exit code 1 if one disagrees or crashes, or if fewer than
 * 92 % agree.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startAnvil } from '../src/chain/anvil.ts'
import { parseArguments, UsageError } from '../src/cli/args.ts'
import { thousands } from '../src/cli/format.ts'
import type { Findings, Task } from './conformance/check.ts'
import type { Message, Reason } from './conformance/child.ts'
import { runNodeTests } from './conformance/nodeTests.ts'
import { formatOutcomes, type Outcome, statusOf } from './conformance/report.ts'
import { modelFolders } from './conformance/testData.ts'
import { runGuarded } from './support/guarded.ts'
import { runScript } from './support/script.ts'

const child = new URL('./conformance/child.ts', import.meta.url)

/** One model in a process of its own. Never throws. */
async function check(task: Task, timeoutSeconds: number): Promise<Outcome> {
  const start = performance.now()
  let [stage, findings] = ['start', {} as Findings]
  let reason: Reason | null = null
  const ending = await runGuarded(child, task, {
    timeoutMs: 1000 * timeoutSeconds,
    onMessage(received) {
      const message = received as Message
      if ('stage' in message) stage = message.stage
      else if ('found' in message) findings = { ...findings, ...message.found }
      else reason = { ...message.failed, stage }
    },
  })
  if (ending.kind === 'timeout')
    reason = {
      ...{ code: 'limit/timeout', stage, fix: 'allow more time (--timeout)' },
      message: `not done after ${timeoutSeconds} s`,
    }
  if (ending.kind === 'crashed')
    reason = {
      ...{ code: 'internal/crashed', stage, fix: null, stack: ending.errors.trim() },
      message: `the process ended with ${ending.how}`,
    }
  const status = statusOf(findings, reason, task.proving !== undefined)
  return { name: task.name, status, reason, seconds: (performance.now() - start) / 1000, ...findings }
}

await runScript(async (words) => {
  const { options, positionals } = parseArguments(words, {
    only: { type: 'strings', value: 'NAME,NAME…', help: 'these models' },
    'no-prove': { type: 'flag', help: 'compile and compare only' },
    'node-tests': { type: 'string', value: 'FOLDER', help: 'run operator tests through the integers instead' },
    rows: { type: 'integer', min: 0, value: 'N', help: 'solve circuits of operator tests up to this size' },
    bits: {
      type: 'integer',
      min: 2,
      max: 16,
      value: 'N',
      help: 'bits of activations (default 8; 16 for operator tests)',
    },
    jobs: { type: 'integer', min: 1, max: 10, value: 'N', help: 'models at a time (default 1)' },
    timeout: { type: 'integer', min: 1, value: 'SECONDS', help: 'limit for each model (default 600)' },
    json: { type: 'flag', help: 'print one line of JSON' },
  })
  const only = options.only.flatMap((names) => names.split(',')).filter((name) => name !== '')
  if (options['node-tests'] !== undefined) {
    if (positionals.length > 0) throw new UsageError('--node-tests takes one FOLDER, and nothing else does')
    return runNodeTests(options['node-tests'], { ...options, only })
  }
  const [given, ...rest] = positionals
  if (given === undefined || rest.length > 0)
    throw new UsageError('conformance takes one FOLDER', 'npm run conformance -- FOLDER')
  const root = resolve(given)
  if (!existsSync(root)) throw new UsageError(`there is no folder ${given}`)
  const all = modelFolders(root)
  const missing = only.find((name) => !all.some((model) => model.name === name))
  if (missing !== undefined) throw new UsageError(`${given} holds no model "${missing}"`)
  const models = only.length === 0 ? all : all.filter(({ name }) => only.includes(name))
  if (models.length === 0) throw new UsageError(`${given} holds no NAME/model.onnx`)

  const { jobs = 1, timeout = 600, bits = 8 } = options
  const proving = !options['no-prove']
  const scratch = mkdtempSync(join(tmpdir(), 'veritensor-conformance-'))
  const clear = (): void => rmSync(scratch, { recursive: true, force: true })
  process.on('exit', clear)
  process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143))
  const anvil = proving ? await startAnvil() : undefined
  const outcomes = new Array<Outcome>(models.length)
  let [next, done] = [0, 0]
  const work = async (slot: number): Promise<void> => {
    for (let i = next++; i < models.length; i = next++) {
      const { name, folder } = models[i]!
      const zkey = join(scratch, `${slot}.zkey`)
      const threads = Math.max(1, Math.floor(availableParallelism() / jobs))
      const place = anvil && { rpc: anvil.url, account: slot, zkey, threads, seconds: timeout }
      const outcome = await check({ name, folder, bits, ...(place === undefined ? {} : { proving: place }) }, timeout)
      outcomes[i] = outcome
      rmSync(zkey, { force: true })
      const { rows, status, reason, seconds } = outcome
      const what = [
        ...(rows === undefined ? [] : [`${thousands(rows)} rows`]),
        reason === null ? status : `${status}: ${reason.code}`,
      ]
      process.stderr.write(`[${++done}/${models.length}] ${name} · ${what.join(' · ')} · ${seconds.toFixed(1)} s\n`)
    }
  }
  try {
    await Promise.all(Array.from({ length: jobs }, (_, slot) => work(slot)))
  } finally {
    await anvil?.stop()
    clear()
  }

  if (options.json)
    console.log(JSON.stringify({ schema: 'veritensor/conformance@1', folder: root, bits, proving, models: outcomes }))
  else console.log(formatOutcomes(outcomes))
  const wanted = proving ? 'proved' : 'compiled'
  return outcomes.some(({ status }) => status === 'failed' || (only.length > 0 && status !== wanted)) ? 1 : 0
})
