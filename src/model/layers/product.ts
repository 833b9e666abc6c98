import type { Arithmetic, IntegerRounding } from '../../../circuits/arithmetic.ts'
import { shiftRight } from '../../../circuits/gadgets/requantise.ts'
import type { ProductMap } from '../../../circuits/productMap.ts'
import { sizeOf } from '../../tensor.ts'
import { type Bounds, type LayerBase, type LayerKind, magnitudeOf, require } from '../layer.ts'
import { isPadded, type ProductGeometry } from './linear.ts'

/**
 * y = W·x, plus a bias per channel where there is a third input: a linear map whose weights, the second input, are a value of
 * the model. They are laid out as those of the linear layer. With `rounding`, the requantisation that follows is part of it.
 */
export type Product = LayerBase & {
  readonly kind: 'product'
  readonly map: ProductGeometry
  readonly rounding?: IntegerRounding
}

/** A matrix product for each group of the map, and where its results go. */
type Part = { readonly map: ProductMap; readonly at: (i: number, j: number) => number }

/** The map as matrix products: rows are windows (or rows of x), columns are output channels. */
export function productParts(geometry: ProductGeometry): Part[] {
  if (geometry.type === 'matMul') {
    const { rows, inner, columns } = geometry
    const map = {
      ...{ rows, inner, columns },
      x: (i: number, t: number) => i * inner + t,
      w: (t: number, j: number) => t * columns + j,
      bias: (j: number) => j,
    }
    return [{ map, at: (i, j) => i * columns + j }]
  }
  const { batch, channels, outChannels, groups, kernel, strides, dilations, pads } = geometry
  const [height, width] = geometry.size
  const [outHeight, outWidth] = geometry.outSize
  const [kh, kw] = kernel
  const perGroup = channels / groups
  const columns = outChannels / groups
  const inner = perGroup * kh * kw
  const plane = outHeight * outWidth
  return Array.from({ length: groups }, (_, g) => ({
    map: {
      ...{ rows: batch * plane, inner, columns },
      x(i, t) {
        const [n, c] = [Math.floor(i / plane), g * perGroup + Math.floor(t / (kh * kw))]
        const y = Math.floor((i % plane) / outWidth) * strides[0] - pads[0] + (Math.floor(t / kw) % kh) * dilations[0]
        const x = (i % outWidth) * strides[1] - pads[1] + (t % kw) * dilations[1]
        return y < 0 || y >= height || x < 0 || x >= width ? -1 : ((n * channels + c) * height + y) * width + x
      },
      w: (t, j) => (g * columns + j) * inner + t,
      bias: (j) => g * columns + j,
    },
    at: (i, j) => (Math.floor(i / plane) * outChannels + g * columns + j) * plane + (i % plane),
  }))
}

/** Elements of the input, of the weights, and channels. */
function sizesOf(map: ProductGeometry): readonly [input: number, weights: number, channels: number, outputs: number] {
  if (map.type === 'matMul') return [map.rows * map.inner, map.inner * map.columns, map.columns, map.rows * map.columns]
  const { batch, channels, size, outChannels, outSize, kernel, groups } = map
  return [
    batch * channels * size[0] * size[1],
    (outChannels * channels * kernel[0] * kernel[1]) / groups,
    outChannels,
    batch * outChannels * outSize[0] * outSize[1],
  ]
}

export const product: LayerKind<Product> = {
  run<T>(A: Arithmetic<T>, { map, shape, rounding }: Product, [x, w, bias]: readonly ArrayLike<T>[]) {
    const results = new Array<T>(sizeOf(shape))
    for (const part of productParts(map)) {
      const { rows, columns } = part.map
      const y = A.product(part.map, { x: x!, w: w!, bias }, rounding)
      for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) results[part.at(i, j)] = y[i * columns + j]!
    }
    return results
  },
  bounds(layer, [x, w, bias]) {
    const { map, rounding } = layer
    const inner = map.type === 'matMul' ? map.inner : sizesOf(map)[1] / map.outChannels
    const ends = [x!.lo * w!.lo, x!.lo * w!.hi, x!.hi * w!.lo, x!.hi * w!.hi]
    // windows that leave the input have fewer terms
    if (map.type === 'conv' && isPadded(map)) ends.push(0)
    const added: Bounds = bias ?? { lo: 0, hi: 0 }
    const [lo, hi] = [inner * Math.min(...ends) + added.lo, inner * Math.max(...ends) + added.hi]
    const peak = inner * magnitudeOf(x!) * magnitudeOf(w!) + magnitudeOf(added)
    if (rounding === undefined) return { lo, hi, peak }
    const clamp = (v: number): number =>
      Math.min(Math.max(Number(shiftRight(BigInt(v), rounding.shift)), rounding.lo), rounding.hi)
    return { lo: clamp(lo), hi: clamp(hi), peak: peak + (rounding.shift === 0 ? 0 : 2 ** (rounding.shift - 1)) }
  },
  validate({ map, shape, rounding }, sizes) {
    require(sizes.length === 2 || sizes.length === 3, 'a product has an input, weights and perhaps a bias')
    const positive = (...values: readonly number[]): boolean => values.every((v) => Number.isInteger(v) && v > 0)
    if (map.type === 'matMul') require(positive(map.rows, map.inner, map.columns), 'the geometry is invalid')
    else {
      const { batch, channels, size, outChannels, outSize, kernel, strides, dilations, pads, groups } = map
      require(positive(
        batch,
        channels,
        outChannels,
        groups,
        ...size,
        ...outSize,
        ...kernel,
        ...strides,
        ...dilations,
      ) && pads.every(Number.isInteger), 'the geometry is invalid')
      require(channels % groups === 0 && outChannels % groups === 0, 'groups do not divide channels')
    }
    const [input, weights, channels, outputs] = sizesOf(map)
    require(sizes[0] === input && sizes[1] === weights, 'input or weights do not fit the geometry')
    require(sizes[2] === undefined || sizes[2] === channels, 'biases do not fit')
    require(outputs === sizeOf(shape), 'the shape does not have as many elements as the map has outputs')
    if (rounding === undefined) return
    const { shift, lo, hi } = rounding
    require(Number.isInteger(shift) && shift >= 0 && shift <= 48, 'the shift must lie in [0, 48]')
    require(Number.isSafeInteger(lo) && Number.isSafeInteger(hi) && lo <= hi, 'lo and hi must be integers, lo ≤ hi')
  },
}
