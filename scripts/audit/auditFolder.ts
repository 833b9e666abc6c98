import { type Audit, audit } from '../../circuits/audit/audit.ts'
import type { CompileModelOptions } from '../../src/pipeline/compileModel.ts'
import { compileFolder } from '../conformance/compileFolder.ts'
import type { Tell } from '../support/serve.ts'

/** Ways to compile a model. `default` has private inputs, public outputs and the weights in the circuit. */
export const VISIBILITIES = {
  default: {},
  committed: { input: 'committed', output: 'committed' },
  compressed: { input: 'public', output: 'public', compress: true },
  'private-weights': { weights: 'private' },
} as const satisfies Record<string, Partial<CompileModelOptions>>
export type VisibilityName = keyof typeof VISIBILITIES

export type Task = {
  /** Folder with model.onnx and test_data_set_N. */
  readonly folder: string
  /** Bits of activations; by default as `compileModel` chooses. */
  readonly bits?: number
  readonly visibility: VisibilityName
  /** Circuits of more rows are compiled but not audited. */
  readonly maxRows: number
}

/** What is known of a model; stages that were not reached leave their fields out. */
export type Findings = {
  readonly rows?: number
  readonly wires?: number
  readonly compileSeconds?: number
  readonly auditSeconds?: number
  readonly peakBytes?: number
  readonly determined?: boolean
  readonly clean?: boolean
  /** What is wrong, in a few lines. */
  readonly faults?: readonly string[]
}

/** Faults of each kind that are told. */
const TOLD = 3

/** Compiles the model of a folder and audits its circuit. Throws what compiling throws. */
export function auditFolder({ folder, bits, visibility, maxRows }: Task, tell: Tell<Findings>): void {
  tell.stage('compile')
  let start = performance.now()
  const { circuit } = compileFolder(folder, {
    ...(bits === undefined ? {} : { bits }),
    ...VISIBILITIES[visibility],
  }).compiled
  const { rows, wires } = circuit
  tell.found({ rows, wires, compileSeconds: (performance.now() - start) / 1000 })
  if (rows > maxRows) return
  tell.stage('audit')
  start = performance.now()
  const result = audit(circuit)
  tell.found({
    auditSeconds: (performance.now() - start) / 1000,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    determined: result.determined,
    clean: result.clean,
    faults: faultsOf(result),
  })
}

function faultsOf({ undetermined, ranges, counts }: Audit): string[] {
  const scopes = (what: string, { first }: { readonly first: readonly { readonly scope: string }[] }): string[] =>
    first.slice(0, TOLD).map(({ scope }) => `${what}: ${scope}`)
  return [
    ...undetermined.slice(0, TOLD).map(({ wire, scopes, reason }) => `wire ${wire} in ${scopes.join(', ')}: ${reason}`),
    ...scopes('a row may wrap', ranges.wrapping),
    ...scopes('a row never holds', counts.contradictions),
    ...counts.unusedPublicInputs.first.slice(0, TOLD).map((wire) => `public input ${wire} is in no row`),
  ]
}
