import type { Visibility } from '../compile.ts'
import { VeritensorError } from '../errors.ts'
import type { Scheme } from '../ops/lowering.ts'
import type { Report } from '../quantise/report.ts'
import type { Shape } from '../tensor.ts'

/** A run of public signals that stand for one tensor: signal `from` + j is the residue of element j. */
export type SignalGroup = {
  readonly kind: 'output' | 'input'
  readonly name: string
  readonly shape: Shape
  readonly from: number
  readonly count: number
  /** Real value = scale · integer. */
  readonly scale: number
}

/** Where the proving key came from. A dev key is forgeable by whoever made it. */
export type KeyInfo = { readonly kind: 'dev' | 'ptau'; readonly zkey: string; readonly ptau?: string }

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
  }[]
  readonly outputs: readonly { readonly name: string; readonly shape: Shape; readonly scale: number }[]
  readonly signals: readonly SignalGroup[]
  readonly rows: number
  readonly wires: number
  /** Integer against float model on the calibration samples. */
  readonly report: Report
  readonly key?: KeyInfo
}

/** The artefact directory or a file of it can't be used. */
export class ArtefactError extends VeritensorError {}

/** Checks a manifest read from JSON. Throws ArtefactError `input/manifest`. */
export function parseManifest(text: string, where: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw invalid(where, 'it is not JSON', cause)
  }
  const m = value as Partial<Manifest> | null
  if (typeof m !== 'object' || m === null || m.schema !== 'veritensor/manifest@1')
    throw invalid(where, 'its schema is not veritensor/manifest@1')
  const isCount = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0
  const isPort = (p: unknown): boolean => {
    const { name, shape, scale } = (p ?? {}) as { name?: unknown; shape?: unknown; scale?: unknown }
    return typeof name === 'string' && Array.isArray(shape) && shape.every(isCount) && typeof scale === 'number'
  }
  const isSeen = (v: unknown): boolean => v === 'public' || v === 'private'
  const sound =
    typeof m.name === 'string' &&
    typeof m.files === 'object' &&
    m.files !== null &&
    Object.values(m.files).every((digest) => /^[0-9a-f]{64}$/.test(String(digest))) &&
    typeof m.shapes === 'object' &&
    m.shapes !== null &&
    isSeen(m.visibility?.input) &&
    isSeen(m.visibility?.output) &&
    [m.inputs, m.outputs, m.signals].every((ports) => Array.isArray(ports) && ports.every(isPort)) &&
    m.signals!.every((s) => isCount(s.from) && isCount(s.count)) &&
    isCount(m.rows) &&
    isCount(m.wires) &&
    (m.key === undefined || ((m.key.kind === 'dev' || m.key.kind === 'ptau') && typeof m.key.zkey === 'string'))
  if (!sound) throw invalid(where, 'a field is missing or of the wrong type')
  return m as Manifest
}

const invalid = (where: string, why: string, cause?: unknown): ArtefactError =>
  new ArtefactError('input/manifest', `${where}: ${why}`, {
    fix: 'compile the model again',
    ...(cause === undefined ? {} : { cause }),
  })

/** The groups of public signals, outputs before inputs, as the circuit lays them out. */
export function signalLayout(
  visibility: Visibility,
  inputs: Manifest['inputs'],
  outputs: Manifest['outputs'],
): SignalGroup[] {
  const groups: SignalGroup[] = []
  let from = 0
  const add = (kind: SignalGroup['kind'], ports: Manifest['outputs']): void => {
    for (const { name, shape, scale } of ports) {
      const count = shape.reduce((n, d) => n * d, 1)
      groups.push({ kind, name, shape, from, count, scale })
      from += count
    }
  }
  if (visibility.output === 'public') add('output', outputs)
  if (visibility.input === 'public') add('input', inputs)
  return groups
}
