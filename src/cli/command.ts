import type { ErrorCategory } from '../errors.ts'
import type { OptionSpecs, Options } from './args.ts'
import type { Progress } from './progress.ts'

/** What a command returns: one JSON line for `--json`, text for people otherwise. */
export type Result = {
  /** Must begin with `schema`: `veritensor/<command>@<version>`. */
  readonly json: { readonly schema: string } & Readonly<Record<string, unknown>>
  readonly text: string
  /** Exit code where it is not 0: 4 for a proof that does not verify. */
  readonly exitCode?: number
}

export type CommandContext<S extends OptionSpecs> = {
  readonly options: Options<S>
  readonly positionals: readonly string[]
  readonly progress: Progress
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal
  /**
   * Runs work that keeps this thread busy, so that no handler could run: Ctrl-C ends the process at once meanwhile. For work
   * that leaves nothing behind. Throws AbortedError if `signal` has fired.
   */
  readonly blocking: <T>(work: () => T) => T
  readonly json: boolean
}

/** One command: its help is its specification. */
export type Command<S extends OptionSpecs = OptionSpecs> = {
  readonly name: string
  /** Positional arguments, as in `DIR PROOF…`. */
  readonly arguments: string
  readonly summary: string
  /** What else the user should know, in full sentences. */
  readonly details?: string
  readonly options: S
  readonly examples: readonly string[]
  run(context: CommandContext<S>): Promise<Result>
}

/** Keeps the option types of a command that is listed among others. */
export const command = <S extends OptionSpecs>(spec: Command<S>): Command => spec as unknown as Command

/** Exit code of each category of error. */
export const exitCodes: Readonly<Record<ErrorCategory, number>> = {
  internal: 1,
  usage: 2,
  input: 3,
  model: 3,
  circuit: 3,
  proof: 4,
  key: 5,
  chain: 6,
  environment: 6,
  limit: 7,
  aborted: 130,
}
