import type { IntegerModel } from '../model.ts'
import { rebuild } from './rebuild.ts'

/**
 * Makes a clamp part of the rounding before or after it: ReLUs and requantisations without a shift, where nothing else reads
 * what lies between. Rounding shifts and clamps are monotone and a shift takes 0 to 0, so that
 *
 *   clamp₂(clamp₁(t)) = t clamped to [clamp₂(lo₁), clamp₂(hi₁)]   and   round(max(x, 0)) = max(round(x), 0).
 */
export function mergeClamps(model: IntegerModel): IntegerModel {
  return rebuild(model, (layer, to) => {
    const id = layer.inputs[0]!
    const source = to.layerOf(id)
    if (layer.kind === 'relu') {
      if (to.infoOf(id).lo >= 0) return id
      if (source?.kind !== 'requantise' || !to.isRead(id, 1) || source.hi < 0) return undefined
      return to.emit({ ...source, name: layer.name, shape: layer.shape, lo: Math.max(source.lo, 0) })
    }
    if (layer.kind !== 'requantise') return undefined
    const unshifted = layer.shifts.every((shift) => shift === 0)
    const { lo, hi } = to.infoOf(id)
    if (unshifted && lo >= layer.lo && hi <= layer.hi) return id
    const clamp = (v: number): number => Math.min(Math.max(v, layer.lo), layer.hi)
    if (source?.kind === 'relu' && to.isRead(id, 1))
      return to.emit({ ...layer, inputs: source.inputs, lo: clamp(0), hi: layer.hi })
    if (source?.kind === 'requantise' && unshifted && to.isRead(id, 1))
      return to.emit({ ...source, name: layer.name, shape: layer.shape, lo: clamp(source.lo), hi: clamp(source.hi) })
    return undefined
  })
}

/** Whether a requantisation has one shift for all elements. */
export const isUniform = ({ shifts }: { readonly shifts: Uint8Array }): boolean => shifts.every((s) => s === shifts[0])
