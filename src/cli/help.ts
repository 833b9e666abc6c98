import type { OptionSpec, OptionSpecs } from './args.ts'
import type { Command } from './command.ts'

const EXIT_CODES = `Exit codes
  0 done   1 internal error   2 wrong usage   3 input, model or circuit refused   4 proof does not verify
  5 key refused   6 chain or environment   7 a limit was reached   130 interrupted`

/** The help of the whole program. */
export function mainHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((c) => c.name.length))
  const list = commands.map((c) => `  ${c.name.padEnd(width)}  ${c.summary}`)
  return `veritensor: zero-knowledge proofs of neural-network inference

Usage
  veritensor COMMAND [ARGUMENTS] [OPTIONS]
  veritensor help COMMAND

Commands
${list.join('\n')}

Every command takes --json (one line on stdout, errors too), --quiet and --help.

${EXIT_CODES}`
}

/** An option with its placeholder: `-o, --out FILE`, or for usage lines the shorter `-o FILE`. */
function flag(name: string, { type, short, value, choices }: OptionSpec, form: 'list' | 'usage'): string {
  const placeholder = choices?.join('|') ?? value ?? 'N'
  const rest = type === 'flag' ? '' : ` ${placeholder}${type === 'strings' && !placeholder.endsWith('…') ? '…' : ''}`
  if (form === 'usage') return `${short === undefined ? `--${name}` : `-${short}`}${rest}`
  return `${short === undefined ? '' : `-${short}, `}--${name}${rest}`
}

/** The help of one command. */
export function commandHelp(command: Command, common: OptionSpecs): string {
  const options = Object.entries(command.options)
  const required = options.filter(([, spec]) => spec.required).map(([name, spec]) => flag(name, spec, 'usage'))
  const usage = [
    `veritensor ${command.name}`,
    command.arguments,
    ...required,
    options.length > required.length ? '[OPTIONS]' : '',
  ]
  const rows = [...options, ...Object.entries(common)].map(
    ([name, spec]) => [flag(name, spec, 'list'), `${spec.help}${spec.required ? ' (required)' : ''}`] as const,
  )
  const width = Math.max(...rows.map(([name]) => name.length))
  return [
    `veritensor ${command.name}: ${command.summary}`,
    '',
    'Usage',
    `  ${usage.filter((part) => part !== '').join(' ')}`,
    ...(command.details === undefined ? [] : ['', command.details]),
    '',
    'Options',
    ...rows.map(([name, help]) => `  ${name.padEnd(width)}  ${help}`),
    '',
    'Examples',
    ...command.examples.map((line) => `  ${line}`),
    '',
    EXIT_CODES,
  ].join('\n')
}
