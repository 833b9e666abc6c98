import { type Audit, type AuditOptions, audit } from '../../../circuits/audit/audit.ts'
import { determine } from '../../../circuits/audit/determine.ts'
import { deriveRanges, type Ranges } from '../../../circuits/audit/ranges.ts'
import { readRows } from '../../../circuits/audit/rows.ts'
import { type Builder, createBuilder } from '../../../circuits/builder.ts'
import type { Circuit } from '../../../circuits/circuit.ts'
import { type Field, Fr } from '../../../circuits/field.ts'
import { rangeCheck } from '../../../circuits/gadgets/bits.ts'
import type { LC } from '../../../circuits/lc.ts'

/** Makes inputs with a range that no row proves. */
export type Input = (lo: number | bigint, hi: number | bigint) => LC

/** A circuit with one public output; what `body` makes is in scope `node/gadget`, the output's row in `out`. */
export function circuitWith(body: (cs: Builder, input: Input) => LC, F: Field = Fr): Circuit {
  const cs = createBuilder(F)
  const out = cs.output()
  const input: Input = (lo, hi) => {
    const range = { lo: BigInt(lo), hi: BigInt(hi) }
    return cs.proven(cs.input('private', range), range.lo, range.hi)
  }
  const y = cs.scope('node', () => cs.scope('gadget', () => body(cs, input)))
  cs.scope('out', () => cs.bindOutput(out, y))
  return cs.build()
}

/** The same with rows for the ranges of inputs, and what the builder claims of the result. */
export function boundedCircuit(body: (cs: Builder, input: Input) => LC): {
  readonly circuit: Circuit
  readonly claimed: LC['range']
} {
  // inputs come before all rows: a first run tells which
  const ranges: (readonly [bigint, bigint])[] = []
  const dry = createBuilder(Fr)
  body(dry, (lo, hi) => {
    ranges.push([BigInt(lo), BigInt(hi)])
    return dry.proven(dry.ONE, BigInt(lo), BigInt(hi))
  })
  const cs = createBuilder(Fr)
  const out = cs.output()
  const wires = ranges.map(([lo, hi]) => cs.input('private', { lo, hi }))
  const inputs = cs.scope('input range', () => wires.map((x, i) => rangeCheck(cs, x, ...ranges[i]!)))
  let next = 0
  const y = cs.scope('gadget', () => body(cs, () => inputs[next++]!))
  cs.scope('out', () => cs.bindOutput(out, y))
  return { circuit: cs.build(), claimed: y.range }
}

/** The audit of such a circuit. */
export const auditOf = (body: (cs: Builder, input: Input) => LC, options?: AuditOptions): Audit =>
  audit(circuitWith(body), options)

/** What propagation alone says: 1 for wires that are not shown to be determined; and the ranges. */
export function openOf(circuit: Circuit): { readonly open: Uint8Array; readonly ranges: Ranges } {
  const rows = readRows(circuit)
  const ranges = deriveRanges(rows)
  return { open: determine(rows, ranges).known.open, ranges }
}
