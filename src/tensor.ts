/** Element types of ONNX tensors that the importer reads. */
export type DType =
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool'

/** Sizes of the axes, outermost first; [] is a scalar. */
export type Shape = readonly number[]

/**
 * A dense tensor in row-major order. Whatever the element type, values are held as doubles: exact for every type but
 * int64 and uint64 beyond 2⁵³, which occur in models only as "to the end" markers.
 */
export type Tensor = { readonly dtype: DType; readonly shape: Shape; readonly data: Float64Array }

/** Element type and static shape of a value in a graph. */
export type TensorType = { readonly dtype: DType; readonly shape: Shape }

/** Number of elements. */
export const sizeOf = (shape: Shape): number => shape.reduce((n, d) => n * d, 1)

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  for (let i = shape.length - 1, stride = 1; i >= 0; i--) {
    strides[i] = stride
    stride *= shape[i]!
  }
  return strides
}

/** Numbers of the element types in ONNX files (TensorProto.DataType, onnx.proto). */
export const dtypeCodes: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
}

const dtypesByCode = new Map(Object.entries(dtypeCodes).map(([dtype, code]) => [code, dtype as DType]))

/** The element type of an ONNX number, undefined where there is none that is supported. */
export const dtypeOf = (code: number): DType | undefined => dtypesByCode.get(code)

export const floatTypes: readonly DType[] = ['float16', 'bfloat16', 'float32', 'float64']

export const isFloat = (dtype: DType): boolean => floatTypes.includes(dtype)

/** Integers [lo, hi] of an integer type (bool is [0, 1]); undefined for floats. Bounds of 64-bit types are rounded. */
export function integerRange(dtype: DType): readonly [lo: number, hi: number] | undefined {
  if (dtype === 'bool') return [0, 1]
  const [, unsigned, width] = /^(u?)int(\d+)$/.exec(dtype) ?? []
  if (width === undefined) return undefined
  const bits = Number(width)
  return unsigned ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]
}

/** Fraction bits, least exponent and greatest value of a float format narrower than float32. */
const narrowFloats = {
  float16: { fraction: 10, least: -14, greatest: 65504 },
  bfloat16: { fraction: 7, least: -126, greatest: 2 ** 127 * (2 - 2 ** -7) },
} as const

/** The value of a float type nearest to x, ties to even; infinity beyond its range (IEEE 754). */
export function roundToFloat(dtype: DType, x: number): number {
  if (dtype === 'float32') return Math.fround(x)
  if (dtype !== 'float16' && dtype !== 'bfloat16') return x
  if (x === 0 || !Number.isFinite(x)) return x
  const { fraction, least, greatest } = narrowFloats[dtype]
  const size = Math.abs(x)
  const step = 2 ** (Math.max(exponentOf(size), least) - fraction)
  const scaled = size / step
  const floor = Math.floor(scaled)
  const rest = scaled - floor
  const rounded = (floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0)) * step
  return Math.sign(x) * (rounded > greatest ? Number.POSITIVE_INFINITY : rounded)
}

const scratch = new DataView(new ArrayBuffer(8))

/** e with 2ᵉ ≤ x < 2ᵉ⁺¹, for x > 0; -1023 for subnormal doubles. */
export function exponentOf(x: number): number {
  scratch.setFloat64(0, x)
  return ((scratch.getUint16(0) >> 4) & 0x7ff) - 1023
}

/** An integer modulo 2ⁿ into the range of its type, as ONNX's integer arithmetic wraps; exact for |x| ≤ 2⁵³. */
export function wrapInteger(dtype: DType, x: number): number {
  const range = integerRange(dtype)
  if (range === undefined || (x >= range[0] && x <= range[1])) return x
  const modulus = range[1] - range[0] + 1
  return ((((x - range[0]) % modulus) + modulus) % modulus) + range[0]
}

/** `[1, 28, 28]` */
export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i])

/** Shape of an elementwise result under numpy's broadcasting; undefined where the shapes do not fit. */
export function broadcastShapes(a: Shape, b: Shape): number[] | undefined {
  const rank = Math.max(a.length, b.length)
  const result: number[] = []
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1
    const y = b[b.length - rank + i] ?? 1
    if (x !== y && x !== 1 && y !== 1) return undefined
    result.push(x === 1 ? y : x)
  }
  return result
}

/** For every element of a tensor of shape `to`, the position of the element of shape `from` that is broadcast there. */
export function broadcastMap(from: Shape, to: Shape): Int32Array {
  const strides = stridesOf(from)
  const missing = to.length - from.length
  return stridedMap(
    to,
    to.map((_, i) => (i < missing || from[i - missing] === 1 ? 0 : strides[i - missing]!)),
  )
}

/** Positions offset + Σ strides[i] · index[i] for every index of a shape, in row-major order. */
export function stridedMap(shape: Shape, strides: readonly number[], offset = 0): Int32Array {
  const map = new Int32Array(sizeOf(shape))
  const index = new Array<number>(shape.length).fill(0)
  let position = offset
  for (let i = 0; i < map.length; i++) {
    map[i] = position
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += strides[axis]!
      if (++index[axis]! < shape[axis]!) break
      position -= strides[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
  return map
}

/** Largest number of elements of one tensor (1 GiB as doubles), and most axes: files that ask for more are refused. */
export const maxElements = 2 ** 27
export const maxRank = 32

/** Whether a shape is one that can be handled: whole sizes, few axes, `maxElements` at most (zeros counting as ones). */
export function isSaneShape(shape: Shape): boolean {
  return (
    shape.length <= maxRank &&
    shape.every((d) => Number.isSafeInteger(d) && d >= 0 && d <= maxElements) &&
    shape.reduce((n, d) => n * Math.max(d, 1), 1) <= maxElements
  )
}
