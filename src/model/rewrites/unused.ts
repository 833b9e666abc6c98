import { sizeOf } from '../../tensor.ts'
import type { ValueId } from '../layer.ts'
import type { Layer } from '../layers/index.ts'
import { linearMap, macsOf } from '../layers/linear.ts'
import type { IntegerModel } from '../model.ts'
import { rebuild } from './rebuild.ts'

/** Layers that no output depends on are left out; weights stay, as they are what the model is given. */
export function removeUnusedLayers(model: IntegerModel): IntegerModel {
  const first = model.inputs.length
  const used = new Uint8Array(first + model.layers.length)
  for (const { value } of model.outputs) used[value] = 1
  for (let i = model.layers.length - 1; i >= 0; i--)
    if (used[first + i] === 1) for (const id of model.layers[i]!.inputs) used[id] = 1
  const moved = Array.from({ length: first }, (_, i) => i)
  const layers: Layer[] = []
  model.layers.forEach((layer, i) => {
    if (used[first + i] === 1 || layer.kind === 'weights')
      layers.push({ ...layer, inputs: layer.inputs.map((id) => moved[id]!) } as Layer)
    moved.push(first + layers.length - 1)
  })
  return { ...model, layers, outputs: model.outputs.map((port) => ({ ...port, value: moved[port.value]! })) }
}

/** Terms of a linear layer beyond which all of its input counts as read. */
const MAX_TERMS = 2 ** 25

/** Elements of each value that outputs depend on; null for all. */
function usedElements(model: IntegerModel): (Uint8Array | null)[] {
  const first = model.inputs.length
  const sizes = [...model.inputs.map(({ shape }) => sizeOf(shape)), ...model.layers.map(({ shape }) => sizeOf(shape))]
  const used: (Uint8Array | null)[] = sizes.map((size) => new Uint8Array(size))
  const all = (id: ValueId): void => {
    used[id] = null
  }
  for (const { value } of model.outputs) all(value)
  for (let i = model.layers.length - 1; i >= 0; i--) {
    const layer = model.layers[i]!
    const own = used[first + i]!
    if (own?.every((u) => u === 0)) continue
    if (own?.every((u) => u === 1)) used[first + i] = null
    const mask = used[first + i]!
    /** Marks an element of the concatenation of all inputs. */
    const starts = [0]
    for (const id of layer.inputs) starts.push(starts.at(-1)! + sizes[id]!)
    const mark = (at: number): void => {
      let input = 0
      while (at >= starts[input + 1]!) input++
      const elements = used[layer.inputs[input]!]
      if (elements !== null) elements![at - starts[input]!] = 1
    }
    const isUsed = (j: number): boolean => mask === null || mask[j] === 1
    if (layer.kind === 'gather') {
      for (const [j, at] of layer.map.entries()) if (at >= 0 && isUsed(j)) mark(at)
    } else if (layer.kind === 'max') {
      for (let j = 0; j + 1 < layer.starts.length; j++)
        if (isUsed(j)) for (let k = layer.starts[j]!; k < layer.starts[j + 1]!; k++) mark(layer.positions[k]!)
    } else if (layer.kind === 'linear' && macsOf(layer.map) <= MAX_TERMS) {
      const map = linearMap(layer.map)
      const [positions, weights] = [new Int32Array(map.maxTerms), new Float64Array(map.maxTerms)]
      for (let j = 0; j < map.outputs; j++) {
        if (!isUsed(j)) continue
        const count = map.terms(j, positions, weights)
        for (let k = 0; k < count; k++) if (weights[k] !== 0) mark(positions[k]!)
      }
    } else if (mask !== null && isElementwise(layer))
      mask.forEach((u, j) => {
        if (u === 1) for (const id of layer.inputs) if (used[id] !== null) used[id]![j] = 1
      })
    else layer.inputs.forEach(all)
  }
  return used
}

/** Whether element j of the result depends on elements j of the inputs alone. */
const isElementwise = (layer: Layer): boolean =>
  ['requantise', 'rescale', 'relu', 'multiply', 'divide'].includes(layer.kind) ||
  (layer.kind === 'lookup' && layer.functions === undefined)

/**
 * Elements that no output depends on (channels that weights of 0 or moves leave out) are not computed: layers that work on
 * single elements get a constant in their place, which takes no rows.
 */
export function removeUnusedElements(model: IntegerModel): IntegerModel {
  const used = usedElements(model)
  const first = model.inputs.length
  let at = 0
  return rebuild(model, (layer, to) => {
    const mask = used[first + at++]!
    if (mask === null || !isElementwise(layer) || mask.every((u) => u === 1)) return undefined
    const { name } = layer
    const inputs = layer.inputs.map((id) => {
      const { lo, hi, size } = to.infoOf(id)
      const map = Int32Array.from({ length: size }, (_, j) => (mask[j] === 1 ? j : -1))
      const fill = Math.min(Math.max(lo, 0), hi)
      return to.emit({ kind: 'gather', name, inputs: [id], shape: [size], map, fill })
    })
    return to.emit({ ...layer, inputs } as Layer)
  })
}
