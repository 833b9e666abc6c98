/**
 * A proof as a plan of pieces of work over one memory, and the driver that runs them one after the other.
 * @module
 */
import type { ProofSums } from './assemble.ts'
import { takeIn, type Values } from './intake.ts'
import type { KeyLayout, ProofLayout } from './layout.ts'
import { type Msm, multiScalar, type WeightedSums, WIDE_BITS, type Windows, wideWidth, windowsOf } from './msm.ts'
import type { ProofPlan } from './prepare.ts'
import { POINT_BYTES, type Runtime } from './runtime.ts'
import { cutOf, type Pass, passBlocks, runPass, writeBias } from './transforms.ts'

/** The windows of the sum over H, whose integers are full-size, for a number of threads that share it. */
export const quotientWindows = ({ points, hMultiples }: KeyLayout, threads: number): Windows =>
  hMultiples ?? windowsOf(WIDE_BITS, wideWidth(points, WIDE_BITS, threads))

/** The sum over H. */
export const quotientSum = (key: KeyLayout, proof: ProofLayout, windows: Windows): Msm => ({
  ...{ group: 'g1', integers: proof.integers, stride: 32, pointers: proof.pointers, count: key.points },
  ...{ windows, firstWindow: 0, windowCount: windows.count },
  multiples: key.hMultiples === undefined ? 0 : POINT_BYTES.g1 * key.points,
})

/** Phases in their order, and what part of the time each takes, measured at 2¹⁷ rows with small values and no quotient key. */
const PHASES = { witness: 4, rows: 7, columns: 9, results: 7, a: 2, b1: 2, b2: 4, c: 2, h: 61, check: 2 } as const

export type Phase = keyof typeof PHASES

/** The share of each phase in the time of a proof with a key. */
export function phaseShares({ counts, domain, points }: KeyLayout): Readonly<Record<Phase, number>> {
  const [vectors, kept] = [counts.vectors / 3, points / domain]
  const factors: Partial<Record<Phase, number>> = { rows: vectors, columns: vectors, results: vectors * kept, h: kept }
  const weights = Object.entries(PHASES).map(
    ([phase, weight]) => [phase, weight * (factors[phase as Phase] ?? 1)] as const,
  )
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0)
  return Object.fromEntries(weights.map(([phase, weight]) => [phase, weight / total])) as Record<Phase, number>
}

export type OnPhase = (phase: Phase, share: number) => void

/** All sums of one proof on one thread. `onPhase` is called within each phase and may throw to end the work. */
export function proofSums(
  runtime: Runtime,
  plan: ProofPlan,
  key: KeyLayout,
  proof: ProofLayout,
  values: Values,
  onPhase: OnPhase = () => {},
): ProofSums {
  const intake = takeIn(runtime, plan, key, proof, values)
  const windows = quotientWindows(key, 1)
  writeBias(runtime, proof, windows)
  for (const pass of ['rows', 'columns', 'results'] as const)
    for (const { first, end, share } of pieces(key, pass, 16)) {
      onPhase(pass, share)
      runPass(runtime, key, proof, pass, first, end, plan.vanishing)
    }
  const sum = (phase: keyof ProofSums, list: readonly Msm[]): WeightedSums[] => {
    onPhase(phase, 0)
    return list.map((msm) => multiScalar(runtime, msm, (share) => onPhase(phase, share)))
  }
  return {
    a: sum('a', intake.a),
    b1: sum('b1', intake.b1),
    b2: sum('b2', intake.b2),
    c: sum('c', intake.c),
    h: sum('h', [quotientSum(key, proof, windows)]),
  }
}

/** The blocks of a pass in at most `count` pieces. */
export function pieces(
  { counts }: KeyLayout,
  pass: Pass,
  count: number,
): readonly { readonly first: number; readonly end: number; readonly share: number }[] {
  const blocks = passBlocks(cutOf(counts.power), counts.kept)[pass]
  const step = Math.ceil(blocks / count)
  return Array.from({ length: Math.ceil(blocks / step) }, (_, i) => ({
    first: i * step,
    end: Math.min((i + 1) * step, blocks),
    share: (i * step) / blocks,
  }))
}
