import type { Bounds, ValueId } from '../layer.ts'
import { kindOf, type Layer } from '../layers/index.ts'
import { analyse, type IntegerModel, type ValueInfo } from '../model.ts'

/** A model that is being made from another one, layer by layer. */
export type Rebuilder = {
  /** Adds a layer, whose inputs are values of the new model. */
  emit(layer: Layer): ValueId
  /** The layer of the new model that makes a value; undefined for inputs. */
  layerOf(value: ValueId): Layer | undefined
  /** Bounds and size of a value of the new model. */
  infoOf(value: ValueId): ValueInfo
  /** Bounds that the result of a layer would have. */
  boundsOf(layer: Layer): Bounds
  /**
   * A value that stands for the layer at hand, clamped to the bounds of that one where its own are wider and a later layer may
   * rest on them. All elements lie within, so that the clamp changes none, and takes no rows where their ranges say so.
   */
  inPlaceOf(layer: Layer, value: ValueId): ValueId
  /** Whether so many layers and outputs of the old model read a value of the new one, or what it stands for. */
  isRead(value: ValueId, times: number): boolean
}

/**
 * A model made from another: for every layer, with its inputs renamed to values of the new model, `replace` tells the value
 * that stands for it; by default the layer itself does.
 */
export function rebuild(
  model: IntegerModel,
  replace: (layer: Layer, to: Rebuilder) => ValueId | undefined,
): IntegerModel {
  const first = model.inputs.length
  const infos: ValueInfo[] = analyse({ ...model, layers: [], outputs: [] })
  const layers: Layer[] = []
  const readers = new Uint32Array(first + model.layers.length)
  for (const id of [...model.layers.flatMap((l) => [...new Set(l.inputs)]), ...model.outputs.map((o) => o.value)])
    readers[id]!++
  const restedOn = restsOnBounds(model)
  const boundsOf = (layer: Layer) =>
    kindOf(layer).bounds(
      layer,
      layer.inputs.map((input) => to.infoOf(input)),
    )
  const to: Rebuilder = {
    boundsOf,
    emit(layer) {
      layers.push(layer)
      return first + layers.length - 1
    },
    inPlaceOf(layer, value) {
      const [own, { lo, hi, size }] = [boundsOf(layer), to.infoOf(value)]
      if ((lo >= own.lo && hi <= own.hi) || restedOn[moved.length] === 0) return value
      const { name, shape } = layer
      const clamp = { shifts: Uint8Array.of(0), inner: size, lo: own.lo, hi: own.hi }
      return to.emit({ kind: 'requantise', name, inputs: [value], shape, ...clamp })
    },
    layerOf: (value) => layers[value - first],
    infoOf(value) {
      for (let id = infos.length; id <= value; id++) {
        const layer = layers[id - first]!
        infos.push({ ...boundsOf(layer), size: layer.shape.reduce((n, d) => n * d, 1) })
      }
      return infos[value]!
    },
    isRead: (value, times) => (newReaders.get(value) ?? 0) === times,
  }
  const newReaders = new Map<ValueId, number>()
  const moved: ValueId[] = []
  const move = (value: ValueId): void => {
    newReaders.set(value, (newReaders.get(value) ?? 0) + readers[moved.length]!)
    moved.push(value)
  }
  for (let i = 0; i < first; i++) move(i)
  for (const layer of model.layers) {
    const renamed = { ...layer, inputs: layer.inputs.map((id) => moved[id]!) } as Layer
    const value = replace(renamed, to) ?? to.emit(renamed)
    // a layer that came to nothing reads nothing
    if (renamed.inputs.includes(value)) newReaders.set(value, newReaders.get(value)! - 1)
    move(value)
  }
  return { ...model, layers, outputs: model.outputs.map((port) => ({ ...port, value: moved[port.value]! })) }
}

/** Of every value, 1 where a layer that takes only values of some domain depends on it. */
function restsOnBounds({ inputs, layers }: IntegerModel): Uint8Array {
  const rested = new Uint8Array(inputs.length + layers.length)
  for (let i = layers.length - 1; i >= 0; i--) {
    const { kind, inputs: read } = layers[i]!
    if (['lookup', 'locate', 'divide'].includes(kind) || rested[inputs.length + i] === 1)
      for (const id of read) rested[id] = 1
  }
  return rested
}
