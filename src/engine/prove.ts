/**
 * A proof as a plan of pieces of work over one memory, and the driver that runs them one after the other.
 * @module
 */
import type { ProofSums } from './assemble.ts'
import { type Intake, takeIn, type Values, WIDE_BITS } from './intake.ts'
import type { KeyLayout, ProofLayout } from './layout.ts'
import { bestWidth, type Msm, multiScalar, type WeightedSums, type Windows, windowsOf } from './msm.ts'
import type { KeyPlan } from './prepare.ts'
import type { Runtime } from './runtime.ts'
import { cutOf, type Pass, passBlocks, runPass, writeBias } from './transforms.ts'

/** The windows of the sum over H: its integers are full-size. */
export function quotientWindows({ domain }: KeyLayout): Windows {
  const counts = new Float64Array(WIDE_BITS + 1)
  counts[WIDE_BITS] = domain
  return windowsOf(WIDE_BITS, bestWidth('g1', counts))
}

/** The sum over H. */
export function quotientSum(key: KeyLayout, proof: ProofLayout): Msm {
  const windows = quotientWindows(key)
  return {
    ...{ group: 'g1', integers: proof.integers, stride: 32, pointers: proof.pointers, count: key.domain },
    ...{ windows, firstWindow: 0, windowCount: windows.count },
  }
}

/** Milliseconds of each phase of a proof. */
export type Phases = Readonly<Record<'intake' | 'abc' | 'fft' | 'a' | 'b1' | 'b2' | 'c' | 'h', number>>

/** All sums of one proof on one thread. `onPhase` is called before each phase and may throw to end the work. */
export function proofSums(
  runtime: Runtime,
  plan: KeyPlan,
  key: KeyLayout,
  proof: ProofLayout,
  values: Values,
  onPhase: (phase: keyof ProofSums | 'intake' | Pass, share: number) => void = () => {},
): ProofSums {
  onPhase('intake', 0)
  const intake: Intake = takeIn(runtime, plan, key, proof, values)
  writeBias(runtime, proof, quotientWindows(key))
  const blocks = passBlocks(cutOf(key.counts.power))
  for (const pass of ['rows', 'columns', 'results'] as const) {
    const step = Math.max(1, Math.ceil(blocks[pass] / 16))
    for (let first = 0; first < blocks[pass]; first += step) {
      onPhase(pass, first / blocks[pass])
      runPass(runtime, key, proof, pass, first, Math.min(first + step, blocks[pass]), plan.vanishing)
    }
  }
  const sum = (phase: keyof ProofSums, list: readonly Msm[]): WeightedSums[] => {
    onPhase(phase, 0)
    return list.map((msm) => multiScalar(runtime, msm))
  }
  return {
    a: sum('a', intake.a),
    b1: sum('b1', intake.b1),
    b2: sum('b2', intake.b2),
    c: sum('c', intake.c),
    h: sum('h', [quotientSum(key, proof)]),
  }
}
