import { type Ratio, rescaled, rescaledWithin } from '../../../circuits/gadgets/rescale.ts'
import { type LayerBase, type LayerKind, require } from '../layer.ts'

/**
 * y = clamp(⌊(p·x + r) / q⌋, lo, hi), elementwise, where with `even` a quotient without remainder that is odd counts one less:
 * the exact stand-in of a multiplication by a float and a rounding. Element j has the ratio of channel ⌊j / inner⌋ mod channels.
 */
export type Rescale = LayerBase & {
  readonly kind: 'rescale'
  readonly p: Float64Array
  readonly r: Float64Array
  readonly q: Float64Array
  readonly even: Uint8Array
  /** Where a channel's result differs from its ratio's, and by how much. */
  readonly except: readonly { readonly channel: number; readonly at: number; readonly by: number }[]
  readonly inner: number
  readonly lo: number
  readonly hi: number
}

/** Ratio of channel c. */
export function ratioOf({ p, r, q, even, except }: Rescale, c: number): Ratio {
  const own = except.filter(({ channel }) => channel === c)
  return { p: p[c]!, r: r[c]!, q: q[c]!, even: even[c] === 1, ...(own.length === 0 ? {} : { except: own }) }
}

export const rescale: LayerKind<Rescale> = {
  run(A, layer, [x]) {
    const ratios = Array.from(layer.p, (_, c) => ratioOf(layer, c))
    return Array.from(x!, (v, j) =>
      A.rescale(v, ratios[Math.floor(j / layer.inner) % ratios.length]!, layer.lo, layer.hi),
    )
  },
  bounds(layer, [x]) {
    const { p, r, lo, hi, except } = layer
    let [least, most, peak] = except.length === 0 ? [hi, lo, 0] : [lo, hi, 0]
    for (let c = 0; c < p.length; c++) {
      const ratio = ratioOf(layer, c)
      const clamp = (t: bigint): number => Math.min(Math.max(Number(t), lo), hi)
      least = Math.min(least, clamp(rescaled(BigInt(x!.lo), ratio)))
      most = Math.max(most, clamp(rescaled(BigInt(x!.hi), ratio)))
      peak = Math.max(peak, p[c]! * Math.max(Math.abs(x!.lo), Math.abs(x!.hi)) + Math.abs(r[c]!) + layer.q[c]!)
    }
    return { lo: least, hi: most, peak }
  },
  validate(layer, [size]) {
    const { p, r, q, even, except, inner, lo, hi, shape } = layer
    require(p.length > 0 && [r, q, even].every((a) => a.length === p.length), 'p, r, q and even differ in length')
    require([...p, ...r, ...q].every(Number.isSafeInteger), 'p, r and q must be integers')
    require(p.every((v) => v >= 1), 'p must be positive')
    require(q.every((v, c) => v >= (even[c] === 0 ? 1 : 2)) && even.every((e) => e <= 1), 'q or even is out of range')
    require(Array.isArray(layer.except) && except.every(isException), 'an exception is malformed')
    require(Number.isInteger(inner) && inner > 0, 'inner must be a positive integer')
    require(except.every(({ at, channel }) => {
      const y =
        channel < p.length ? rescaledWithin(BigInt(at), ratioOf(layer, channel), BigInt(lo), BigInt(hi)) : hi + 1
      return y >= lo && y <= hi
    }), 'an exception leaves the window')
    require(Number.isSafeInteger(lo) && Number.isSafeInteger(hi) && lo <= hi, 'lo and hi must be integers, lo ≤ hi')
    require(shape.reduce((n, d) => n * d, 1) === size, 'the shape does not fit the input')
  },
}

const isException = (e: { channel: number; at: number; by: number } | null): boolean =>
  typeof e === 'object' && e !== null && [e.channel, e.at, e.by].every(Number.isSafeInteger) && e.channel >= 0
