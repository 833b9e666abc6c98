import { shiftAt } from '../../model/layers/requantise.ts'
import { type Shape, sizeOf } from '../../tensor.ts'
import { type LowerContext, type QTensor, type Shift, sparseMap, toInteger } from '../lowering.ts'
import type { Moves } from '../op.ts'

/** Shift of each element of a tensor. */
function shiftsOf(x: QTensor): Uint8Array {
  const size = sizeOf(x.shape)
  if (typeof x.shift === 'number') return new Uint8Array(size).fill(x.shift)
  return Uint8Array.from({ length: size }, (_, j) => shiftAt(x.shift as Exclude<Shift, number>, j))
}

/**
 * Data movement: element j of the result is element map[j] of the inputs one after the other, or `fill` (a real value)
 * where map[j] is -1. Scales are tied, so integers move as they are, with their fraction bits.
 */
export function lowerMove(
  context: LowerContext,
  inputs: readonly QTensor[],
  { map, fill }: Moves,
  shape: Shape,
): QTensor {
  const target = context.target()
  const identity = inputs.length === 1 && map.length === sizeOf(inputs[0]!.shape) && map.every((at, j) => at === j)
  if (identity && typeof inputs[0]!.shift === 'number') return { ...inputs[0]!, name: '', shape }
  // aligning different shifts of a wide result would need rows of weights: requantise those inputs instead
  const uniform = new Set(inputs.map((x) => (typeof x.shift === 'number' ? x.shift : -1)))
  const xs = target.wide && (uniform.size > 1 || uniform.has(-1)) ? inputs.map((x) => context.narrow(x)) : inputs
  const all = Uint8Array.from(xs.flatMap((x) => [...shiftsOf(x)]))
  const common = all[0] ?? 0
  const shifts = Uint8Array.from(map, (at) => (at < 0 ? common : all[at]!))
  const same = shifts.every((s) => s === shifts[0])
  const value = context.emit({
    kind: 'gather',
    inputs: xs.map((x) => x.value),
    shape,
    map,
    fill: toInteger(fill / target.scale, same ? (shifts[0] ?? 0) : common),
  })
  return { name: '', value, shape, scale: target.scale, shift: same ? (shifts[0] ?? 0) : { shifts, inner: 1 } }
}

/** Concatenation: constants among the inputs become integers of the result's scale. */
export function lowerConcat(
  context: LowerContext,
  inputs: readonly (QTensor | undefined)[],
  moves: Moves,
  shape: Shape,
): QTensor {
  const target = context.target()
  const anchor = inputs.find((x) => x !== undefined)!
  const all = inputs.map((x, i): QTensor => {
    if (x !== undefined) return x
    const { data, shape: size } = context.constants[i]!
    const rows = Array.from(data, (v) => ({ positions: [], weights: [], bias: v / target.scale }))
    const value = context.emit({ kind: 'linear', inputs: [anchor.value], shape: size, map: sparseMap(rows, 0) })
    return { name: '', value, shape: size, scale: target.scale, shift: 0 }
  })
  return lowerMove(context, all, moves, shape)
}
