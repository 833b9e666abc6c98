import type { ValueId } from '../layer.ts'
import type { Layer } from '../layers/index.ts'
import type { IntegerModel } from '../model.ts'

/**
 * Makes the requantisation of a product part of it, where nothing else uses the product and there is one shift: the bits that
 * unpack the product's results then serve for rounding too.
 */
export function fuseRounding(model: IntegerModel): IntegerModel {
  const first = model.inputs.length
  const uses = new Map<ValueId, number>()
  for (const id of [...model.layers.flatMap((l) => l.inputs), ...model.outputs.map((o) => o.value)])
    uses.set(id, (uses.get(id) ?? 0) + 1)
  const layers: Layer[] = []
  /** Value ids of the new model. */
  const moved = Array.from({ length: first }, (_, i) => i)
  for (const layer of model.layers) {
    const id = layer.inputs[0]!
    const product = layers[moved[id]! - first]
    const fuses =
      layer.kind === 'requantise' &&
      layer.shifts.every((shift) => shift === layer.shifts[0]) &&
      product?.kind === 'product' &&
      product.rounding === undefined &&
      uses.get(id) === 1
    if (fuses) {
      const rounding = { shift: layer.shifts[0]!, lo: layer.lo, hi: layer.hi }
      layers[moved[id]! - first] = { ...product, shape: layer.shape, rounding }
      moved.push(moved[id]!)
    } else {
      layers.push({ ...layer, inputs: layer.inputs.map((input) => moved[input]!) })
      moved.push(first + layers.length - 1)
    }
  }
  return { ...model, layers, outputs: model.outputs.map((port) => ({ ...port, value: moved[port.value]! })) }
}
