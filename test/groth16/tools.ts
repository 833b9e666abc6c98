import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll } from 'vitest'
import type { Circuit } from '../../circuits/circuit.ts'
import { solve } from '../../circuits/solve.ts'
import type { Group } from '../../src/engine/runtime.ts'
import { VeritensorError } from '../../src/errors.ts'
import { fileHeader, sectionHeader } from '../../src/groth16/binfile.ts'
import { le32, Q, viewOf, writeLE32 } from '../../src/groth16/bn254.ts'
import type { Secrets } from '../../src/groth16/devSetup.ts'
import { encodeR1cs } from '../../src/groth16/r1cs.ts'
import { encodeWtns } from '../../src/groth16/wtns.ts'
import { packageRoot } from '../../src/packageRoot.ts'
import { setupDev } from '../../src/workers/devSetup.ts'
import { openMultiplier } from '../../src/workers/multiplier.ts'

/** A folder that goes away after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'veritensor-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Runs snarkjs' own command line. Rejects when it exits with an error. */
export async function snarkjs(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(packageRoot, 'node_modules/.bin/snarkjs'), ...args],
    { env: { ...process.env, NODE_OPTIONS: '' }, maxBuffer: 1 << 26 },
  )
  return stdout
}

/** The code of the VeritensorError that a call throws; fails the test if it throws nothing or something else. */
export async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call()
  } catch (error) {
    if (error instanceof VeritensorError) return error.code
    throw error
  }
  return 'nothing thrown'
}

/** Files of a circuit, a witness and a development key. */
export async function makeFiles(folder: string, name: string, circuit: Circuit, inputs: readonly (number | bigint)[]) {
  const at = (extension: string): string => join(folder, `${name}.${extension}`)
  const witness = solve(circuit, inputs)
  writeFileSync(at('r1cs'), encodeR1cs(circuit))
  writeFileSync(at('wtns'), encodeWtns(witness))
  await setupDev(circuit, { path: at('zkey'), threads: 1 })
  return { r1cs: at('r1cs'), wtns: at('wtns'), zkey: at('zkey'), witness, at }
}

/** Secrets whose key snarkjs makes as well: gamma = delta = 1. Unsafe, for comparisons. */
export const comparable: Secrets = {
  tau: 123456789123456789n,
  alpha: 987654321987n,
  beta: 55555555577777n,
  gamma: 1n,
  delta: 1n,
}

const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n

/** Multiples of a generator by the library's own worker. */
export async function multiples(group: Group, scalars: readonly bigint[]): Promise<Uint8Array> {
  const multiplier = openMultiplier(1)
  try {
    const bytes = new Uint8Array(32 * scalars.length)
    scalars.forEach((k, i) => {
      writeLE32(viewOf(bytes), 32 * i, k)
    })
    return await multiplier.multiply(group, bytes)
  } finally {
    await multiplier.close()
  }
}

/** A ceremony's file of known secrets; not prepared for phase 2. */
export async function writePtau(path: string, power: number, { tau, alpha, beta }: Secrets): Promise<void> {
  const n = 2 ** power
  const powers = (count: number, first: bigint): bigint[] => {
    const values: bigint[] = []
    for (let k = first; values.length < count; k = (k * tau) % R) values.push(k)
    return values
  }
  const header = new Uint8Array(44)
  viewOf(header).setUint32(0, 32, true)
  header.set(le32(Q), 4)
  viewOf(header).setUint32(36, power, true)
  viewOf(header).setUint32(40, power, true)
  const sections = [
    header,
    await multiples('g1', powers(2 * n - 1, 1n)),
    await multiples('g2', powers(n, 1n)),
    await multiples('g1', powers(n, alpha)),
    await multiples('g1', powers(n, beta)),
    await multiples('g2', [beta]),
    new Uint8Array(4),
  ]
  const parts = sections.flatMap((data, i) => [sectionHeader(i + 1, data.length), data])
  writeFileSync(path, Buffer.concat([fileHeader('ptau', sections.length), ...parts]))
}

export const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

export const writeJson = (path: string, value: unknown): void => writeFileSync(path, JSON.stringify(value))

/** The same bytes with one bit flipped. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[bit >> 3]! ^= 1 << (bit & 7)
  return copy
}
