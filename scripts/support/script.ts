import { VeritensorError } from '../../src/errors.ts'

/** Runs a script and sets the exit code: what it returns, or 2 with message and remedy where it throws a typed error. */
export async function runScript(main: (words: readonly string[]) => Promise<number> | number): Promise<void> {
  try {
    process.exitCode = await main(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof VeritensorError)) throw error
    process.stderr.write(`${error.message}\n${error.fix === undefined ? '' : `  → ${error.fix}\n`}`)
    process.exitCode = 2
  }
}
