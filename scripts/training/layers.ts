import type { Shape } from '../../src/tensor.ts'
import { sizeOf } from '../../src/tensor.ts'
import type { Random } from './random.ts'

/** A trained tensor and the sum of its gradients since the optimiser last took it. */
export type Parameter = { readonly shape: Shape; readonly value: Float64Array; readonly gradient: Float64Array }

/** What a layer computes, in ONNX's terms; data is row-major, one sample at a time. */
export type Operation =
  | { readonly type: 'Conv'; readonly weight: Parameter; readonly bias: Parameter; readonly stride: number }
  | { readonly type: 'Gemm'; readonly weight: Parameter; readonly bias: Parameter }
  | { readonly type: 'MaxPool'; readonly size: number }
  | { readonly type: 'Relu' }
  | { readonly type: 'Flatten' }

/**
 * One step of a network. `forward` keeps what `backward` needs, so the two alternate; both return a buffer that the
 * next call overwrites.
 */
export type Layer = {
  readonly operation: Operation
  /** Shape of the output of one sample, without the batch axis. */
  readonly shape: Shape
  readonly parameters: readonly Parameter[]
  readonly forward: (x: Float64Array) => Float64Array
  /** Takes ∂loss/∂output, adds to the gradients of the parameters, returns ∂loss/∂input. */
  readonly backward: (dy: Float64Array) => Float64Array
}

/** Makes a layer for the given input shape, its weights drawn from `random`. */
export type LayerMaker = (input: Shape, random: Random) => Layer

/**
 * Convolution of [c, h, w] with `filters` square kernels, without padding:
 * y[f, i, j] = b[f] + Σ x[c, i·stride + u, j·stride + v] · w[f, c, u, v].
 */
export const conv =
  (filters: number, kernel: number, stride: number): LayerMaker =>
  (input, random) => {
    const [c, h, w] = input as readonly [number, number, number]
    const oh = Math.floor((h - kernel) / stride) + 1
    const ow = Math.floor((w - kernel) / stride) + 1
    const fanIn = c * kernel * kernel
    const weight = drawn([filters, c, kernel, kernel], fanIn, random)
    const bias = zeros([filters])
    const y = new Float64Array(filters * oh * ow)
    const dx = new Float64Array(c * h * w)
    let x: Float64Array = dx

    // Where every row of the kernel starts, in pairs: in the input under the corner, in the filter's weights.
    const rows = new Int32Array(2 * c * kernel)
    for (let ch = 0, r = 0; ch < c; ch++)
      for (let u = 0; u < kernel; u++) {
        rows[r++] = (ch * h + u) * w
        rows[r++] = (ch * kernel + u) * kernel
      }

    return {
      operation: { type: 'Conv', weight, bias, stride },
      shape: [filters, oh, ow],
      parameters: [weight, bias],
      forward(input) {
        x = input
        const W = weight.value
        for (let f = 0, out = 0; f < filters; f++)
          for (let i = 0; i < oh; i++)
            for (let j = 0; j < ow; j++) {
              const corner = (i * w + j) * stride
              let sum = bias.value[f]!
              for (let r = 0; r < rows.length; r += 2) {
                const at = corner + rows[r]!
                const k = f * fanIn + rows[r + 1]!
                for (let v = 0; v < kernel; v++) sum += x[at + v]! * W[k + v]!
              }
              y[out++] = sum
            }
        return y
      },
      backward(dy) {
        dx.fill(0)
        const W = weight.value
        const dW = weight.gradient
        for (let f = 0, out = 0; f < filters; f++)
          for (let i = 0; i < oh; i++)
            for (let j = 0; j < ow; j++) {
              const g = dy[out++]!
              if (g === 0) continue // most are, behind a Relu and a MaxPool
              bias.gradient[f]! += g
              const corner = (i * w + j) * stride
              for (let r = 0; r < rows.length; r += 2) {
                const at = corner + rows[r]!
                const k = f * fanIn + rows[r + 1]!
                for (let v = 0; v < kernel; v++) {
                  dW[k + v]! += g * x[at + v]!
                  dx[at + v]! += g * W[k + v]!
                }
              }
            }
        return dx
      },
    }
  }

/** y = W·x + b with W of shape [units, n]: ONNX's Gemm with transB = 1. */
export const dense =
  (units: number): LayerMaker =>
  (input, random) => {
    const n = sizeOf(input)
    const weight = drawn([units, n], n, random)
    const bias = zeros([units])
    const y = new Float64Array(units)
    const dx = new Float64Array(n)
    let x: Float64Array = dx
    return {
      operation: { type: 'Gemm', weight, bias },
      shape: [units],
      parameters: [weight, bias],
      forward(input) {
        x = input
        for (let o = 0; o < units; o++) {
          let sum = bias.value[o]!
          for (let i = 0; i < n; i++) sum += weight.value[o * n + i]! * x[i]!
          y[o] = sum
        }
        return y
      },
      backward(dy) {
        dx.fill(0)
        for (let o = 0; o < units; o++) {
          const g = dy[o]!
          if (g === 0) continue
          bias.gradient[o]! += g
          for (let i = 0; i < n; i++) {
            weight.gradient[o * n + i]! += g * x[i]!
            dx[i]! += g * weight.value[o * n + i]!
          }
        }
        return dx
      },
    }
  }

/** Maximum over disjoint size × size windows of [c, h, w]; the first of equals gets the gradient. */
export const maxPool =
  (size: number): LayerMaker =>
  (input) => {
    const [c, h, w] = input as readonly [number, number, number]
    const oh = Math.floor(h / size)
    const ow = Math.floor(w / size)
    const y = new Float64Array(c * oh * ow)
    const winner = new Int32Array(y.length)
    const dx = new Float64Array(c * h * w)
    return {
      operation: { type: 'MaxPool', size },
      shape: [c, oh, ow],
      parameters: [],
      forward(x) {
        for (let ch = 0, out = 0; ch < c; ch++)
          for (let i = 0; i < oh; i++)
            for (let j = 0; j < ow; j++, out++) {
              const corner = (ch * h + i * size) * w + j * size
              let best = corner
              for (let u = 0; u < size; u++)
                for (let v = 0; v < size; v++) if (x[corner + u * w + v]! > x[best]!) best = corner + u * w + v
              winner[out] = best
              y[out] = x[best]!
            }
        return y
      },
      backward(dy) {
        dx.fill(0)
        for (let i = 0; i < dy.length; i++) dx[winner[i]!] = dy[i]!
        return dx
      },
    }
  }

/** y = max(x, 0); the derivative at 0 is taken as 0. */
export const relu = (): LayerMaker => (input) => {
  const y = new Float64Array(sizeOf(input))
  const dx = new Float64Array(y.length)
  return {
    operation: { type: 'Relu' },
    shape: input,
    parameters: [],
    forward(x) {
      for (let i = 0; i < y.length; i++) y[i] = x[i]! > 0 ? x[i]! : 0
      return y
    },
    backward(dy) {
      for (let i = 0; i < y.length; i++) dx[i] = y[i]! > 0 ? dy[i]! : 0
      return dx
    },
  }
}

/** The same data as one axis. */
export const flatten = (): LayerMaker => (input) => ({
  operation: { type: 'Flatten' },
  shape: [sizeOf(input)],
  parameters: [],
  forward: (x) => x,
  backward: (dy) => dy,
})

/**
 * Cross-entropy of softmax(logits) against a class, in nats; writes its gradient, softmax(logits) − onehot(label),
 * to `gradient`.
 */
export function softmaxCrossEntropy(logits: Float64Array, label: number, gradient: Float64Array): number {
  const top = logits.reduce((a, b) => Math.max(a, b), -Infinity)
  let sum = 0
  for (let i = 0; i < logits.length; i++) {
    gradient[i] = Math.exp(logits[i]! - top)
    sum += gradient[i]!
  }
  for (let i = 0; i < logits.length; i++) gradient[i]! /= sum
  gradient[label]! -= 1
  return Math.log(sum) - (logits[label]! - top)
}

const zeros = (shape: Shape): Parameter => ({
  shape,
  value: new Float64Array(sizeOf(shape)),
  gradient: new Float64Array(sizeOf(shape)),
})

/** Normal weights of variance 2 / fanIn, which keeps the variance through a Relu (He et al. 2015, eq. 10). */
function drawn(shape: Shape, fanIn: number, random: Random): Parameter {
  const parameter = zeros(shape)
  const deviation = Math.sqrt(2 / fanIn)
  for (let i = 0; i < parameter.value.length; i++) parameter.value[i] = random.normal() * deviation
  return parameter
}
