import { signedWidth } from '../../../circuits/gadgets/sign.ts'
import { sizeOf } from '../../tensor.ts'
import type { ValueId } from '../layer.ts'
import type { Layer } from '../layers/index.ts'
import type { Max } from '../layers/max.ts'
import { type Requantise, shiftAt } from '../layers/requantise.ts'
import { analyse, type IntegerModel } from '../model.ts'

/**
 * Puts each maximum on the cheaper side of the requantisation next to it.
 *
 * Rounding shifts and clamps are monotone, so max(requantise(x)) = requantise(max(x)) for windows of one shift: both orders
 * are the same function. Taking the maximum first leaves fewer values to requantise, but compares wider ones; it pays where
 * windows do not overlap. Rows as in the gadgets' docstrings: requantise B + 4, maximum b + 3. Results of a product have their
 * bits already, which a requantisation next to it uses.
 */
export function orderMaxima(model: IntegerModel): IntegerModel {
  const infos = analyse(model)
  const first = model.inputs.length
  const uses = new Map<ValueId, number>()
  for (const id of [...model.layers.flatMap((l) => l.inputs), ...model.outputs.map((o) => o.value)])
    uses.set(id, (uses.get(id) ?? 0) + 1)
  const layers = [...model.layers]
  for (let i = 0; i < layers.length; i++) {
    const later = layers[i]!
    const id = later.inputs[0]!
    const earlier = layers[id - first]
    if (earlier === undefined || uses.get(id) !== 1) continue
    const [pool, scale] =
      later.kind === 'max' && earlier.kind === 'requantise'
        ? [later, earlier]
        : later.kind === 'requantise' && earlier.kind === 'max'
          ? [earlier, later]
          : []
    if (pool === undefined || scale === undefined) continue
    const source = infos[earlier.inputs[0]!]!
    const wide = signedWidth({ lo: BigInt(source.lo), hi: BigInt(source.hi) })
    const narrow = Math.ceil(Math.log2(scale.hi - scale.lo + 1))
    const maxFirst = maxRows(pool, wide) + sizeOf(pool.shape) * (wide + 4)
    const bitsThere = layers[earlier.inputs[0]! - first]?.kind === 'product' && uses.get(earlier.inputs[0]!) === 1
    const maxLast = maxRows(pool, narrow) + source.size * (bitsThere ? 4 : wide + 4)
    const wanted = maxFirst <= maxLast ? 'max' : 'requantise'
    if (earlier.kind === wanted) continue
    const swapped = wanted === 'max' ? maximumFirst(pool, scale) : maximumLast(pool, scale, source.size)
    if (swapped === undefined) continue
    const [a, b] = swapped
    layers[id - first] = { ...a, inputs: earlier.inputs } as Layer
    layers[i] = { ...b, inputs: [id] } as Layer
    infos[id] = { ...infos[earlier.inputs[0]!]!, size: sizeOf(a.shape) }
  }
  return { ...model, layers }
}

const maxRows = ({ starts }: Max, bits: number): number => (starts.at(-1)! - (starts.length - 1)) * (bits + 3)

/** Maximum of the unrounded values, then the shift of each window's elements; undefined where they differ. */
function maximumFirst(pool: Max, scale: Requantise): [Max, Requantise] | undefined {
  const shifts = new Uint8Array(sizeOf(pool.shape))
  for (let j = 0; j < shifts.length; j++) {
    shifts[j] = shiftAt(scale, pool.positions[pool.starts[j]!]!)
    for (let k = pool.starts[j]!; k < pool.starts[j + 1]!; k++)
      if (shiftAt(scale, pool.positions[k]!) !== shifts[j]) return undefined
  }
  return [pool, { ...scale, shape: pool.shape, ...compact(shifts) }]
}

/** The shift of every element, then the maximum; undefined where windows with different shifts share an element. */
function maximumLast(pool: Max, scale: Requantise, size: number): [Requantise, Max] | undefined {
  const shifts = new Int16Array(size).fill(-1)
  for (let j = 0; j < sizeOf(pool.shape); j++)
    for (let k = pool.starts[j]!; k < pool.starts[j + 1]!; k++) {
      const at = pool.positions[k]!
      const shift = shiftAt(scale, j)
      if (shifts[at] !== -1 && shifts[at] !== shift) return undefined
      shifts[at] = shift
    }
  // what no window reads takes a shift that others take, or else it could have wider bounds than they
  const unread = shifts.find((shift) => shift >= 0)!
  return [{ ...scale, shape: [size], ...compact(Uint8Array.from(shifts, (s) => (s < 0 ? unread : s))) }, pool]
}

/** One shift where all are equal. */
const compact = (shifts: Uint8Array): Pick<Requantise, 'shifts' | 'inner'> =>
  shifts.every((s) => s === shifts[0]) ? { shifts: shifts.slice(0, 1), inner: shifts.length } : { shifts, inner: 1 }
