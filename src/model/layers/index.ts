import type { LayerKind } from '../layer.ts'
import { type ArgMax, argmax } from './argmax.ts'
import { type Divide, divide } from './divide.ts'
import { type Forest, forest } from './forest.ts'
import { type Gather, gather } from './gather.ts'
import { type Linear, linear } from './linear.ts'
import { type Locate, locate } from './locate.ts'
import { type Lookup, lookup } from './lookup.ts'
import { type Max, max } from './max.ts'
import { type Multiply, multiply } from './multiply.ts'
import { type Product, product } from './product.ts'
import { type Relu, relu } from './relu.ts'
import { type Requantise, requantise } from './requantise.ts'
import { type Rescale, rescale } from './rescale.ts'
import { type Weights, weights } from './weights.ts'

export type Layer =
  | Linear
  | Gather
  | Requantise
  | Max
  | ArgMax
  | Relu
  | Lookup
  | Multiply
  | Divide
  | Rescale
  | Locate
  | Forest
  | Weights
  | Product

/** Every kind of layer. Adding one: write its file, list it here. */
export const layerKinds: { readonly [K in Layer['kind']]: LayerKind<Extract<Layer, { kind: K }>> } = {
  linear,
  gather,
  requantise,
  max,
  argmax,
  relu,
  lookup,
  multiply,
  divide,
  rescale,
  locate,
  forest,
  weights,
  product,
}

/** The meaning of a layer's kind. */
export const kindOf = (layer: Layer): LayerKind<Layer> => layerKinds[layer.kind] as LayerKind<Layer>
