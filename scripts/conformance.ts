/**
 * Takes every model of a folder through import, calibration on its own inputs, compilation, development set-up, proof,
 * and verification off-chain and on anvil, and compares the integers with the expected outputs.
 *
 * usage: npx tsx scripts/conformance.ts FOLDER [--only NAME,NAME…] [--set GROUP] [--no-prove] [--bits N] [--jobs N]
 *        [--timeout SECONDS] [--markdown FILE] [--json]
 *        npx tsx scripts/conformance.ts --node-tests FOLDER [--only NAME,NAME…] [--bits N] [--rows N] [--json]
 *
 * FOLDER holds NAME/model.onnx with NAME/test_data_set_N/input_K.pb and output_K.pb, as ONNX's test data do, and maybe
 * NAME/samples.json with labels. Each model has a process and a time limit of its own, so that none can stop the others.
 * A model agrees if its outputs are off by at most 1 % of their range, or if the class is the same on all labelled sets.
 * --markdown puts the table into a document. Exit code 1 if a model failed, or if one that --only names was not proved.
 *
 * --node-tests runs ONNX's operator tests through the integers instead (see conformance/checkNode.ts): those that FOLDER/index.csv
 * marks core, plain_dtypes, not expanded and passing in onnxruntime. Exit code 1 if one disagrees or crashes, or if fewer than
 * 92 % agree.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeWhole } from '../src/artefacts/temporary.ts'
import { startAnvil } from '../src/chain/anvil.ts'
import { parseArguments, UsageError } from '../src/cli/args.ts'
import { thousands } from '../src/cli/format.ts'
import type { Findings, Task } from './conformance/check.ts'
import { runNodeTests } from './conformance/nodeTests.ts'
import { formatOutcomes, markdownOutcomes, type Outcome, replaceTable, statusOf } from './conformance/report.ts'
import { chosenModels, eachModel, modelOptions, runTask } from './support/models.ts'
import { runScript } from './support/script.ts'

const child = new URL('./conformance/child.ts', import.meta.url)

await runScript(async (words) => {
  const { options, positionals } = parseArguments(words, {
    ...modelOptions,
    markdown: { type: 'string', value: 'FILE', help: 'write the table into FILE, between its marks' },
    'no-prove': { type: 'flag', help: 'compile and compare only' },
    'node-tests': { type: 'string', value: 'FOLDER', help: 'run operator tests through the integers instead' },
    rows: { type: 'integer', min: 0, value: 'N', help: 'solve circuits of operator tests up to this size' },
    bits: {
      type: 'integer',
      min: 2,
      max: 16,
      value: 'N',
      help: 'bits of activations (default: as compile chooses; 16 for operator tests)',
    },
  })
  if (options['node-tests'] !== undefined) {
    if (positionals.length > 0) throw new UsageError('--node-tests takes one FOLDER, and nothing else does')
    const only = options.only.flatMap((names) => names.split(',')).filter((name) => name !== '')
    return runNodeTests(options['node-tests'], { ...options, only })
  }
  const { root, models, named } = chosenModels(positionals, options, 'conformance')
  const { jobs = 1, timeout = 600, bits } = options
  const proving = !options['no-prove']
  const scratch = mkdtempSync(join(tmpdir(), 'veritensor-conformance-'))
  const clear = (): void => rmSync(scratch, { recursive: true, force: true })
  process.on('exit', clear)
  process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143))
  const anvil = proving ? await startAnvil() : undefined
  let outcomes: readonly Outcome[]
  try {
    outcomes = await eachModel(models, jobs, async ({ name, folder }, slot) => {
      const zkey = join(scratch, `${slot}.zkey`)
      const threads = Math.max(1, Math.floor(availableParallelism() / jobs))
      const place = anvil && { rpc: anvil.url, account: slot, zkey, threads, seconds: timeout }
      const task: Task = {
        ...{ name, folder },
        ...(bits === undefined ? {} : { bits }),
        ...(place === undefined ? {} : { proving: place }),
      }
      const { found, reason, seconds } = await runTask<Findings>(child, task, timeout)
      rmSync(zkey, { force: true })
      const status = statusOf(found, reason, proving)
      const what = [
        ...(found.rows === undefined ? [] : [`${thousands(found.rows)} rows`]),
        reason === null ? status : `${status}: ${reason.code}`,
        `${seconds.toFixed(1)} s`,
      ]
      return { result: { name, status, reason, seconds, ...found }, line: what.join(' · ') }
    })
  } finally {
    await anvil?.stop()
    clear()
  }

  const { markdown } = options
  if (markdown !== undefined) {
    const document = readFileSync(markdown, 'utf8')
    await writeWhole({ [markdown]: replaceTable(document, markdownOutcomes(outcomes)) })
  }
  if (options.json)
    console.log(
      JSON.stringify({
        schema: 'veritensor/conformance@1',
        folder: root,
        bits: bits ?? null,
        proving,
        models: outcomes,
      }),
    )
  else console.log(formatOutcomes(outcomes))
  const wanted = proving ? 'proved' : 'compiled'
  return outcomes.some(({ status }) => status === 'failed' || (named && status !== wanted)) ? 1 : 0
})
