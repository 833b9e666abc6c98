import type { Circuit } from '../../circuits/circuit.ts'
import { createField } from '../../circuits/field.ts'
import { evaluateLC, type Lies, type Step } from './interpret.ts'
import type { Random } from './random.ts'

/** A uniform integer in [lo, hi]. */
export function randomBetween(random: Random, lo: bigint, hi: bigint): bigint {
  let x = 0n
  for (let span = hi - lo; span > 0n; span >>= 24n) x = (x << 24n) | BigInt(random.integer(0, 2 ** 24 - 1))
  return lo + (x % (hi - lo + 1n))
}

/**
 * What a prover could answer instead of these honest values: other bit patterns (neighbours, x + p, bits that are no
 * bits but have the right sum), other hints (neighbours, quotients mod p, other selections with a matching maximum,
 * inverses that match a false answer), and every other wire moved by one.
 */
export function liesOf(circuit: Circuit, steps: readonly Step[], values: readonly bigint[], random: Random): Lies[] {
  const F = createField(circuit.prime)
  const p = circuit.prime
  const lies: Lies[] = []
  const lie = (...pairs: (readonly [wire: number, value: bigint])[]): void => {
    if (pairs.some(([wire, value]) => F.mod(value) !== values[wire])) lies.push(new Map(pairs))
  }
  const anything = (): bigint => randomBetween(random, 0n, p - 1n)
  const half = F.inv(2n)
  steps.forEach((step, s) => {
    const { out, count } = step
    const operands = step.operands.map((lc) => evaluateLC(circuit, lc, values))
    const honest = values.slice(out, out + count)
    const whole = (results: readonly bigint[]): void => lie(...results.map((v, i) => [out + i, v] as const))
    const single = (i: number, v: bigint): void => lie([out + i, v])
    if (step.kind === 'bits') {
      const x = operands[0]!
      const pattern = (v: bigint): void => whole(honest.map((_, i) => (v >> BigInt(i)) & 1n))
      for (const v of [x + 1n, x - 1n, x + p, 2n * p + x, p - x, 2n ** BigInt(count) - 1n - x, anything()])
        pattern(v < 0n ? v + p : v)
      for (let i = 0; i < count; i++) {
        single(i, 1n - honest[i]!)
        single(i, anything())
        if (i + 1 === count) continue
        // the weighted sum stays: only the bits' own rows can tell
        for (const v of [2n, -1n, anything()])
          lie([out + i, v], [out + i + 1, honest[i + 1]! + (honest[i]! - v) * half])
      }
    } else if (step.kind === 'hint') {
      for (let i = 0; i < count; i++)
        for (const v of [honest[i]! + 1n, honest[i]! - 1n, 0n, 1n, 2n, -1n, anything()]) single(i, v)
      if (step.hint === 'quotient') {
        const [n, d] = operands as [bigint, bigint]
        if (d !== 0n) for (const r of [0n, 1n, -1n, d - 1n, d, d + 1n]) single(0, (n - r) * F.inv(d))
        for (const v of [d, -d, n, p >> 1n]) single(0, honest[0]! + v)
      }
      if (step.hint === 'firstMaximum') {
        const maximum = steps[s - 1]!
        const selected = honest.indexOf(1n)
        for (let j = 0; j < count; j++) {
          const selection = honest.map((_, i) => [out + i, i === j ? 1n : 0n] as const)
          lie(...selection)
          for (const m of [operands[j]!, operands[j]! + 1n, values[maximum.out]! + 1n])
            lie([maximum.out, m], ...selection)
          if (j === selected) continue
          lie([out + selected, 2n], [out + j, -1n])
          const share = anything()
          lie([out + selected, 1n - share], [out + j, share])
        }
      }
      if (step.hint === 'isZero') {
        // row x·v = L·(1 - z), with v from the hint before
        const inverse = steps[s - 1]!
        const L = inverse.hint === 'quotientOf' ? BigInt(inverse.params![0]!) : 1n
        const x = operands[0]!
        for (const z of [1n - honest[0]!, anything()])
          for (const v of x === 0n ? [0n, 1n, anything()] : [L * (1n - z) * F.inv(x)]) lie([inverse.out, v], [out, z])
      }
    } else {
      single(0, honest[0]! + 1n)
      single(0, honest[0]! - 1n)
    }
  })
  return lies
}
