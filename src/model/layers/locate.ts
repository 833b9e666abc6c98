import { type LayerBase, type LayerKind, magnitudeOf, require } from '../layer.ts'

/**
 * [x_i ≥ t] for the ascending thresholds t of each element i of x: starts[i] … starts[i+1] - 1 of `thresholds`, in this order
 * also in the result. Every element lies in [lo, hi], the thresholds in (lo, hi]; where x is an input that no other kind of layer
 * reads, these rows are what proves its bounds.
 */
export type Locate = LayerBase & {
  readonly kind: 'locate'
  readonly starts: Uint32Array
  readonly thresholds: Float64Array
  readonly lo: number
  readonly hi: number
}

export const locate: LayerKind<Locate> = {
  run: (A, { starts, thresholds, lo, hi }, [x]) =>
    Array.from(x!, (v, i) => A.locate(v, Array.from(thresholds.subarray(starts[i]!, starts[i + 1]!)), lo, hi)).flat(),
  bounds({ lo, hi }, [x]) {
    if (x!.lo < lo || x!.hi > hi) throw new RangeError(`[${x!.lo}, ${x!.hi}] leaves the bounds [${lo}, ${hi}]`)
    return { lo: 0, hi: 1, peak: 2 * Math.max(magnitudeOf({ lo, hi }), 1) }
  },
  validate({ starts, thresholds, lo, hi, shape }, [size]) {
    require(Number.isSafeInteger(lo) && Number.isSafeInteger(hi) && lo <= hi, 'lo and hi must be integers, lo ≤ hi')
    require(starts.length === size! + 1 && starts[0] === 0, 'the thresholds do not fit the input')
    require(starts.every((s, i) => i === 0 || s >= starts[i - 1]!), 'starts must not decrease')
    require(starts.at(-1) === thresholds.length, 'starts and thresholds do not fit')
    require(shape.reduce((n, d) => n * d, 1) === thresholds.length, 'the shape does not fit the thresholds')
    const fits = (t: number, k: number): boolean => Number.isSafeInteger(t) && t > lo && t <= hi && k >= 0
    require(thresholds.every(fits), 'a threshold lies outside the bounds')
    const firsts = new Set(starts)
    require(thresholds.every(
      (t, k) => firsts.has(k) || t > thresholds[k - 1]!,
    ), 'the thresholds of an element must ascend')
  },
}
