/**
 * A proving key straight from secrets, for development: minutes of a ceremony become seconds. Whoever sees the secrets can
 * forge proofs, so the key is marked (`isDevKey`) and must not guard anything.
 *
 * The key is a .zkey file for snarkjs and rapidsnark: Groth16's setup (Groth 2016, section 3.2) in the Lagrange basis, with
 * snarkjs' extra row A = wire s, B = C = 0 for the constant and each public signal s. Without these rows an unused public
 * input would not be bound, and proofs could be moved between statements. A quotient key can be made along with it.
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import { Fr } from '../../circuits/field.ts'
import { AbortedError } from '../errors.ts'
import { MAX_POWER, powR, R, readLE32, rootOfUnity, viewOf, writeLE32 } from './bn254.ts'
import { quotientFile, quotientFrame } from './qkey.ts'
import { exponentOf, isWhole, type QuotientCut, quotientCut, quotientFactors } from './quotient.ts'
import { type R1cs, r1csDigest } from './r1cs.ts'
import { devMark } from './zkey.ts'
import {
  BREATH,
  type Group,
  headerBytes,
  keyFile,
  POINT_SIZE,
  type Write,
  writeCoefficients,
  writeSectionHeaders,
} from './zkeyWriter.ts'

/** The toxic waste, each in [1, r). */
export type Secrets = {
  readonly tau: bigint
  readonly alpha: bigint
  readonly beta: bigint
  readonly gamma: bigint
  readonly delta: bigint
}

/** What the setup takes from the edge. */
export type SetupEdge = {
  /** Multiplies a group's generator by scalars (32 bytes each, little-endian, on shared memory). */
  readonly multiply: (group: Group, scalars: Uint8Array) => Promise<Uint8Array>
  /** Scalars that are worth a call of `multiply`. */
  readonly blocks: Readonly<Record<Group, number>>
  readonly write: Write
  /** Where the quotient key goes (`qkey.ts`); without it none is made. */
  readonly writeQuotient?: Write | undefined
  readonly signal?: AbortSignal | undefined
  /** Called with the finished share in [0, 1]. */
  readonly onProgress?: ((fraction: number) => void) | undefined
}

/** Draws secrets from a cryptographic generator that fills the bytes it is given. Redraws what would spoil the key. */
export function drawSecrets(random: (bytes: Uint8Array) => void): Secrets {
  const bytes = new Uint8Array(32)
  const draw = (): bigint => {
    for (;;) {
      random(bytes)
      bytes[31]! &= 0x3f
      const value = readLE32(viewOf(bytes), 0)
      bytes.fill(0)
      // tau in a domain would make a Lagrange polynomial vanish there: no tau of an order up to 2²⁸ is accepted
      if (value !== 0n && value < R && powR(value, 1n << BigInt(MAX_POWER)) !== 1n) return value
    }
  }
  return { tau: draw(), alpha: draw(), beta: draw(), gamma: draw(), delta: draw() }
}

/**
 * Writes a development key of a circuit.
 *
 * JavaScript can't erase a bigint: the secrets live until garbage collection. Arrays that hold multiples of them are
 * overwritten.
 *
 * Throws WrongFieldError, CircuitTooLargeError, AbortedError, and what `edge` throws.
 */
export async function writeDevKey(circuit: R1cs, secrets: Secrets, edge: SetupEdge): Promise<void> {
  const { wires: nVars, rows } = circuit
  const nPublic = circuit.publicOutputs + circuit.publicInputs
  const { power, sizes, at, size, coefficients } = keyFile(circuit)
  const N = 2 ** power
  const cut = quotientCut(power, rows + nPublic + 1)
  const quotient = edge.writeQuotient && { write: edge.writeQuotient, ...quotientFile(cut, nVars) }
  // progress counts a point of G2 as three, as it costs
  const total = 64 * (N + 3 * nVars + 3 * nVars + (quotient ? nVars + 2 * cut.kept : 0))
  let done = 0
  const pending: Promise<unknown>[] = []
  const shared: Uint8Array[] = []
  const check = (): void => {
    if (edge.signal?.aborted) throw new AbortedError('the setup')
  }
  const breathe = async (): Promise<void> => {
    await setImmediate()
    check()
  }
  const scalarArray = (count: number): Uint8Array => {
    const array = new Uint8Array(new SharedArrayBuffer(32 * count))
    shared.push(array)
    return array
  }
  /** Multiplies all scalars and writes the points from `position` on. */
  const points = (group: Group, scalars: Uint8Array, position: number, write = edge.write): void => {
    const step = 32 * edge.blocks[group]
    for (let from = 0; from < scalars.length; from += step) {
      const block = scalars.subarray(from, from + step)
      const task = edge.multiply(group, block).then((bytes) => {
        write(position + (from / 32) * POINT_SIZE[group], bytes)
        done += (group === 'g1' ? 1 : 3) * 2 * block.length
        edge.onProgress?.(Math.min(done / total, 1))
      })
      task.catch(() => {}) // the first failure is thrown below
      pending.push(task)
    }
  }

  try {
    check()
    const head = header(circuit, secrets, N, edge, at[2]!, scalarArray)
    head.catch(() => {})
    pending.push(head)
    // H first: its points keep the threads busy while the other scalars are computed
    const { tau, alpha, beta, gamma, delta } = secrets
    const h = scalarArray(N)
    const deltaInverse = Fr.inv(delta)
    await lagrange(power + 1, tau, deltaInverse, N, 2, breathe, (i, value) => writeLE32(viewOf(h), 32 * i, value))
    points('g1', h, at[9]!)

    const L: bigint[] = new Array(rows + nPublic + 1)
    await lagrange(power, tau, 1n, L.length, 1, breathe, (i, value) => {
      L[i] = value
    })
    const a = await columnSums(circuit, 0, L, breathe)
    for (let s = 0; s <= nPublic; s++) a[s]! += L[rows + s]!
    const store = (sums: readonly bigint[]): Uint8Array => {
      const scalars = scalarArray(nVars)
      const view = viewOf(scalars)
      for (let s = 0; s < nVars; s++) writeLE32(view, 32 * s, sums[s]!)
      return scalars
    }
    reduce(a)
    points('g1', store(a), at[5]!)
    const b = await columnSums(circuit, 1, L, breathe)
    reduce(b)
    const bScalars = store(b)
    points('g2', bScalars, at[7]!)
    points('g1', bScalars, at[6]!)
    const k = await columnSums(circuit, 2, L, breathe)
    const plainSums = k.slice()
    const gammaInverse = Fr.inv(gamma)
    for (let s = 0; s < nVars; s++) {
      const divisor = s <= nPublic ? gammaInverse : deltaInverse
      k[s] = (((beta * a[s]! + alpha * b[s]! + k[s]!) % R) * divisor) % R
    }
    reduce(k)
    const kScalars = store(k)
    const ic = new Uint8Array(64 * (nPublic + 1))
    points('g1', kScalars.subarray(0, 32 * (nPublic + 1)), at[3]!, (position, bytes) => {
      ic.set(bytes, position - at[3]!)
      edge.write(position, bytes)
    })
    points('g1', kScalars.subarray(32 * (nPublic + 1)), at[8]!)

    if (quotient) {
      const part = scalarArray(2 * cut.kept)
      const c = await quotientScalars(circuit, secrets, cut, { L, a, b, c: plainSums, h }, part, breathe)
      points('g1', part, quotient.at[3], quotient.write)
      points('g1', store(c), quotient.at[2], quotient.write)
    }

    writeSectionHeaders(edge.write, at, sizes)
    await writeCoefficients(circuit, coefficients, edge.write, at[4]!, breathe)
    const history = new Uint8Array(68)
    history.set(devMark(r1csDigest(circuit)))
    edge.write(at[10]!, history)
    if (at[10]! + history.length !== size) throw new Error('the sections do not add up')
    await Promise.all(pending)
    if (quotient)
      for (const [position, bytes] of quotientFrame(cut, nVars, await head, ic)) quotient.write(position, bytes)
    check()
  } finally {
    await Promise.allSettled(pending) // threads may still read the scalars
    for (const array of shared) array.fill(0)
  }
}

/** What `writeDevKey` knows at the end: Lagrange polynomials, sums of columns, and the scalars of H. */
type KeyScalars = Readonly<Record<'a' | 'b' | 'c' | 'L', bigint[]>> & { readonly h: Uint8Array }

/** The scalars of a quotient key: writes those of S, returns those of the wires. Overwrites L. */
async function quotientScalars(
  circuit: R1cs,
  { tau, alpha, beta, delta }: Secrets,
  cut: QuotientCut,
  { L, a, b, c, h }: KeyScalars,
  part: Uint8Array,
  breathe: () => Promise<void>,
): Promise<bigint[]> {
  const factors = await quotientFactors(cut, tau, breathe)
  const [from, to] = [viewOf(h), viewOf(part)]
  for (let k = 0; k < 2 * cut.kept; k++)
    writeLE32(to, 32 * k, (readLE32(from, 32 * exponentOf(cut, k)) * factors.points[k]!) % R)
  // rows of a whole domain share their factor
  const common = isWhole(cut) ? factors.rows[0]! : 1n
  if (!isWhole(cut)) for (let j = 0; j < cut.used; j++) L[j] = (L[j]! * factors.rows[j]!) % R
  const sums = isWhole(cut) ? c : await columnSums(circuit, 2, L, breathe)
  const deltaInverse = Fr.inv(delta)
  const nPublic = circuit.publicOutputs + circuit.publicInputs
  return sums.map((sum, s) => {
    const rest = s <= nPublic ? -c[s]! : beta * a[s]! + alpha * b[s]!
    return Fr.mod((rest + common * (sum % R)) * deltaInverse)
  })
}

/**
 * The first `count` Lagrange polynomials over the points w^(first + step·i) of the domain of 2^power points, at tau and
 * times `factor`: (x/M)·(τ^M - 1)/(τ - x). For the odd points (step 2) of the doubled domain these are H's scalars.
 */
async function lagrange(
  power: number,
  tau: bigint,
  factor: bigint,
  count: number,
  step: 1 | 2,
  breathe: () => Promise<void>,
  put: (i: number, value: bigint) => void,
): Promise<void> {
  const M = 1n << BigInt(power)
  const root = rootOfUnity(power)
  const stride = step === 1 ? root : (root * root) % R
  const scale = (Fr.mul(Fr.inv(M), powR(tau, M) - 1n) * factor) % R
  const x: bigint[] = new Array(count)
  const prefix: bigint[] = new Array(count)
  let [point, product] = [step === 1 ? 1n : root, 1n]
  for (let i = 0; i < count; i++) {
    if (i % BREATH === 0) await breathe()
    x[i] = point
    prefix[i] = product
    product = (product * (tau - point)) % R
    point = (point * stride) % R
  }
  let inverse = Fr.inv(product)
  for (let i = count - 1; i >= 0; i--) {
    if (i % BREATH === 0) await breathe()
    const xi = x[i]!
    put(i, (((((inverse * prefix[i]!) % R) * xi) % R) * scale + R * R) % R)
    inverse = (inverse * (tau - xi)) % R
  }
}

/** Σ over rows r of L[r] · (coefficient of wire s in row r) for all wires s; matrix 0 is A, 1 is B, 2 is C. Not reduced. */
async function columnSums(
  circuit: R1cs,
  matrix: 0 | 1 | 2,
  L: readonly bigint[],
  breathe: () => Promise<void>,
): Promise<bigint[]> {
  const { rows, rowLC, lcStart, lcWire, lcCoefficient, coefficients } = circuit
  // a combination that several rows share is expanded once
  const weights = new Map<number, bigint>()
  for (let row = 0; row < rows; row++) {
    const lc = rowLC[3 * row + matrix]!
    weights.set(lc, (weights.get(lc) ?? 0n) + L[row]!)
  }
  const sums: bigint[] = new Array(circuit.wires).fill(0n)
  let work = 0
  for (const [lc, weight] of weights) {
    const [start, end] = [lcStart[lc]!, lcStart[lc + 1]!]
    work += end - start + 1
    if (work > BREATH) {
      work = 0
      await breathe()
    }
    for (let i = start; i < end; i++) sums[lcWire[i]!]! += weight * coefficients[lcCoefficient[i]!]!
  }
  return sums
}

function reduce(values: bigint[]): void {
  for (let i = 0; i < values.length; i++) values[i] = Fr.mod(values[i]!)
}

/** Writes section 2, and returns it. */
async function header(
  circuit: R1cs,
  { alpha, beta, gamma, delta }: Secrets,
  N: number,
  edge: SetupEdge,
  position: number,
  scalarArray: (count: number) => Uint8Array,
): Promise<Uint8Array> {
  const bytes = headerBytes(circuit, N)
  const place = async (group: Group, values: readonly bigint[], offsets: readonly number[]): Promise<void> => {
    const scalars = scalarArray(values.length)
    for (let i = 0; i < values.length; i++) writeLE32(viewOf(scalars), 32 * i, values[i]!)
    const points = await edge.multiply(group, scalars)
    const size = POINT_SIZE[group]
    for (let i = 0; i < offsets.length; i++) bytes.set(points.subarray(size * i, size * (i + 1)), offsets[i]!)
  }
  await place('g1', [alpha, beta, delta], [84, 148, 468])
  await place('g2', [beta, gamma, delta], [212, 340, 532])
  edge.write(position, bytes)
  return bytes
}
