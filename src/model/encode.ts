import { decodeContainer, encodeContainer } from '../../circuits/container.ts'
import { analyse, type IntegerModel, ModelError } from './model.ts'

const KIND = 'veritensor-integer-model'
const VERSION = 1

type TypedArray = Float64Array | Int32Array | Uint32Array | Uint8Array

/** An integer model as bytes: JSON with its arrays beside it. */
export function encodeModelFile(model: IntegerModel): Uint8Array {
  const arrays: Record<string, TypedArray> = {}
  const header = JSON.parse(
    JSON.stringify(model, (_, value) => {
      if (!ArrayBuffer.isView(value)) return value
      const name = `a${Object.keys(arrays).length}`
      arrays[name] = value as TypedArray
      return { $array: name }
    }),
  )
  return encodeContainer(KIND, VERSION, { model: header }, arrays)
}

/** The model of such bytes, checked as a whole. Throws ModelError `model/malformed`, or what the container throws. */
export function decodeModelFile(bytes: Uint8Array): IntegerModel {
  const { header, arrays } = decodeContainer(KIND, bytes, VERSION)
  const revive = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(revive)
    if (typeof value !== 'object' || value === null) return value
    const name = (value as { $array?: unknown }).$array
    if (typeof name === 'string') return arrays[name]
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, revive(v)]))
  }
  const model = revive((header as { model?: unknown }).model) as IntegerModel
  if (typeof model !== 'object' || ![model?.inputs, model?.layers, model?.outputs].every(Array.isArray))
    throw new ModelError('model/malformed', 'the file holds no integer model')
  const { architecture = [] } = model
  if (!Array.isArray(architecture) || !architecture.every((line) => typeof line === 'string'))
    throw new ModelError('model/malformed', 'the architecture is no list of lines')
  try {
    analyse(model)
  } catch (cause) {
    if (cause instanceof ModelError) throw cause
    throw new ModelError('model/malformed', 'a layer of the file lacks a field or has one of the wrong type', { cause })
  }
  return model
}
