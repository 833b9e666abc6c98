import type { ValueId } from '../../model/layer.ts'
import { shiftAt } from '../../model/layers/requantise.ts'
import { type Shape, sameShape, sizeOf } from '../../tensor.ts'
import { type LowerContext, type QTensor, type Shift, sparseMap, toInteger } from '../lowering.ts'
import type { Moves } from '../op.ts'
import { lowerRescale } from './compare.ts'

/** Shift of each element of a tensor. */
export function shiftsOf(x: QTensor): Uint8Array {
  const size = sizeOf(x.shape)
  if (typeof x.shift === 'number') return new Uint8Array(size).fill(x.shift)
  return Uint8Array.from({ length: size }, (_, j) => shiftAt(x.shift as Exclude<Shift, number>, j))
}

/** The tensor in the scale of an output: as it is, or, where its own scale is fixed by what made it, rescaled and rounded. */
export function inScaleOf(context: LowerContext, x: QTensor, output = 0): QTensor {
  const target = context.target(output)
  if (Math.abs(x.scale / target.scale - 1) < 1e-9) return x
  const { value, shift } = lowerRescale(context, x)
  const rounded = context.emit({
    kind: 'requantise',
    inputs: [value],
    shape: x.shape,
    shifts: Uint8Array.of(shift as number),
    inner: Math.max(sizeOf(x.shape), 1),
    lo: target.lo,
    hi: target.hi,
  })
  return { ...x, value: rounded, scale: target.scale, shift: 0 }
}

/** The tensors with the largest of their shifts. */
function withOneShift(context: LowerContext, tensors: readonly QTensor[]): QTensor[] {
  const shifts = tensors.map(shiftsOf)
  const shift = shifts.flatMap((of) => [...of]).reduce((m, s) => Math.max(m, s), 0)
  return tensors.map((x, i): QTensor => {
    const rows = Array.from(shifts[i]!, (s, j) => ({ positions: [j], weights: [2 ** (shift - s)], bias: 0 }))
    if (rows.every(({ weights }) => weights[0] === 1)) return { ...x, shift }
    const value = context.emit({ kind: 'linear', inputs: [x.value], shape: x.shape, map: sparseMap(rows, 0) })
    return { ...x, value, shift }
  })
}

/**
 * The tensors that a map takes elements from, at least one, and the map from these: the bounds, and accumulators, of others
 * would otherwise count for the result.
 */
function withoutUnused(
  given: readonly QTensor[],
  map: Int32Array,
): { readonly inputs: readonly QTensor[]; readonly map: Int32Array } {
  if (given.length === 1) return { inputs: given, map }
  const starts: number[] = []
  let size = 0
  for (const { shape } of given) {
    starts.push(size)
    size += sizeOf(shape)
  }
  const owner = new Int32Array(size)
  for (const [i, start] of starts.entries()) owner.fill(i, start)
  const used = new Set(Array.from(map, (at) => (at < 0 ? -1 : owner[at]!)))
  const kept = given.flatMap((_, i) => (used.has(i) ? [i] : []))
  if (kept.length === given.length) return { inputs: given, map }
  if (kept.length === 0) return { inputs: given.slice(0, 1), map }
  const offsets = new Map<number, number>()
  let next = 0
  for (const i of kept) {
    offsets.set(i, next - starts[i]!)
    next += sizeOf(given[i]!.shape)
  }
  return {
    inputs: kept.map((i) => given[i]!),
    map: map.map((at) => (at < 0 ? at : at + offsets.get(owner[at]!)!)),
  }
}

/**
 * Data movement: element j of the result is element map[j] of the inputs one after the other, or `fill` (a real value)
 * where map[j] is -1. Scales are tied, so integers move as they are, with their fraction bits.
 */
export function lowerMove(
  context: LowerContext,
  given: readonly QTensor[],
  moves: Moves,
  shape: Shape,
  output = 0,
): QTensor {
  const { inputs, map } = withoutUnused(given, moves.map)
  const target = context.target(output)
  const identity = inputs.length === 1 && map.length === sizeOf(inputs[0]!.shape) && map.every((at, j) => at === j)
  if (identity && typeof inputs[0]!.shift === 'number') return { ...inputs[0]!, name: '', shape }
  const scaled = inputs.map((x) => inScaleOf(context, x, output))
  // a wide result has one shift for all: multiplying by powers of two costs no rows
  const different = new Set(scaled.map((x) => (typeof x.shift === 'number' ? x.shift : -1)))
  const xs = target.wide && (different.size > 1 || different.has(-1)) ? withOneShift(context, scaled) : scaled
  const all = Uint8Array.from(xs.flatMap((x) => [...shiftsOf(x)]))
  const common = all[0] ?? 0
  const shifts = Uint8Array.from(map, (at) => (at < 0 ? common : all[at]!))
  const same = shifts.every((s) => s === shifts[0])
  const value = context.emit({
    kind: 'gather',
    inputs: xs.map((x) => x.value),
    shape,
    map,
    fill: toInteger(moves.fill / target.scale, same ? (shifts[0] ?? 0) : common),
  })
  return { name: '', value, shape, scale: target.scale, shift: same ? (shifts[0] ?? 0) : { shifts, inner: 1 } }
}

/** Elements of a tensor, requantised, at some positions; it keeps its name, and so its statistics. */
export function lowerTaken(context: LowerContext, x: QTensor, positions: readonly number[], shape: Shape): QTensor {
  if (sameShape(x.shape, shape) && positions.every((at, j) => at === j)) return x
  const narrow = context.narrow(x)
  const map = Int32Array.from(positions)
  return { ...narrow, value: context.emit({ kind: 'gather', inputs: [narrow.value], shape, map, fill: 0 }), shape }
}

/** The node's constant input i as integers of the result's scale, in a layer beside some value. */
export function constantLike(context: LowerContext, i: number, anchor: ValueId): QTensor {
  const target = context.target()
  const { data, shape } = context.constants[i]!
  const rows = Array.from(data, (v) => ({ positions: [], weights: [], bias: v / target.scale }))
  const value = context.emit({ kind: 'linear', inputs: [anchor], shape, map: sparseMap(rows, 0) })
  return { name: '', value, shape, scale: target.scale, shift: 0 }
}

/** Concatenation: constants among the inputs become integers of the result's scale. */
export function lowerConcat(
  context: LowerContext,
  inputs: readonly (QTensor | undefined)[],
  moves: Moves,
  shape: Shape,
): QTensor {
  const anchor = inputs.find((x) => x !== undefined)!.value
  const all = inputs.map((x, i) => x ?? constantLike(context, i, anchor))
  return lowerMove(context, all, moves, shape)
}
