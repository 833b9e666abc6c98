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
