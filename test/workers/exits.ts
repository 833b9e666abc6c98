/** Run as a process of its own: sets up, proves, verifies, and must then end by itself. argv: folder, close|leave */
import { join } from 'node:path'
import { verify } from '../../src/groth16/verify.ts'
import { setupDev } from '../../src/workers/devSetup.ts'
import { readShared } from '../../src/workers/files.ts'
import { openProver } from '../../src/workers/prover.ts'
import { cube } from '../groth16/circuits.ts'

const [folder, how] = process.argv.slice(2) as [string, 'close' | 'leave']
const path = join(folder, `${how}.zkey`)
await setupDev(cube(), { path, threads: 2 })
const prover = await openProver({ circuit: cube(), zkey: readShared(path), threads: 2 })
const { proof, publicSignals } = await prover.prove([27, 3])
if (how === 'close') await prover.close()
console.log(`valid: ${verify(prover.verifyingKey, publicSignals, proof)}`)
