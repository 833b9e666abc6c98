/**
 * A key in memory, ready for proofs: what the main thread makes and every thread works on.
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import type { Circuit } from '../../circuits/circuit.ts'
import type { VerifyingKey } from '../groth16/keys.ts'
import type { QuotientKey } from '../groth16/qkey.ts'
import type { WasmMemory, WasmModule } from '../groth16/wasm.ts'
import type { ProvingKey } from '../groth16/zkey.ts'
import { freshMemory } from './freshMemory.ts'
import type { Variant } from './kernels/build.ts'
import { EngineMemoryError, type Layout, MAX_BYTES, planMemory, type WideCounts } from './layout.ts'
import { type KeyPlan, type ProofPlan, planKey, type Used, type Wires, writeKey } from './prepare.ts'
import { kernelModule } from './variant.ts'

/** What a thread is given: code and memory by reference, and tables on shared memory. */
export type Session = {
  readonly variant: Variant
  readonly module: WasmModule
  readonly memory: WasmMemory
  readonly layout: Layout
  readonly plan: ProofPlan
  /** Section 2 of the key. */
  readonly header: Uint8Array
  readonly verifyingKey: VerifyingKey
}

export type SessionOptions = {
  readonly key: ProvingKey
  /** With it, proofs are faster. */
  readonly quotientKey?: QuotientKey | undefined
  readonly variant: Variant
  readonly threads: number
  /** Proofs at a time; fewer if memory does not hold them, but at least one. */
  readonly proofs: number
  /** About how many proofs will be made in all; default: one. */
  readonly expected?: number | undefined
  /** Memory that may be used; default: up to 4 GiB. */
  readonly bytes?: number | undefined
  /** Tells wires whose values may be 2⁵³ or more; default: any. */
  readonly wideWire?: Circuit['wideWire'] | undefined
}

/**
 * Makes the memory and reads the key into it.
 *
 * Throws EngineMemoryError and KeyError `key/malformed`.
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { key, variant } = options
  const plan = planKey(key, options.quotientKey)
  const layout = layoutWithin(plan, options)
  const module = kernelModule(variant)
  const { memory, runtime } = freshMemory({ variant, module }, layout.bytes, 'this key', {
    slot: layout.slots[0]!,
    spare: layout.proofs[0]!.abort,
  })
  for (const _ of writeKey(runtime, key, plan, layout.key, layout.proofs[0]!.abort)) await setImmediate()
  runtime.bytes.fill(0, layout.proofs[0]!.abort, layout.proofs[0]!.abort + 64)
  const wires = ({ wire, merged }: Used): Wires => ({ wire: shared(wire), merged: shared(merged) })
  return {
    ...{ variant, module, memory, layout, verifyingKey: key.verifyingKey },
    plan: { a: wires(plan.a), b: wires(plan.b), c: wires(plan.c), vanishing: plan.vanishing },
    header: key.sections.get(2)!.slice(),
  }
}

/** The layout with as many proofs at a time as fit. */
function layoutWithin(
  plan: KeyPlan,
  { threads, proofs, expected, bytes = MAX_BYTES, wideWire }: SessionOptions,
): Layout {
  const wide = wideCounts(plan, wideWire)
  for (let k = proofs; ; k--) {
    try {
      const layout = planMemory(plan.counts, wide, k, threads, expected)
      if (layout.bytes <= bytes || k === 1) return layout
    } catch (error) {
      if (k === 1 || !(error instanceof EngineMemoryError)) throw error
    }
  }
}

/** Most wide values that a witness may bring to each sum. */
function wideCounts({ counts, a, b, c }: KeyPlan, wideWire: Uint8Array | undefined): WideCounts {
  if (wideWire === undefined) return { wires: counts.nVars + merges(a, b, c), a: counts.a, b: counts.b, c: counts.c }
  const isWide = (wire: number): boolean => wideWire[wire] === 1
  const section = (used: Used): number => used.wire.filter(isWide).length + merges(used)
  return {
    wires: wideWire.reduce((sum, wide) => sum + wide, 0),
    ...{ a: section(a), b: section(b), c: section(c) },
  }
}

/** Wires that share another's point: sums of small values need not be small. */
const merges = (...lists: readonly Used[]): number => lists.reduce((sum, { merged }) => sum + merged.length / 3, 0)

function shared(words: Uint32Array): Uint32Array {
  const copy = new Uint32Array(new SharedArrayBuffer(words.byteLength))
  copy.set(words)
  return copy
}
