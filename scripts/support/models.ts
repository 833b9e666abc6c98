/**
 * Scripts that take every model of a folder, each in a process of its own.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type OptionSpecs, type Options, UsageError } from '../../src/cli/args.ts'
import { modelFolders } from '../conformance/testData.ts'
import { runGuarded } from './guarded.ts'
import type { Message, Reason } from './serve.ts'

/** Options of all such scripts. */
export const modelOptions = {
  only: { type: 'strings', value: 'NAME,NAME…', help: 'these models' },
  set: { type: 'string', value: 'GROUP', help: 'the models of this group in models.csv' },
  jobs: { type: 'integer', min: 1, max: 10, value: 'N', help: 'models at a time (default 1)' },
  timeout: { type: 'integer', min: 1, value: 'SECONDS', help: 'limit for each model (default 600)' },
  json: { type: 'flag', help: 'print one line of JSON' },
} as const satisfies OptionSpecs

export type ModelFolder = ReturnType<typeof modelFolders>[number]

/** Names of a group's models, from models.csv in the folder or beside it. */
function groupOf(root: string, group: string): ReadonlySet<string> {
  const path = [join(root, 'models.csv'), join(root, '..', 'models.csv')].find(existsSync)
  if (path === undefined) throw new UsageError(`there is no models.csv in ${root} or beside it, so no --set`)
  const [header = '', ...lines] = readFileSync(path, 'utf8').split('\n')
  // the first columns hold no quotes
  const columns = header.split(',')
  const [name, of] = [columns.indexOf('model'), columns.indexOf('group')]
  const rows = lines.map((line) => line.split(','))
  const names = rows.flatMap((row) => (row[of] === group && row[name] !== undefined ? [row[name]] : []))
  if (names.length === 0) throw new UsageError(`models.csv has no group "${group}"`)
  return new Set(names)
}

/** The models that the command line asks for. Throws UsageError where there is none, or none of a name. */
export function chosenModels(
  positionals: readonly string[],
  options: Pick<Options<typeof modelOptions>, 'only' | 'set'>,
  script: string,
): { readonly root: string; readonly models: readonly ModelFolder[]; readonly named: boolean } {
  const [given, ...rest] = positionals
  if (given === undefined || rest.length > 0)
    throw new UsageError(`${script} takes one FOLDER`, `npm run ${script} -- FOLDER`)
  const root = resolve(given)
  if (!existsSync(root)) throw new UsageError(`there is no folder ${given}`)
  const all = modelFolders(root)
  const only = options.only.flatMap((names) => names.split(',')).filter((name) => name !== '')
  const group = options.set === undefined ? undefined : groupOf(root, options.set)
  const missing = only.find((name) => !all.some((model) => model.name === name))
  if (missing !== undefined) throw new UsageError(`${given} holds no model "${missing}"`)
  const models = all.filter(
    ({ name }) => (only.length === 0 || only.includes(name)) && (group === undefined || group.has(name)),
  )
  if (models.length === 0) throw new UsageError(`${given} holds no such NAME/model.onnx`)
  return { root, models, named: only.length > 0 }
}

/** Does something for every model, so many at a time; `slot` tells those under way apart. Results are in the models' order. */
export async function eachModel<T>(
  models: readonly ModelFolder[],
  jobs: number,
  work: (model: ModelFolder, slot: number) => Promise<{ readonly result: T; readonly line: string }>,
): Promise<T[]> {
  const results = new Array<T>(models.length)
  let [next, done] = [0, 0]
  const worker = async (slot: number): Promise<void> => {
    for (let i = next++; i < models.length; i = next++) {
      const { result, line } = await work(models[i]!, slot)
      results[i] = result
      process.stderr.write(`[${++done}/${models.length}] ${models[i]!.name} · ${line}\n`)
    }
  }
  await Promise.all(Array.from({ length: jobs }, (_, slot) => worker(slot)))
  return results
}

/** What became of a task: all that it found, and why it ended early if it did. */
export type Result<F> = { readonly found: F; readonly reason: Reason | null; readonly seconds: number }

/** Runs a task in a process that `serve`s it, within a time limit. Never throws. */
export async function runTask<F extends object>(child: URL, task: unknown, timeoutSeconds: number): Promise<Result<F>> {
  const start = performance.now()
  let [stage, found] = ['start', {} as F]
  let reason: Reason | null = null
  const ending = await runGuarded(child, task, {
    timeoutMs: 1000 * timeoutSeconds,
    onMessage(received) {
      const message = received as Message<F>
      if ('stage' in message) stage = message.stage
      else if ('found' in message) found = { ...found, ...message.found }
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
  return { found, reason, seconds: (performance.now() - start) / 1000 }
}
