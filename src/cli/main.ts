#!/usr/bin/env node
import { readFileSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CircuitError } from '../../circuits/error.ts'
import { VeritensorError } from '../errors.ts'
import { packageRoot } from '../packageRoot.ts'
import { type OptionSpecs, parseArguments, suggestion, UsageError } from './args.ts'
import { type Command, exitCodes, type Result } from './command.ts'
import { commands } from './commands/index.ts'
import { commandHelp, mainHelp } from './help.ts'
import { createProgress, silent } from './progress.ts'

/** Options of every command. */
const common = {
  json: { type: 'flag', help: 'print one line of JSON on stdout' },
  quiet: { type: 'flag', short: 'q', help: 'no progress on stderr' },
  help: { type: 'flag', short: 'h', help: 'print this help' },
} as const satisfies OptionSpecs

type Streams = { readonly out: (text: string) => void; readonly err: NodeJS.WriteStream }

/** Runs the command line and returns the exit code. */
export async function main(words: readonly string[], streams: Streams): Promise<number> {
  const { out, err } = streams
  const json = words.includes('--json')
  const abort = new AbortController()
  const interrupt = (): void => {
    if (abort.signal.aborted) process.exit(130)
    abort.abort()
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  let name = ''
  try {
    const [first, ...rest] = words
    if (first === undefined || first === 'help' || first === '--help' || first === '-h') {
      const topic = commands.find((c) => c.name === rest[0])
      out(topic === undefined ? mainHelp(commands) : commandHelp(topic, common))
      return first === undefined ? 2 : 0
    }
    if (first === '--version' || first === '-V') {
      out(JSON.parse(readFileSync(`${packageRoot}/package.json`, 'utf8')).version)
      return 0
    }
    const command = commands.find((c) => c.name === first)
    if (command === undefined)
      throw new UsageError(
        `there is no command "${first}"`,
        suggestion(
          first,
          commands.map((c) => c.name),
        ) ?? 'run veritensor --help for the list',
      )
    name = command.name
    if (rest.includes('--help') || rest.includes('-h')) {
      out(commandHelp(command, common))
      return 0
    }
    const result = await run(command, rest, streams, abort.signal)
    out(json ? JSON.stringify(result.json) : result.text)
    return result.exitCode ?? 0
  } catch (error) {
    const known = error instanceof VeritensorError || error instanceof CircuitError
    const code = known ? error.code : 'internal/unexpected'
    const fix = error instanceof VeritensorError ? error.fix : undefined
    const message = error instanceof Error ? error.message : String(error)
    if (json) {
      const details = known ? error.details : {}
      out(
        JSON.stringify(
          { schema: 'veritensor/error@1', command: name, code, message, details, fix: fix ?? null },
          plain,
        ),
      )
    }
    err.write(`veritensor${name === '' ? '' : ` ${name}`}: ${message}\n${fix === undefined ? '' : `  → ${fix}\n`}`)
    if (!known)
      err.write(`  this is a bug of Veritensor; please report it with this trace:\n${(error as Error).stack}\n`)
    return exitCodes[code.slice(0, code.indexOf('/')) as keyof typeof exitCodes] ?? 1
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}

async function run(command: Command, words: readonly string[], { err }: Streams, signal: AbortSignal): Promise<Result> {
  const { options, positionals } = parseArguments(words, { ...command.options, ...common })
  const progress = options.quiet ? silent : createProgress(err, () => performance.now())
  return command.run({ options, positionals, progress, signal, json: options.json })
}

/** Lets bigint through JSON as decimal text. */
const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2), {
    out: (text) => process.stdout.write(`${text}\n`),
    err: process.stderr,
  })
}
