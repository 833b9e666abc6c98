/**
 * Mutates the models of a folder (flipped, cut and spliced bytes; changed attributes, shapes, types, names, tensors, nodes) and
 * compiles every mutant in a process with limits. Each must end in a circuit or in a typed error.
 *
 * usage: npx tsx scripts/fuzz-models.ts FOLDER [--only NAME,NAME…] [--mutants N] [--seed N] [--from N] [--jobs N]
 *        [--seconds N] [--megabytes N] [--out FOLDER] [--json]
 *
 * FOLDER holds NAME/model.onnx with NAME/test_data_set_N, as ONNX's test data do. Mutant k depends on the seed, on k and on the
 * models only: `--from K --mutants 1` makes it again. Those that fail are written to the folder --out. Exit code 1 if one did.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArguments, UsageError } from '../src/cli/args.ts'
import { table, thousands } from '../src/cli/format.ts'
import { modelFolders } from './conformance/testData.ts'
import { drawMutant } from './fuzz/draw.ts'
import { folderTarget } from './fuzz/target.ts'
import { type Ending, openWorker } from './fuzz/worker.ts'
import { modelOptions } from './support/models.ts'
import { runScript } from './support/script.ts'

/** Small models of many kinds: mutants of them are quickly compiled. */
const usual = [
  ...['cntk-rnn-bidir', 'ezkl-1l_conv_transpose', 'ezkl-1l_gelu_tanh_appx', 'ezkl-1l_instance_norm', 'ezkl-1l_topk'],
  ...['ezkl-1l_where', 'ezkl-boolean', 'ezkl-hummingbird_decision_tree', 'ezkl-lstm', 'ezkl-rounding_ops'],
  ...['ezkl-tutorial', 'logreg-iris-ort', 'marabou-conv-mp1', 'marabou-tinytaxinet', 'ort-layernorm'],
  ...['ort-dynamic_quantize_matmul_int8_bias', 'ort-qdq_convs', 'rf-iris-ankane', 'sklonnx-treecl2'],
  ...['tflm-hello-world-int8', 'tract-qsigmoid_1', 'tree-as-tensor-ort', 'voting-sklearn-ort'],
]

type Failure = {
  readonly mutant: number
  readonly model: string
  readonly steps: readonly string[]
  readonly file: string
} & Ending

await runScript(async (words) => {
  const { options, positionals } = parseArguments(words, {
    only: modelOptions.only,
    mutants: { type: 'integer', min: 1, value: 'N', help: 'how many (default 20,000)' },
    seed: { type: 'integer', min: 0, value: 'N', help: 'of the mutations (default 1)' },
    from: { type: 'integer', min: 0, value: 'K', help: 'number of the first mutant (default 0)' },
    jobs: { type: 'integer', min: 1, max: 64, value: 'N', help: 'processes (default: one per core)' },
    seconds: { type: 'integer', min: 1, value: 'N', help: 'limit for each mutant (default 10)' },
    megabytes: { type: 'integer', min: 256, value: 'N', help: 'limit for each process (default 2,000)' },
    out: { type: 'string', value: 'FOLDER', help: 'where mutants that fail are written' },
    json: modelOptions.json,
  })
  const [folder, ...rest] = positionals
  if (folder === undefined || rest.length > 0)
    throw new UsageError('fuzz:models takes one FOLDER', 'npm run fuzz:models -- FOLDER')
  const {
    mutants = 20_000,
    seed = 1,
    from = 0,
    jobs = availableParallelism(),
    seconds = 10,
    megabytes = 2000,
  } = options
  const out = options.out ?? join(tmpdir(), 'veritensor-fuzz')
  const asked = options.only.flatMap((names) => names.split(',')).filter((name) => name !== '')
  const names = asked.length > 0 ? asked : usual
  const targets = modelFolders(folder).flatMap((m) => (names.includes(m.name) ? [folderTarget(m.name, m.folder)] : []))
  const missing = names.find((name) => !targets.some((target) => target.name === name))
  if (missing !== undefined) throw new UsageError(`${folder} holds no model "${missing}"`)

  process.stderr.write(`${thousands(mutants)} mutants of ${targets.length} models, seed ${seed}, from ${from}\n`)
  const counts: Record<string, number> = {}
  const perModel = targets.map(() => ({ mutants: 0, compiled: 0, refused: 0, failed: 0 }))
  const failures: Failure[] = []
  let next = from
  const work = async (): Promise<void> => {
    const worker = openWorker(targets, { seconds, megabytes })
    for (let k = next++; k < from + mutants; k = next++) {
      const { of, bytes, steps } = drawMutant(targets, seed, k)
      const ending = await worker.attempt(bytes, of)
      const tally = perModel[of]!
      tally.mutants++
      const what = ending.kind === 'refused' ? ending.code : ending.kind
      counts[what] = (counts[what] ?? 0) + 1
      if (ending.kind === 'compiled') tally.compiled++
      else if (ending.kind === 'refused') tally.refused++
      else {
        tally.failed++
        mkdirSync(out, { recursive: true })
        const { name } = targets[of]!
        const file = join(out, `${seed}-${k}-${name}.onnx`)
        writeFileSync(file, bytes)
        failures.push({ mutant: k, model: name, steps, file, ...ending })
        const why = 'message' in ending ? `: ${ending.message.slice(0, 200)}` : ''
        process.stderr.write(`mutant ${k} of ${name} (${steps.join(', ')}) · ${ending.kind}${why}\n  ${file}\n`)
      }
      if ((k - from + 1) % 1000 === 0)
        process.stderr.write(`${thousands(k - from + 1)} mutants, ${failures.length} failed\n`)
    }
    worker.close()
  }
  await Promise.all(Array.from({ length: jobs }, work))

  if (options.json) {
    const models = targets.map(({ name }, i) => ({ name, ...perModel[i]! }))
    console.log(JSON.stringify({ schema: 'veritensor/fuzz-models@1', seed, from, mutants, counts, models, failures }))
  } else {
    const rows = targets.map(({ name }, i) => {
      const { mutants, compiled, refused, failed } = perModel[i]!
      return [name, ...[mutants, compiled, refused, failed].map(thousands)]
    })
    console.log(table(['model', 'mutants', 'compiled', 'refused', 'failed'], rows))
    const codes = Object.entries(counts).sort(([, a], [, b]) => b - a)
    console.log(
      `\n${table(
        ['ending', 'mutants'],
        codes.map(([code, n]) => [code, thousands(n)]),
      )}`,
    )
    for (const { mutant, model, steps, kind, file } of failures)
      console.log(`mutant ${mutant} of ${model} (${steps.join(', ')}) · ${kind} · ${file}`)
  }
  return failures.length > 0 ? 1 : 0
})
