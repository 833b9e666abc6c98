import { floatTypes, formatShape, type Shape, sizeOf, stridesOf, type Tensor } from '../tensor.ts'
import { type AttributeKind, attributesOf, required } from './attributes.ts'
import { WEIGHT_ERROR } from './doc.ts'
import { invalid, typeAt, typeOf, unsupported } from './inputs.ts'
import { lowerTaps } from './lower/linear.ts'
import { emitSums, inTarget } from './lower/reductions.ts'
import type { InferContext, Op } from './op.ts'

/** A piece of text. */
const text: AttributeKind<string> = {
  expects: 'a text',
  read: (v) => (typeof v === 'string' ? v : undefined),
  otherwise: () => '',
}

/** Most products. */
const maxTerms = 2 ** 25

type Geometry = {
  readonly shape: Shape
  /** Number of products that each element of the result sums. */
  readonly terms: number
  /** For each operand the position of its factor in product t of element j, at [j · terms + t]. */
  readonly positions: readonly Int32Array[]
}

/** Splits an equation of letters into loops over the result's letters and, within, over those that are summed. */
function geometry(context: InferContext): Geometry {
  const { equation } = attributesOf(context.node, { equation: required(text) })
  const shapes = context.node.inputs.map((_, i) => typeOf(context, i, floatTypes).shape)
  const plain = equation.replaceAll(' ', '')
  const [, left, right] = /^([a-zA-Z,.]*)(?:->([a-zA-Z.]*))?$/.exec(plain) ?? []
  const parts = left?.split(',') ?? []
  const dots = [...parts, right ?? ''].map((of) => of.replace('...', ''))
  if (left === undefined || dots.some((of) => of.includes('.')))
    return unsupported(context, 'equation', equation, 'letters, commas, dots (...) and one arrow')
  // the axes behind the dots get names of their own, the last ones in common
  const hidden = parts.map((of, i) => (of.includes('...') ? Math.max(0, shapes[i]!.length - of.length + 3) : 0))
  const most = hidden.reduce((m, n) => Math.max(m, n), 0)
  const named = (count: number): string =>
    Array.from({ length: count }, (_, i) => String.fromCharCode(0x400 + most - count + i)).join('')
  const operands = parts.map((of, i) => of.replace('...', named(hidden[i]!)))
  if (operands.length !== shapes.length || operands.some((of, i) => of.length !== shapes[i]!.length))
    invalid(context, `equation "${equation}" does not fit ${shapes.map(formatShape).join(', ')}`)
  const sizes = new Map<string, number>()
  operands.forEach((of, i) => {
    ;[...of].forEach((letter, axis) => {
      const size = shapes[i]![axis]!
      if ((sizes.get(letter) ?? size) !== size) invalid(context, `"${letter}" has different sizes`)
      sizes.set(letter, size)
    })
  })
  const all = [...sizes.keys()].sort()
  // without an arrow the result has the letters that occur once, in order
  const once = all.filter((c) => operands.join().split(c).length === 2 && !named(most).includes(c))
  const result = right === undefined ? [...named(most), ...once] : [...right.replace('...', named(most))]
  if (new Set(result).size !== result.length || result.some((c) => !sizes.has(c)))
    invalid(context, `equation "${equation}" has a result that its operands do not give`)
  const summed = all.filter((c) => !result.includes(c))
  const loops = [...result, ...summed]
  const extents = loops.map((c) => sizes.get(c)!)
  const terms = sizeOf(summed.map((c) => sizes.get(c)!))
  const shape = result.map((c) => sizes.get(c)!)
  if (sizeOf(extents) > maxTerms) unsupported(context, 'products', sizeOf(extents), `at most ${maxTerms}`)
  const ofLoops = stridesOf(extents)
  const positions = operands.map((of, i) => {
    const strides = stridesOf(shapes[i]!)
    const steps = loops.map((c) => [...of].reduce((s, letter, axis) => (letter === c ? s + strides[axis]! : s), 0))
    return Int32Array.from({ length: sizeOf(extents) }, (_, k) =>
      steps.reduce((at, step, l) => at + step * (Math.floor(k / ofLoops[l]!) % extents[l]!), 0),
    )
  })
  return { shape, terms, positions }
}

/** Sums of products along named axes, of one or two operands where the model computes them. https://onnx.ai/onnx/operators/onnx__Einsum.html */
export const einsum: Op = {
  type: 'Einsum',
  domain: '',
  opsets: [12, 25],
  arity: [1, Number.POSITIVE_INFINITY],
  doc: {
    integers: 'of one computed operand Σ W·q; of two the exact sums of products, times round(s₁·s₂ / sy · 2^S)',
    rows: '0 for one computed operand; else n·k products',
    error: WEIGHT_ERROR,
    refuses: 'ellipses, and three or more computed operands',
    example: {
      inputs: [
        [2, 3],
        [3, 2],
      ],
      attributes: { equation: 'ij,jk->ik' },
    },
  },
  infer: (context) => [{ dtype: typeAt(context, 0).dtype, shape: geometry(context).shape }],
  compute: (context, inputs) => {
    const { shape, terms, positions } = geometry(context)
    const data = new Float64Array(sizeOf(shape))
    for (let j = 0; j < data.length; j++)
      for (let t = 0; t < terms; t++)
        data[j]! += inputs.reduce((p, x, i) => p * x!.data[positions[i]![j * terms + t]!]!, 1)
    return [{ dtype: inputs[0]!.dtype, shape, data }]
  },
  scaling: { accumulates: true, nonNegative: (_, inputs) => inputs.every(Boolean) },
  lower: (context, inputs) => {
    const { shape, terms, positions } = geometry(context)
    const computed = inputs.flatMap((x, i) => (x === undefined ? [] : [{ x, at: positions[i]! }]))
    const size = sizeOf(shape)
    if (computed.length === 1) {
      const fixed = context.constants.flatMap((k: Tensor | undefined, i) => (k ? [{ k, at: positions[i]! }] : []))
      const { x, at } = computed[0]!
      const taps = Array.from({ length: size }, (_, j) => {
        const sum = new Map<number, number>()
        for (let t = j * terms; t < (j + 1) * terms; t++) {
          const weight = fixed.reduce((p, { k, at: of }) => p * k.data[of[t]!]!, 1)
          sum.set(at[t]!, (sum.get(at[t]!) ?? 0) + weight)
        }
        return sum
      })
      return [lowerTaps(context, x, taps, shape)]
    }
    if (inputs.length !== 2) return unsupported(context, 'operands', inputs.length, 'one, or two that are computed')
    const [a, b] = computed.map(({ x, at }) => {
      const narrow = context.narrow(x)
      const value = context.emit({ kind: 'gather', inputs: [narrow.value], shape: [at.length], map: at, fill: 0 })
      return { value, scale: narrow.scale }
    })
    const products = context.emit({ kind: 'multiply', inputs: [a!.value, b!.value], shape: [size * terms] })
    const groups = Array.from({ length: size }, (_, j) => Array.from({ length: terms }, (_v, t) => j * terms + t))
    return [inTarget(context, emitSums(context, products, groups), a!.scale * b!.scale, shape)]
  },
}
