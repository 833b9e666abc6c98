import type { Shape } from '../../tensor.ts'
import type { LowerContext, QTensor } from '../lowering.ts'
import { emitAffine, emitClamp, emitFloorShift, exactly } from './compare.ts'

/** Widths beyond this many times that of the values are clamped again. */
const WIDENED = 2 ** 8

/**
 * The k greatest (sign 1) or least (sign -1) elements of each line in order, the first of equal ones first, and their places.
 *
 * With N = 2ᵗ ≥ n for lines of n elements x, y = ±x·N + N - 1 - place are all different and order as is wanted. A knockout tournament
 * finds the greatest: n - 1 maxima of two; the losers a + c - max(a, c) meet in the next one. ⌊y / N⌋ is ±x, and the
 * rest tells the place.
 */
export function lowerTopK(
  context: LowerContext,
  input: QTensor,
  lines: readonly (readonly number[])[],
  [k, sign]: readonly [k: number, sign: 1 | -1],
  shape: Shape,
): readonly [values: QTensor, indices: QTensor] {
  const x = exactly(context, input)
  const [count, n] = [lines.length, lines[0]!.length]
  const t = Math.ceil(Math.log2(n))
  const N = 2 ** t
  /** The element at a place of every line, as one value. */
  const column = (place: number): number =>
    context.emit({
      kind: 'gather',
      inputs: [x.value],
      shape: [count],
      map: Int32Array.from(lines, (line) => line[place]!),
      fill: 0,
    })
  const { lo, hi } = context.boundsOf(x.value)
  const [least, most] = sign === 1 ? [lo * N, hi * N + N - 1] : [-hi * N, -lo * N + N - 1]
  let players = Array.from({ length: n }, (_, place) =>
    emitAffine(context, [[sign * N, column(place)]], N - 1 - place, [count]),
  )
  const winners: number[] = []
  for (let round = 0; round < k; round++) {
    const losers: number[] = []
    const last = round === k - 1
    while (players.length > 1) {
      const next: number[] = []
      for (let i = 0; i + 1 < players.length; i += 2) {
        const [a, c] = [players[i]!, players[i + 1]!]
        const winner = emitGreater(context, a, c, count)
        next.push(winner)
        if (!last) losers.push(emitLoser(context, [a, c, winner], count, { lo: least, hi: most }))
      }
      if (players.length % 2 === 1) next.push(players.at(-1)!)
      players = next
    }
    winners.push(players[0]!)
    players = losers
  }
  const joined = context.emit({
    kind: 'gather',
    inputs: winners,
    shape: [count * k],
    map: Int32Array.from({ length: count * k }, (_, i) => (i % k) * count + Math.floor(i / k)),
    fill: 0,
  })
  // from line by line to the shape of the result
  const places = Int32Array.from({ length: count * k })
  const inner = innerOf(lines)
  for (let j = 0; j < count; j++)
    for (let i = 0; i < k; i++) places[(Math.floor(j / inner) * k + i) * inner + (j % inner)] = j * k + i
  const ordered = context.emit({ kind: 'gather', inputs: [joined], shape, map: places, fill: 0 })
  const signed = emitFloorShift(context, ordered, shape, t)
  const value = sign === 1 ? signed : emitAffine(context, [[-1, signed]], 0, shape)
  const terms = [
    [-1, ordered],
    [N, signed],
  ] as const
  const index = emitAffine(context, terms, N - 1, shape)
  // intervals do not show that it is a place; only what reads it later would pay for that
  const narrow = context.target(1)?.wide === false ? emitClamp(context, index, shape, 0, n - 1) : index
  return [
    { ...x, name: '', value, shape },
    { name: '', value: narrow, shape, scale: 1, shift: 0 },
  ]
}

/** Distance of the elements of a line. */
const innerOf = (lines: readonly (readonly number[])[]): number =>
  lines[0]!.length > 1 ? lines[0]![1]! - lines[0]![0]! : lines.length

/** max(a, c), elementwise. */
function emitGreater(context: LowerContext, a: number, c: number, count: number): number {
  const pairs = { starts: Uint32Array.from({ length: count + 1 }, (_, j) => 2 * j) }
  const positions = Uint32Array.from({ length: 2 * count }, (_, i) => (i % 2) * count + Math.floor(i / 2))
  const both = context.emit({
    kind: 'gather',
    inputs: [a, c],
    shape: [2 * count],
    map: Int32Array.from({ length: 2 * count }, (_, i) => i),
    fill: 0,
  })
  return context.emit({ kind: 'max', inputs: [both], shape: [count], ...pairs, positions })
}

/** a + c - max(a, c): the smaller one. Its interval is too wide; where it has become much so, it is clamped to what it can be. */
function emitLoser(
  context: LowerContext,
  [a, c, winner]: readonly [number, number, number],
  count: number,
  { lo, hi }: { readonly lo: number; readonly hi: number },
): number {
  const terms = [
    [1, a],
    [1, c],
    [-1, winner],
  ] as const
  const loser = emitAffine(context, terms, 0, [count])
  const bounds = context.boundsOf(loser)
  return bounds.hi - bounds.lo > WIDENED * (hi - lo + 1) ? emitClamp(context, loser, [count], lo, hi) : loser
}
