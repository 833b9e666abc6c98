import type { Layer } from '../../src/model/layers/index.ts'
import type { ConvMap } from '../../src/model/layers/linear.ts'
import { analyse, type IntegerModel } from '../../src/model/model.ts'
import { sizeOf } from '../../src/tensor.ts'
import type { Random } from './random.ts'

/** A random chain of layers on an input of [1, channels, size, size], with every kind of layer that fits. */
export function randomModel(random: Random, most = 6): IntegerModel {
  const channels = random.integer(1, 3)
  const size = random.integer(2, 5)
  const [lo, hi] = random.pick([
    [0, 255],
    [-128, 127],
    [-5, 9],
    [3, 9],
    [-9, -4],
  ] as const)
  const input = { name: 'x', shape: [1, channels, size, size], scale: 1, value: 0, lo, hi }
  const layers: Layer[] = []
  let shape: number[] = [...input.shape]
  let from = 0
  const push = (layer: Layer): void => {
    layers.push(layer)
    from = layers.length
    shape = [...layer.shape]
  }
  const base = (kind: string) => ({ name: `${kind}${layers.length}`, inputs: [from] })
  const bounds = () => analyse({ name: '', inputs: [input], layers, outputs: [] }).at(-1)!
  const weights = (n: number): Float64Array => Float64Array.from({ length: n }, () => random.integer(-9, 9))
  const windows = (count: number) => {
    const groups = Array.from({ length: count }, () => {
      const first = random.integer(0, sizeOf(shape) - 1)
      return [first, ...Array.from({ length: random.integer(0, 3) }, () => random.integer(0, sizeOf(shape) - 1))]
    })
    const starts = new Uint32Array(count + 1)
    groups.forEach((g, i) => {
      starts[i + 1] = starts[i]! + g.length
    })
    return { starts, positions: Uint32Array.from(groups.flat()) }
  }
  const steps: (() => void)[] = [
    () => {
      if (shape.length !== 4) return
      const [, c, h, w] = shape as [number, number, number, number]
      const kernel = [random.integer(1, Math.min(h, 3)), random.integer(1, Math.min(w, 3))] as const
      const pads = [random.integer(0, 1), random.integer(0, 1)] as const
      const strides = [random.integer(1, 2), random.integer(1, 2)] as const
      const ends = [random.integer(0, 1), random.integer(0, 1)] as const
      const out = [h, w].map((n, d) => Math.floor((n + pads[d]! + ends[d]! - kernel[d]!) / strides[d]!) + 1)
      const groups = random.pick([1, c])
      const outChannels = groups * random.integer(1, 2)
      const map: ConvMap = {
        type: 'conv',
        batch: 1,
        channels: c,
        size: [h, w],
        outChannels,
        outSize: [out[0]!, out[1]!],
        kernel,
        strides,
        dilations: [1, 1],
        pads,
        groups,
        weights: weights((outChannels * c * kernel[0] * kernel[1]) / groups),
        bias: weights(outChannels),
      }
      push({ ...base('conv'), kind: 'linear', shape: [1, outChannels, out[0]!, out[1]!], map })
    },
    () => {
      const inner = sizeOf(shape)
      const columns = random.integer(1, 4)
      const map = {
        type: 'matMul' as const,
        rows: 1,
        inner,
        columns,
        weights: weights(inner * columns),
        bias: weights(columns),
      }
      push({ ...base('matMul'), kind: 'linear', shape: [columns], map })
    },
    () => {
      const channels = shape.length === 4 ? shape[1]! : 1
      const shifts = Uint8Array.from({ length: channels }, () => random.integer(0, 6))
      const [l, h] = random.pick([
        [0, 255],
        [-128, 127],
        [0, 100],
        [-7, 8],
        [-1, 0],
      ] as const)
      push({ ...base('requantise'), kind: 'requantise', shape, shifts, inner: sizeOf(shape) / channels, lo: l, hi: h })
    },
    () => {
      const channels = shape.length === 4 ? shape[1]! : 1
      const some = (draw: () => number): Float64Array => Float64Array.from({ length: channels }, draw)
      const q = some(() => random.pick([2, 3, 8, 11, 20, 72, 4096, 9 * 2 ** 12]))
      const [l, h] = random.pick([
        [0, 255],
        [-128, 127],
        [-127, 128],
        [-7, 100],
      ] as const)
      push({
        ...base('rescale'),
        kind: 'rescale',
        shape,
        inner: sizeOf(shape) / channels,
        p: some(() => random.integer(1, 9)),
        r: some(() => random.integer(-50, 5000)),
        q,
        even: Uint8Array.from(q, (v) => (v % 2 === 0 ? random.integer(0, 1) : 0)),
        except: [],
        lo: l,
        hi: h,
      })
    },
    () => push({ ...base('max'), kind: 'max', shape: [3], ...windows(3) }),
    () => push({ ...base('relu'), kind: 'relu', shape }),
    () => {
      const { lo, hi } = bounds()
      if (hi - lo >= 4096) return
      const table = Float64Array.from({ length: hi - lo + 1 }, () => random.integer(-300, 300))
      push({ ...base('lookup'), kind: 'lookup', shape, table, first: lo })
    },
    () => {
      const { lo, hi } = bounds()
      if (Math.max(-lo, hi) < 2 ** 20) push({ name: 'square', kind: 'multiply', inputs: [from, from], shape })
    },
    () => {
      const n = random.integer(1, 8)
      const map = Int32Array.from({ length: n }, () => random.integer(-1, sizeOf(shape) - 1))
      push({ ...base('gather'), kind: 'gather', shape: [n], map, fill: random.integer(-3, 3) })
    },
    () => {
      // ⌊max(x, 0) / (max(x, 0) + 1)⌋ and by a constant
      push({ ...base('relu'), kind: 'relu', shape })
      const dividend = from
      const size = sizeOf(shape)
      const map = {
        type: 'sparse' as const,
        starts: Uint32Array.from({ length: size + 1 }, (_, i) => i),
        positions: Uint32Array.from({ length: size }, (_, i) => i),
        weights: new Float64Array(size).fill(random.integer(0, 1)),
        bias: new Float64Array(size).fill(random.integer(1, 5)),
      }
      push({ ...base('divisor'), kind: 'linear', shape, map })
      push({ name: 'divide', kind: 'divide', inputs: [dividend, from], shape })
    },
  ]
  steps.push(() => {
    const { lo, hi } = bounds()
    const size = sizeOf(shape)
    if (hi - lo < 4) return
    const lists = Array.from({ length: size }, () => {
      const found = new Set(Array.from({ length: random.integer(1, 4) }, () => random.integer(lo + 1, hi)))
      return [...found].sort((a, b) => a - b)
    })
    const starts = new Uint32Array(size + 1)
    lists.forEach((list, i) => {
      starts[i + 1] = starts[i]! + list.length
    })
    const thresholds = Float64Array.from(lists.flat())
    push({ ...base('locate'), kind: 'locate', shape: [thresholds.length], starts, thresholds, lo, hi })
    // a chain of branches, with a leaf at either side of each and at the end
    const [branches, outputs] = [random.integer(1, 6), random.integer(1, 3)]
    const nodes = 2 * branches + 1
    const at = (n: number, v: number): number => (n % 2 === 0 && n < nodes - 1 ? v : 0)
    push({
      ...base('forest'),
      kind: 'forest',
      shape: [outputs],
      trees: {
        groupStarts: starts,
        roots: Uint32Array.of(0),
        flipStarts: Uint32Array.from({ length: nodes + 1 }, (_, n) => Math.min(Math.ceil(n / 2), branches)),
        flips: Uint32Array.from({ length: branches }, () => random.integer(0, thresholds.length - 1)),
        inside: Uint32Array.from({ length: nodes }, (_, n) => at(n, n + 1)),
        outside: Uint32Array.from({ length: nodes }, (_, n) => at(n, n + 2)),
        outputs,
        weights: weights(nodes * outputs),
        bias: weights(outputs),
      },
    })
  })
  const depth = random.integer(2, most)
  for (let i = 0; i < depth; i++) random.pick(steps)()
  if (random.unit() < 0.3) push({ ...base('argmax'), kind: 'argmax', shape: [2], ...windows(2) })
  return { name: 'random', inputs: [input], layers, outputs: [{ name: 'y', shape, scale: 1, value: from }] }
}

/** Integers within the input's bounds, often at their ends. */
export const randomInput = (random: Random, { inputs: [x] }: IntegerModel): Float64Array =>
  Float64Array.from({ length: sizeOf(x!.shape) }, () =>
    random.unit() < 0.2 ? random.pick([x!.lo, x!.hi]) : random.integer(x!.lo, x!.hi),
  )
