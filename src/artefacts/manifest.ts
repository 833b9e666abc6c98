import { VeritensorError } from '../errors.ts'
import type { Bounds } from '../model/layer.ts'
import type { Encoding } from '../model/model.ts'
import type { Scheme } from '../ops/lowering.ts'
import { type SignalGroup, signalLayout } from '../pipeline/signals.ts'
import type { Report } from '../quantise/report.ts'
import { isSaneShape, type Shape } from '../tensor.ts'
import { checkVisibility, outputVisibility, type Visibility, weightVisibility } from '../visibility.ts'

/** Where the proving key came from. A dev key is forgeable by whoever made it. */
export type KeyInfo = {
  readonly kind: 'dev' | 'ptau'
  /** The ceremony's file of powers of tau: its name and SHA-256. */
  readonly ptau?: { readonly file: string; readonly sha256: string }
  /** Public randomness that ended phase 2, as given. */
  readonly beacon?: { readonly hash: string; readonly iterationsExp: number }
}

/** What an artefact directory holds. Digests are SHA-256 in hexadecimal. */
export type Manifest = {
  readonly schema: 'veritensor/manifest@1'
  readonly name: string
  readonly version: string
  readonly files: Readonly<Record<string, string>>
  readonly scheme: Scheme
  readonly visibility: Visibility
  /** Sizes given for symbolic dimensions when the model was compiled. */
  readonly shapes: Readonly<Record<string, Shape>>
  readonly inputs: readonly {
    readonly name: string
    readonly shape: Shape
    readonly scale: number
    readonly lo: number
    readonly hi: number
    /** How integers stand for real values where they are no multiples of the scale. */
    readonly encoding?: Encoding
  }[]
  readonly outputs: readonly {
    readonly name: string
    readonly shape: Shape
    readonly scale: number
    /** Bounds of the integers, of committed outputs. */
    readonly lo?: number
    readonly hi?: number
  }[]
  /** Where the circuit does not hold the weights: what it takes, and the digest of those that it was compiled with. */
  readonly weights?: {
    readonly digest: string
    readonly tensors: readonly (Bounds & { readonly name: string; readonly shape: Shape; readonly scale: number })[]
  }
  readonly signals: readonly SignalGroup[]
  readonly rows: number
  readonly wires: number
  /** Integer against float model on the calibration samples. */
  readonly report: Report
  readonly key?: KeyInfo
}

/** The artefact directory or a file of it can't be used. */
export class ArtefactError extends VeritensorError {}

type Check = (value: unknown) => boolean

const isFlag: Check = (v) => typeof v === 'boolean'
const isText: Check = (v) => typeof v === 'string'
const isCount: Check = (v) => Number.isSafeInteger(v) && (v as number) >= 0
const isAmount: Check = (v) => typeof v === 'number' && Number.isFinite(v) && v >= 0
const isScale: Check = (v) => isAmount(v) && (v as number) > 0
const isDigest: Check = (v) => typeof v === 'string' && /^[0-9a-f]{64}$/.test(v)
const isShape: Check = (v) => Array.isArray(v) && isSaneShape(v)
const oneOf =
  (...choices: readonly string[]): Check =>
  (v) =>
    choices.includes(v as string)
const record =
  (fields: Readonly<Record<string, Check>>): Check =>
  (v) =>
    typeof v === 'object' &&
    v !== null &&
    !Array.isArray(v) &&
    Object.entries(fields).every(([name, check]) => check((v as Readonly<Record<string, unknown>>)[name]))
const mapOf =
  (check: Check): Check =>
  (v) =>
    record({})(v) && Object.values(v as object).every(check)
const listOf =
  (check: Check): Check =>
  (v) =>
    Array.isArray(v) && v.every(check)
const maybe =
  (check: Check): Check =>
  (v) =>
    v === undefined || check(v)

const isElement: Check = (v) => typeof v === 'string' && /^0x[0-9a-f]{64}$/.test(v)
const isVisibility = oneOf('public', 'private', 'committed')

/** Bounds, if there are any, in their order; they are known to be integers. */
const isOrdered: Check = (v) => {
  const { lo, hi } = v as Partial<Bounds>
  return lo === undefined || hi === undefined || lo <= hi
}
const both =
  (first: Check, second: Check): Check =>
  (v) =>
    first(v) && second(v)

const port = { name: isText, shape: isShape, scale: isScale }
const bounded = { ...port, lo: Number.isSafeInteger, hi: Number.isSafeInteger }

const fields: Readonly<Record<keyof Manifest, Check>> = {
  schema: oneOf('veritensor/manifest@1'),
  name: isText,
  version: isText,
  files: mapOf(isDigest),
  scheme: record({ bits: isCount, weightBits: isCount, openWeights: maybe((v) => v === true) }),
  visibility: record({
    ...{ input: isVisibility, output: isVisibility },
    ...{ inputs: maybe(mapOf(isVisibility)), outputs: maybe(mapOf(isVisibility)) },
    weights: maybe(oneOf('public', 'private', 'committed')),
    unsalted: maybe((v) => v === true),
    compressed: maybe((v) => v === true),
  }),
  shapes: mapOf(isShape),
  inputs: listOf(both(record({ ...bounded, encoding: maybe(oneOf('float32')) }), isOrdered)),
  outputs: listOf(
    both(record({ ...port, lo: maybe(Number.isSafeInteger), hi: maybe(Number.isSafeInteger) }), isOrdered),
  ),
  weights: maybe(
    record({
      digest: isElement,
      tensors: listOf(both(record(bounded), isOrdered)),
    }),
  ),
  signals: listOf(
    record({
      ...port,
      ...{ kind: oneOf('input', 'output', 'weights'), from: isCount, count: isCount },
      commitment: maybe(record({ lo: maybe(Number.isSafeInteger), hi: maybe(Number.isSafeInteger), salted: isFlag })),
      bytes: maybe(
        record({ ...{ from: isCount, count: isCount }, lo: Number.isSafeInteger, hi: Number.isSafeInteger }),
      ),
    }),
  ),
  rows: isCount,
  wires: isCount,
  report: record({
    samples: isCount,
    maxError: isAmount,
    meanError: isAmount,
    relativeError: isAmount,
    argmaxAgreement: (v) => v === null || (isAmount(v) && (v as number) <= 1),
  }),
  key: maybe(
    record({
      kind: oneOf('dev', 'ptau'),
      ptau: maybe(record({ file: isText, sha256: isDigest })),
      beacon: maybe(record({ hash: isText, iterationsExp: isCount })),
    }),
  ),
}

/** Checks a manifest read from JSON. Throws ArtefactError `input/manifest`. */
export function parseManifest(text: string, where: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw invalid(where, 'it is not JSON', cause)
  }
  if (!record({ schema: fields.schema })(value)) throw invalid(where, 'its schema is not veritensor/manifest@1')
  const given = value as Readonly<Record<string, unknown>>
  for (const [name, check] of Object.entries(fields))
    if (!check(given[name])) throw invalid(where, `the field "${name}" is missing or of the wrong form`)
  const manifest = value as Manifest
  const { visibility, outputs } = manifest
  try {
    checkVisibility(visibility, manifest)
  } catch (cause) {
    throw invalid(where, `the field "visibility" is wrong: ${(cause as Error).message}`, cause)
  }
  if ((weightVisibility(visibility) === 'fixed') !== (manifest.weights === undefined))
    throw invalid(where, 'the field "weights" contradicts the visibility')
  const unbounded = outputs.filter(({ lo, hi }) => lo === undefined || hi === undefined)
  const bound = visibility.compressed ? ['committed', 'public'] : ['committed']
  if (unbounded.some((port) => bound.includes(outputVisibility(visibility, port))))
    throw invalid(where, 'the field "outputs" lacks the bounds of committed or compressed outputs')
  // signals follow from the rest; were they read as they stand, they could be made to say anything
  const layout = signalLayout(visibility, manifest.inputs, outputs, manifest.weights?.tensors)
  const same = (a: SignalGroup, b: SignalGroup | undefined): boolean =>
    a.kind === b?.kind &&
    a.name === b.name &&
    a.scale === b.scale &&
    a.encoding === b.encoding &&
    a.from === b.from &&
    a.count === b.count &&
    a.commitment?.lo === b.commitment?.lo &&
    a.commitment?.hi === b.commitment?.hi &&
    a.commitment?.salted === b.commitment?.salted &&
    a.bytes?.lo === b.bytes?.lo &&
    a.bytes?.hi === b.bytes?.hi &&
    a.bytes?.from === b.bytes?.from &&
    a.bytes?.count === b.bytes?.count
  if (layout.length !== manifest.signals.length || !layout.every((group, i) => same(group, manifest.signals[i])))
    throw invalid(where, 'the field "signals" contradicts inputs, outputs, weights and visibility')
  return { ...manifest, signals: layout }
}

const invalid = (where: string, why: string, cause?: unknown): ArtefactError =>
  new ArtefactError('input/manifest', `${where}: ${why}`, {
    fix: 'compile the model again',
    ...(cause === undefined ? {} : { cause }),
  })
