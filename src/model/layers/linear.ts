import type { LinearMap } from '../../../circuits/linearMap.ts'
import { sizeOf } from '../../tensor.ts'
import { type LayerBase, type LayerKind, magnitudeOf, require } from '../layer.ts'

/** Convolution of x [batch, channels, height, width] with weights [outChannels, channels / groups, kernelH, kernelW]. */
export type ConvMap = {
  readonly type: 'conv'
  readonly batch: number
  readonly channels: number
  readonly size: readonly [height: number, width: number]
  readonly outChannels: number
  readonly outSize: readonly [height: number, width: number]
  readonly kernel: readonly [height: number, width: number]
  readonly strides: readonly [number, number]
  readonly dilations: readonly [number, number]
  /** Zeros before the first row and column. */
  readonly pads: readonly [number, number]
  readonly groups: number
  readonly weights: Float64Array
  /** One per output channel. */
  readonly bias: Float64Array
}

/** x [rows, inner] times weights [inner, columns]. */
export type MatMulMap = {
  readonly type: 'matMul'
  readonly rows: number
  readonly inner: number
  readonly columns: number
  readonly weights: Float64Array
  /** One per column. */
  readonly bias: Float64Array
}

/** Such maps without their weights. */
export type ConvGeometry = Omit<ConvMap, 'weights' | 'bias'>
export type ProductGeometry = ConvGeometry | Omit<MatMulMap, 'weights' | 'bias'>

/** Any map, as compressed rows over the concatenation of the inputs. Positions ascend within a row. */
export type SparseMap = {
  readonly type: 'sparse'
  readonly starts: Uint32Array
  readonly positions: Uint32Array
  readonly weights: Float64Array
  readonly bias: Float64Array
}

/** y = W·x + b over integers; no rounding. Weights are integers. */
export type Linear = LayerBase & { readonly kind: 'linear'; readonly map: ConvMap | MatMulMap | SparseMap }

/** The map as terms per output, with a fast kernel for doubles. */
export function linearMap(map: Linear['map']): LinearMap {
  if (map.type === 'conv') return convMap(map)
  if (map.type === 'matMul') return matMulMap(map)
  const { starts, positions, weights, bias } = map
  let maxTerms = 0
  for (let j = 0; j < bias.length; j++) maxTerms = Math.max(maxTerms, starts[j + 1]! - starts[j]!)
  return {
    outputs: bias.length,
    maxTerms,
    bias: (j) => bias[j]!,
    terms(j, p, w) {
      const [from, to] = [starts[j]!, starts[j + 1]!]
      for (let i = from; i < to; i++) {
        p[i - from] = positions[i]!
        w[i - from] = weights[i]!
      }
      return to - from
    },
    apply(x) {
      const y = Float64Array.from(bias)
      for (let j = 0; j < y.length; j++) {
        let sum = y[j]!
        for (let i = starts[j]!; i < starts[j + 1]!; i++) sum += weights[i]! * x[positions[i]!]!
        y[j] = sum
      }
      return y
    },
  }
}

function matMulMap({ rows, inner, columns, weights, bias }: MatMulMap): LinearMap {
  return {
    outputs: rows * columns,
    maxTerms: inner,
    bias: (j) => bias[j % columns]!,
    terms(j, p, w) {
      const [row, column] = [Math.floor(j / columns), j % columns]
      for (let k = 0; k < inner; k++) {
        p[k] = row * inner + k
        w[k] = weights[k * columns + column]!
      }
      return inner
    },
    apply(x) {
      const y = new Float64Array(rows * columns)
      for (let r = 0; r < rows; r++) {
        const out = y.subarray(r * columns, (r + 1) * columns)
        out.set(bias)
        for (let k = 0; k < inner; k++) {
          const v = x[r * inner + k]!
          if (v === 0) continue
          const at = k * columns
          for (let c = 0; c < columns; c++) out[c]! += v * weights[at + c]!
        }
      }
      return y
    },
  }
}

function convMap(map: ConvMap): LinearMap {
  const { batch, channels, outChannels, groups, weights, bias } = map
  const [height, width] = map.size
  const [outHeight, outWidth] = map.outSize
  const [kh, kw] = map.kernel
  const [sy, sx] = map.strides
  const [dy, dx] = map.dilations
  const [py, px] = map.pads
  const perGroup = channels / groups
  const outPerGroup = outChannels / groups
  const outPlane = outHeight * outWidth
  return {
    outputs: batch * outChannels * outPlane,
    maxTerms: perGroup * kh * kw,
    bias: (j) => bias[Math.floor(j / outPlane) % outChannels]!,
    terms(j, p, w) {
      const oc = Math.floor(j / outPlane) % outChannels
      const n = Math.floor(j / (outPlane * outChannels))
      const y0 = Math.floor((j % outPlane) / outWidth) * sy - py
      const x0 = (j % outWidth) * sx - px
      const first = Math.floor(oc / outPerGroup) * perGroup
      let count = 0
      for (let c = 0; c < perGroup; c++)
        for (let ky = 0; ky < kh; ky++) {
          const y = y0 + ky * dy
          if (y < 0 || y >= height) continue
          for (let kx = 0; kx < kw; kx++) {
            const x = x0 + kx * dx
            if (x < 0 || x >= width) continue
            p[count] = ((n * channels + first + c) * height + y) * width + x
            w[count++] = weights[((oc * perGroup + c) * kh + ky) * kw + kx]!
          }
        }
      return count
    },
    apply(x) {
      const out = new Float64Array(batch * outChannels * outPlane)
      for (let n = 0; n < batch; n++)
        for (let oc = 0; oc < outChannels; oc++) {
          const plane = out.subarray((n * outChannels + oc) * outPlane, (n * outChannels + oc + 1) * outPlane)
          plane.fill(bias[oc]!)
          const first = Math.floor(oc / outPerGroup) * perGroup
          for (let c = 0; c < perGroup; c++) {
            const base = (n * channels + first + c) * height * width
            for (let ky = 0; ky < kh; ky++)
              for (let kx = 0; kx < kw; kx++) {
                const weight = weights[((oc * perGroup + c) * kh + ky) * kw + kx]!
                if (weight === 0) continue
                for (let oy = 0; oy < outHeight; oy++) {
                  const y = oy * sy - py + ky * dy
                  if (y < 0 || y >= height) continue
                  const from = base + y * width + kx * dx - px
                  // first and last output column whose input column kx·dx - px + ox·sx lies inside
                  const lead = px - kx * dx
                  const ox0 = lead > 0 ? Math.ceil(lead / sx) : 0
                  const ox1 = Math.min(outWidth - 1, Math.floor((width - 1 + lead) / sx))
                  const at = oy * outWidth
                  for (let ox = ox0; ox <= ox1; ox++) plane[at + ox]! += weight * x[from + ox * sx]!
                }
              }
          }
        }
      return out
    },
  }
}

/** Multiplications that a straightforward run of the map makes. */
export function macsOf(map: SparseMap | ProductGeometry): number {
  if (map.type === 'sparse') return map.weights.length
  if (map.type === 'matMul') return map.rows * map.inner * map.columns
  const [oh, ow] = map.outSize
  return map.batch * map.outChannels * oh * ow * (map.channels / map.groups) * map.kernel[0] * map.kernel[1]
}

export const linear: LayerKind<Linear> = {
  run: (A, layer, inputs) => A.linear(linearMap(layer.map), concatenate(inputs)),
  bounds(layer, inputs) {
    const lo = Math.min(...inputs.map((b) => b.lo))
    const hi = Math.max(...inputs.map((b) => b.hi))
    const at = Math.max(-lo, hi, 0)
    const total = { lo: Number.POSITIVE_INFINITY, hi: Number.NEGATIVE_INFINITY, peak: 0 }
    // the sums of positive and of negative weights of every output, for full windows
    const include = (bias: number, positive: number, negative: number): void => {
      total.lo = Math.min(total.lo, bias + positive * lo + negative * hi)
      total.hi = Math.max(total.hi, bias + positive * hi + negative * lo)
      total.peak = Math.max(total.peak, Math.abs(bias) + (positive - negative) * at)
    }
    const { map } = layer
    if (map.type === 'sparse') {
      // inputs of a sparse map may differ in range: each term takes its own
      for (let j = 0; j < map.bias.length; j++) {
        let [low, high, peak] = [map.bias[j]!, map.bias[j]!, Math.abs(map.bias[j]!)]
        for (let i = map.starts[j]!; i < map.starts[j + 1]!; i++) {
          let input = 0
          for (let at = map.positions[i]!; at >= inputs[input]!.size; input++) at -= inputs[input]!.size
          const bound = inputs[input]!
          const w = map.weights[i]!
          low += w * (w > 0 ? bound.lo : bound.hi)
          high += w * (w > 0 ? bound.hi : bound.lo)
          peak += Math.abs(w) * magnitudeOf(bound)
        }
        total.lo = Math.min(total.lo, low)
        total.hi = Math.max(total.hi, high)
        total.peak = Math.max(total.peak, peak)
      }
      return total
    }
    const channels = map.bias.length
    const perOutput = map.weights.length / channels
    const padded = map.type === 'conv' && isPadded(map)
    for (let c = 0; c < channels; c++) {
      let [positive, negative] = [0, 0]
      for (let i = 0; i < perOutput; i++) {
        const w = map.type === 'conv' ? map.weights[c * perOutput + i]! : map.weights[i * channels + c]!
        if (w > 0) positive += w
        else negative += w
      }
      include(map.bias[c]!, positive, negative)
    }
    // where padding may cut terms off, 0 counts as a possible input
    if (padded && (lo > 0 || hi < 0)) {
      const widened = { lo: Math.min(lo, 0), hi: Math.max(hi, 0), size: inputs[0]!.size }
      return linear.bounds(layer, [widened])
    }
    return total
  },
  validate({ map, shape }, sizes) {
    const elements = sizes.reduce((n, s) => n + s, 0)
    const exact = [map.weights, map.bias].every((values) => values.every((v) => Number.isSafeInteger(v)))
    require(exact, 'weights and biases must be integers')
    if (map.type === 'sparse') {
      require(map.starts.length === map.bias.length + 1 && map.starts[0] === 0, 'starts do not fit the outputs')
      require(map.starts.at(-1) === map.positions.length, 'starts do not fit the terms')
      require(map.positions.length === map.weights.length, 'each term needs one position and one weight')
      require(map.starts.every((s, i) => i === 0 || s >= map.starts[i - 1]!), 'starts must not decrease')
      require(map.positions.every(
        (p) => Number.isInteger(p) && p >= 0 && p < elements,
      ), 'a position lies outside the inputs')
    } else if (map.type === 'matMul') {
      require(map.rows * map.inner === elements, 'the input does not have rows · inner elements')
      require(map.weights.length === map.inner * map.columns && map.bias.length === map.columns, 'weights do not fit')
    } else {
      const [kh, kw] = map.kernel
      require(map.channels % map.groups === 0 && map.outChannels % map.groups === 0, 'groups do not divide channels')
      require(map.batch * map.channels * map.size[0] * map.size[1] === elements, 'the input does not fit the geometry')
      require(map.weights.length === (map.outChannels * map.channels * kh * kw) / map.groups, 'weights do not fit')
      require(map.bias.length === map.outChannels, 'biases do not fit')
    }
    require(linearMap(map).outputs === sizeOf(shape), 'the shape does not have as many elements as the map has outputs')
  },
}

/** Whether a window leaves the input, at its beginning or at its end. */
export const isPadded = ({ size, outSize, kernel, strides, dilations, pads }: ConvGeometry): boolean =>
  size.some((n, d) => {
    const last = (outSize[d]! - 1) * strides[d]! - pads[d]! + (kernel[d]! - 1) * dilations[d]!
    return pads[d]! > 0 || last >= n
  })

/** All inputs one after the other. */
export function concatenate<T>(inputs: readonly ArrayLike<T>[]): ArrayLike<T> {
  if (inputs.length === 1) return inputs[0]!
  return inputs.flatMap((x) => Array.from(x))
}
