import { createBuilder } from '../../circuits/builder.ts'
import type { Circuit } from '../../circuits/circuit.ts'
import { Fr } from '../../circuits/field.ts'
import { rangeCheck } from '../../circuits/gadgets/bits.ts'
import { relu } from '../../circuits/gadgets/sign.ts'
import type { LC } from '../../circuits/lc.ts'

/** Pseudorandom integers in [0, n), from a seed. */
export function integers(seed: number): (n: number) => number {
  let state = seed >>> 0
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

export const int8 = { lo: -128n, hi: 127n }

/**
 * A quantised layer with ReLU: `inputs` private int8 values, `neurons` dense sums of them, and one public output that adds
 * the activations up; the first input is public as well.
 */
export function layer(inputs: number, neurons: number, seed = 1): Circuit {
  const random = integers(seed)
  const cs = createBuilder(Fr)
  const out = cs.output()
  const xs = Array.from({ length: inputs }, (_, i) => cs.input(i === 0 ? 'public' : 'private', int8))
  const checked = xs.map((x) => rangeCheck(cs, x, int8.lo, int8.hi))
  const ys: LC[] = []
  for (let j = 0; j < neurons; j++)
    ys.push(
      relu(cs, cs.combine([[random(1000), cs.ONE], ...checked.map((x) => [random(255) - 127, x] as [number, LC])])),
    )
  cs.bindOutput(out, cs.add(...ys))
  return cs.build()
}

/** Inputs for `layer`. */
export function layerInputs(inputs: number, seed = 2): number[] {
  const random = integers(seed)
  return Array.from({ length: inputs }, () => random(256) - 128)
}

/** x³ = y for a public y and private x, with x any field element. */
export function cube(): Circuit {
  const cs = createBuilder(Fr)
  const y = cs.input('public', null)
  const x = cs.input('private', null)
  cs.assertMul(cs.mul(x, x), x, y)
  return cs.build()
}

/** No rows at all: one private wire that nothing binds, and `publics` public inputs. */
export function empty(publics: number): Circuit {
  const cs = createBuilder(Fr)
  for (let i = 0; i < publics; i++) cs.input('public', int8)
  cs.input('private', int8)
  return cs.build()
}

/** One row, x·x = x, and no public signal. */
export function oneRow(): Circuit {
  const cs = createBuilder(Fr)
  const x = cs.input('private', int8)
  cs.assertMul(x, x, x)
  return cs.build()
}
