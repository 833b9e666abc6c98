import { type Audit, audit as auditCircuit, type Undetermined } from '../../../circuits/audit/audit.ts'
import { Fr } from '../../../circuits/field.ts'
import { openCircuit, rowsDigest } from '../../artefacts/compiled.ts'
import { readManifest } from '../../artefacts/directory.ts'
import { one } from '../args.ts'
import { command } from '../command.ts'
import { counted, table, thousands } from '../format.ts'
import { formatSeconds } from '../progress.ts'

/** Changes of a second witness that are printed for people. */
const SHOWN = 4

export const audit = command({
  name: 'audit',
  arguments: 'DIR',
  summary: 'prove that the inputs determine every wire of the circuit',
  details:
    'Reads nothing but the rows: shows of wire after wire that two witnesses with the same inputs can’t differ on it, derives\n' +
    'every interval anew and checks that no row wraps around the field, tests at random witnesses that no wire can move (the\n' +
    'kernel of the Jacobian), counts what serves nothing. Wires that are not shown to be determined are named with their ONNX\n' +
    'node and gadget, the reason, and a second witness if one was found. Exit code 3 if there are any, if a wire moves, or if\n' +
    'a row wraps, contradicts itself, or leaves a public input out. What each lemma says: docs/audit.md.',
  options: {
    named: {
      type: 'integer',
      value: 'N',
      min: 1,
      max: 10_000,
      help: 'undetermined wires to name at most (default 20)',
    },
    seed: {
      type: 'integer',
      value: 'N',
      min: 0,
      max: 2 ** 32 - 1,
      help: 'seed of the inputs that are drawn (default 1)',
    },
  },
  examples: ['veritensor audit artifacts/model', 'veritensor audit artifacts/model --json'],
  async run({ options, positionals, progress, blocking }) {
    const directory = one(positionals, 'audit takes one DIR')
    const manifest = await readManifest(directory)
    const circuit = await openCircuit(directory, manifest)
    const started = performance.now()
    progress.phase('audit')
    const result = blocking(() =>
      auditCircuit(circuit, {
        named: options.named ?? 20,
        ...(options.seed === undefined ? {} : { seed: options.seed }),
      }),
    )
    const seconds = (performance.now() - started) / 1000
    const r1cs = blocking(() => rowsDigest(directory, manifest, circuit))
    progress.done()
    return {
      json: { schema: 'veritensor/audit@1', directory, name: manifest.name, r1cs, seconds, ...plain(result) },
      text: [
        `${manifest.name} (${directory})`,
        ...describe(result),
        `  circuit     ${r1cs} (SHA-256 of its .r1cs; keys and contracts name it)`,
        `  took        ${formatSeconds(seconds)}`,
        '',
        verdict(result),
      ].join('\n'),
      ...(result.clean ? {} : { exitCode: 3 }),
    }
  },
})

/** The audit with bigints as decimal text. */
const plain = (result: Audit): Readonly<Record<string, unknown>> =>
  JSON.parse(JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? value.toString() : value)))

function verdict({ determined, clean, undeterminedCount }: Audit): string {
  if (!determined) return `NOT DETERMINED: ${thousands(undeterminedCount)} wires may differ for the same inputs`
  return clean ? 'Every wire is determined.' : 'Every wire is determined, but the circuit is NOT SOUND: see above.'
}

function describe({ counts, lemmas, ranges, kernel, scopes, undetermined, undeterminedCount }: Audit): string[] {
  const proven = Object.entries(lemmas)
    .filter(([name]) => name !== 'open')
    .map(([name, wires]) => `${LEMMA_NAMES[name] ?? name} ${thousands(wires)}`)
  const widths = [
    ...(ranges.widestWire === undefined
      ? []
      : [`widest wire ${ranges.widestWire.bits} bits (${ranges.widestWire.scope})`]),
    ...(ranges.widestRow === undefined ? [] : [`widest row ${ranges.widestRow.bits} (${ranges.widestRow.scope})`]),
    `field ${ranges.fieldBits}`,
  ]
  const inputs = counts.publicInputs + counts.privateInputs
  const notes: readonly (readonly [
    string,
    { readonly count: number; readonly first: readonly { readonly scope: string }[] },
  ])[] = [
    ['rows that may wrap around the field', ranges.wrapping],
    ['rows that never hold', counts.contradictions],
    ['rows that say what another one says', counts.duplicateRows],
    ['rows that say nothing', counts.idleRows],
    ['wires that can move to first order', kernel.moving],
    ['wires that the solver takes for small integers without rows that prove it', ranges.unprovenWires],
  ]
  return [
    `  rows        ${thousands(counts.rows)}, of which ${thousands(counts.linearRows)} linear`,
    `  wires       ${thousands(counts.wires)}, of which ${thousands(counts.booleanWires)} boolean, ${thousands(counts.linearWires)} in linear rows only, ${thousands(counts.freeWires)} in none`,
    `  proven by   ${proven.join(' · ')}`,
    `  integers    ${thousands(ranges.bounded)} wires, any field element ${thousands(ranges.unbounded)}`,
    `  widths      ${widths.join(' · ')}`,
    `  kernel      ${describeKernel(kernel)}`,
    `  inputs      ${thousands(inputs)}, of which ${thousands(ranges.unprovenInputs.count)} without rows for their range, ${thousands(counts.unusedPublicInputs.count)} public and ${thousands(counts.unusedPrivateInputs.count)} private in no row`,
    ...notes
      .filter(([, { count }]) => count > 0)
      .map(([what, { count, first }]) => `  note        ${thousands(count)} ${what}: ${scopesOf(first)}`),
    '',
    table(
      ['scope', 'rows', 'wires', 'undetermined'],
      scopes.map((s) => [
        s.scope,
        thousands(s.rows),
        thousands(s.wires),
        s.undetermined === 0 ? '' : thousands(s.undetermined),
      ]),
    ),
    ...(undetermined.length === 0 ? [] : ['', 'Undetermined', ...undetermined.flatMap(describeWire)]),
    ...(undetermined.length < undeterminedCount && undetermined.length > 0
      ? [`  … and ${thousands(undeterminedCount - undetermined.length)} more (--named N)`]
      : []),
    '',
  ]
}

function describeKernel({ witnesses, unsatisfied, moving, undecided }: Audit['kernel']): string {
  const refused = unsatisfied === 0 ? '' : `, ${counted(unsatisfied, 'drawn input')} had no witness`
  if (witnesses === 0) return `not tested${refused}`
  const found = moving.count === 0 && undecided === 0 ? 'no wire moves' : `${counted(moving.count, 'wire')} may move`
  const rest = undecided === 0 ? '' : `, ${thousands(undecided)} undecided`
  return `${found}${rest} at ${counted(witnesses, 'random witness', 'random witnesses')}${refused}`
}

const LEMMA_NAMES: Readonly<Record<string, string>> = {
  input: 'given',
  constant: 'constants',
  linear: 'linear rows',
  product: 'products',
  digits: 'digits',
  zeroTest: 'zero tests',
  quotient: 'quotients',
  selection: 'selections',
}

const scopesOf = (rows: readonly { readonly scope: string }[]): string => {
  const scopes = [...new Set(rows.map(({ scope }) => scope || 'no scope'))]
  return scopes.slice(0, SHOWN).join(', ') + (scopes.length > SHOWN ? ', …' : '')
}

function describeWire({ wire, kind, scopes, reason, follows, moves, secondWitness }: Undetermined): string[] {
  const place = scopes.length === 0 ? 'no row' : scopesOf(scopes.map((scope) => ({ scope })))
  const head = `  wire ${wire}${kind === 'output' ? ', an output,' : ''} in ${place}: ${reason}`
  if (follows !== undefined) return [head]
  if (secondWitness === undefined) return [head, ...(moves === true ? ['    it can move to first order'] : [])]
  const { changes } = secondWitness
  const shown = changes.slice(0, SHOWN).map((c) => `wire ${c.wire}: ${short(c.from)} → ${short(c.to)}`)
  const more = changes.length > SHOWN ? `, … (${thousands(changes.length)} wires)` : ''
  return [head, `    a second witness with the same inputs: ${shown.join(', ')}${more}`]
}

/** A residue as a signed number, the middle of a long one left out. */
function short(value: bigint): string {
  const text = Fr.signed(value).toString()
  return text.length <= 20 ? text : `${text.slice(0, 8)}…${text.slice(-6)}`
}
