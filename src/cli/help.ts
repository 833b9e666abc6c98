import type { OptionSpecs } from './args.ts'
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

/** The help of one command. */
export function commandHelp(command: Command, common: OptionSpecs): string {
  const flags = (specs: OptionSpecs): [string, string][] =>
    Object.entries(specs).map(([name, spec]) => {
      const value = spec.choices?.join('|') ?? spec.value
      const short = spec.short === undefined ? '' : `-${spec.short}, `
      return [
        `${short}--${name}${spec.type === 'flag' ? '' : ` ${value ?? 'N'}${spec.type === 'strings' ? '…' : ''}`}`,
        spec.help,
      ]
    })
  const rows = [...flags(command.options), ...flags(common)]
  const width = Math.max(...rows.map(([flag]) => flag.length))
  return [
    `veritensor ${command.name}: ${command.summary}`,
    '',
    'Usage',
    `  veritensor ${command.name} ${command.arguments}${Object.keys(command.options).length > 0 ? ' [OPTIONS]' : ''}`.trimEnd(),
    ...(command.details === undefined ? [] : ['', command.details]),
    '',
    'Options',
    ...rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`),
    '',
    'Examples',
    ...command.examples.map((line) => `  ${line}`),
    '',
    EXIT_CODES,
  ].join('\n')
}
