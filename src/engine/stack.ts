/**
 * Where kernels keep what does not fit into registers. V8 lays sixteen-byte values on the stack in steps of sixteen bytes,
 * but a frame may begin eight bytes beside such a step; a value then crosses from one page of memory to the next if the frame
 * happens to lie there, and a product takes up to 2.5 times as long: for a whole process, as a kernel is always called from
 * the same depth. An argument more, which nobody reads, moves all frames above by eight bytes.
 * @module
 */

/** A place from which kernels are called: whether with an argument more, and the best time for a unit of work so far. */
export type CallSite = { shifted: boolean; best: number }

export const callSite = (): CallSite => ({ shifted: false, best: Number.POSITIVE_INFINITY })

/** How much slower than the best a call must be to make the next one try the other place. */
const SLOW = 1.07

/** The best is forgotten slowly: processors change their frequency. */
const FADE = 1.002

/** Shortest time, in milliseconds, that tells anything. */
const SHORTEST = 0.2

/** Calls a function that calls kernels and does `work` units of work. */
export function callFrom<A extends readonly unknown[], T>(
  site: CallSite,
  work: number,
  fn: (...args: A) => T,
  args: A,
): T {
  const start = performance.now()
  const result: T = Reflect.apply(fn, undefined, site.shifted ? [...args, 0] : args)
  const time = performance.now() - start
  if (time < SHORTEST) return result
  const each = time / work
  if (each > SLOW * site.best) site.shifted = !site.shifted
  site.best = Math.min(each, FADE * site.best)
  return result
}
