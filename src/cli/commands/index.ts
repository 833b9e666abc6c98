import type { Command } from '../command.ts'
import { audit } from './audit.ts'
import { calldata } from './calldata.ts'
import { commit } from './commit.ts'
import { compile } from './compile.ts'
import { contract } from './contract.ts'
import { demo } from './demo.ts'
import { deploy } from './deploy.ts'
import { doctor } from './doctor.ts'
import { inspect } from './inspect.ts'
import { prove } from './prove.ts'
import { register } from './register.ts'
import { run } from './run.ts'
import { setup } from './setup.ts'
import { verify } from './verify.ts'

/** All commands, in the order of a session. A new one is a file and a line here. */
export const commands: readonly Command[] = [
  compile,
  inspect,
  run,
  setup,
  prove,
  verify,
  commit,
  audit,
  contract,
  deploy,
  register,
  calldata,
  doctor,
  demo,
]
