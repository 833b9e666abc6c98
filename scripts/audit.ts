/**
 * Compiles every model of a folder, calibrated on its own inputs, and audits the circuit: every wire must be determined.
 *
 * usage: npx tsx scripts/audit.ts FOLDER [--only NAME,NAME…] [--set GROUP] [--max-rows N] [--visibility NAME] [--bits N]
 *        [--jobs N] [--timeout SECONDS] [--json]
 *
 * FOLDER is as for the conformance script. Each model has a process and a time limit of its own. Exit code 1 if a circuit is
 * not sound or a model failed, or if one that --only names was not audited.
 */
import { parseArguments } from '../src/cli/args.ts'
import { thousands } from '../src/cli/format.ts'
import { type Findings, type Task, VISIBILITIES, type VisibilityName } from './audit/auditFolder.ts'
import { formatOutcomes, verdictOf } from './audit/report.ts'
import { chosenModels, eachModel, modelOptions, runTask } from './support/models.ts'
import { runScript } from './support/script.ts'

const child = new URL('./audit/child.ts', import.meta.url)

await runScript(async (words) => {
  const { options, positionals } = parseArguments(words, {
    ...modelOptions,
    'max-rows': { type: 'integer', min: 1, value: 'N', help: 'don’t audit larger circuits (default: any size)' },
    visibility: {
      ...{ type: 'string', value: 'NAME', choices: Object.keys(VISIBILITIES) },
      help: `how to compile: ${Object.keys(VISIBILITIES).join(', ')}`,
    },
    bits: { type: 'integer', min: 2, max: 16, value: 'N', help: 'bits of activations (default: as compile chooses)' },
  })
  const { root, models, named } = chosenModels(positionals, options, 'audit')
  const { jobs = 1, timeout = 600, bits, 'max-rows': maxRows = Number.MAX_SAFE_INTEGER } = options
  const visibility = (options.visibility ?? 'default') as VisibilityName
  const outcomes = await eachModel(models, jobs, async ({ name, folder }) => {
    const task: Task = { folder, visibility, maxRows, ...(bits === undefined ? {} : { bits }) }
    const { found, reason, seconds } = await runTask<Findings>(child, task, timeout)
    const verdict = verdictOf(found, reason, maxRows)
    const what = [
      ...(found.rows === undefined ? [] : [`${thousands(found.rows)} rows`]),
      reason === null ? verdict : `${verdict}: ${reason.code}`,
      `${seconds.toFixed(1)} s`,
    ]
    return { result: { name, verdict, reason, seconds, ...found }, line: what.join(' · ') }
  })
  if (options.json)
    console.log(
      JSON.stringify({ schema: 'veritensor/audits@1', folder: root, bits: bits ?? null, visibility, models: outcomes }),
    )
  else console.log(formatOutcomes(outcomes))
  const wrong = outcomes.some(({ verdict }) => verdict === 'not sound' || verdict === 'failed')
  return wrong || (named && outcomes.some(({ verdict }) => verdict !== 'determined')) ? 1 : 0
})
