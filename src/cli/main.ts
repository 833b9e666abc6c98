#!/usr/bin/env node
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CircuitError } from '../../circuits/error.ts'
import { AbortedError, VeritensorError } from '../errors.ts'
import { version } from '../version.ts'
import { type OptionSpecs, parseArguments, suggestion, UsageError } from './args.ts'
import { type Command, type CommandContext, exitCodes, type Result } from './command.ts'
import { commands } from './commands/index.ts'
import { printable } from './format.ts'
import { commandHelp, mainHelp } from './help.ts'
import { createProgress, silent } from './progress.ts'

/** Options of every command. */
const common = {
  json: { type: 'flag', help: 'print one line of JSON on stdout' },
  quiet: { type: 'flag', short: 'q', help: 'no progress on stderr' },
  help: { type: 'flag', short: 'h', help: 'print this help' },
} as const satisfies OptionSpecs

type Streams = {
  /** Receives the result, without a line break at its end. */
  readonly out: (text: string) => void
  readonly err: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & { write(text: string): unknown }
}

/** Runs the command line and returns the exit code. */
export async function main(words: readonly string[], { out, err }: Streams): Promise<number> {
  const json = words.includes('--json')
  const abort = new AbortController()
  const interrupt = (): void => {
    if (abort.signal.aborted) process.exit(130)
    abort.abort()
  }
  const listen = (): void => void process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  const unlisten = (): void => void process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  const blocking: CommandContext<OptionSpecs>['blocking'] = (work) => {
    if (abort.signal.aborted) throw new AbortedError('the command')
    unlisten()
    try {
      return work()
    } finally {
      listen()
    }
  }
  const print = ({ json: fields, text, exitCode }: Result): number => {
    out(json ? JSON.stringify(fields, plain) : printable(text))
    return exitCode ?? 0
  }
  let name = ''
  let progress = silent
  listen()
  try {
    const [first, ...rest] = words.filter((word) => word !== '--json')
    const helpOn = (topic: Command | undefined): Result => {
      const text = topic === undefined ? mainHelp(commands) : commandHelp(topic, common)
      return { json: { schema: 'veritensor/help@1', text }, text }
    }
    if (first === undefined) return print({ ...helpOn(undefined), exitCode: 2 })
    if (first === '--help' || first === '-h') return print(helpOn(undefined))
    if (first === '--version' || first === '-V')
      return print({ json: { schema: 'veritensor/version@1', version }, text: version })
    if (first === 'help') return print(helpOn(rest[0] === undefined ? undefined : find(rest[0])))
    const command = find(first)
    name = command.name
    if (rest.includes('--help') || rest.includes('-h')) return print(helpOn(command))
    const { options, positionals } = parseArguments(rest, { ...command.options, ...common })
    progress = options.quiet ? silent : createProgress(err, () => performance.now())
    return print(await command.run({ options, positionals, progress, signal: abort.signal, blocking, json }))
  } catch (error) {
    return report(error)
  } finally {
    unlisten()
  }

  function report(error: unknown): number {
    progress.close()
    const known = error instanceof VeritensorError || error instanceof CircuitError
    const code = known ? error.code : 'internal/unexpected'
    const fix = error instanceof VeritensorError ? error.fix : undefined
    const message = error instanceof Error ? error.message : String(error)
    const say = (text: string): unknown => err.write(printable(text))
    const details = known ? error.details : {}
    if (json)
      print({
        json: { schema: 'veritensor/error@1', command: name, code, message, details, fix: fix ?? null },
        text: '',
      })
    say(`veritensor${name === '' ? '' : ` ${name}`}: ${message}\n${fix === undefined ? '' : `  → ${fix}\n`}`)
    if (!known) say(`  this is a bug of Veritensor; please report it with this trace:\n${(error as Error).stack}\n`)
    return exitCodes[code.slice(0, code.indexOf('/')) as keyof typeof exitCodes] ?? 1
  }
}

/** The command of that name. Throws UsageError. */
function find(name: string): Command {
  const command = commands.find((c) => c.name === name)
  if (command !== undefined) return command
  const names = commands.map((c) => c.name)
  throw new UsageError(`there is no command "${name}"`, suggestion(name, names) ?? 'run veritensor --help for the list')
}

/** Lets bigint through JSON as decimal text. */
const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  // whoever reads our output may leave early, as head does; a reader of the progress takes nothing from the work
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return
    process.stderr.write(`veritensor: the result can't be written: ${error.message}\n`)
    process.exit(exitCodes.environment)
  })
  process.stderr.on('error', () => {})
  process.exitCode = await main(process.argv.slice(2), {
    out: (text) => process.stdout.write(`${text}\n`),
    err: process.stderr,
  })
}
