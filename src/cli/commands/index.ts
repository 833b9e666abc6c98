import type { Command } from '../command.ts'
import { compile } from './compile.ts'
import { run } from './run.ts'

/** All commands, in the order of a session. A new one is a file and a line here. */
export const commands: readonly Command[] = [compile, run]
