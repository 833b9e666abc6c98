import { type DType, sizeOf, type Tensor } from '../tensor.ts'
import { SampleError } from './error.ts'

type Reader = readonly [dtype: DType, bytes: number, read: (view: DataView, at: number, little: boolean) => number]

const readers: Readonly<Record<string, Reader>> = {
  b1: ['bool', 1, (v, at) => v.getUint8(at)],
  u1: ['uint8', 1, (v, at) => v.getUint8(at)],
  i1: ['int8', 1, (v, at) => v.getInt8(at)],
  u2: ['uint16', 2, (v, at, le) => v.getUint16(at, le)],
  i2: ['int16', 2, (v, at, le) => v.getInt16(at, le)],
  u4: ['uint32', 4, (v, at, le) => v.getUint32(at, le)],
  i4: ['int32', 4, (v, at, le) => v.getInt32(at, le)],
  u8: ['uint64', 8, (v, at, le) => Number(v.getBigUint64(at, le))],
  i8: ['int64', 8, (v, at, le) => Number(v.getBigInt64(at, le))],
  f4: ['float32', 4, (v, at, le) => v.getFloat32(at, le)],
  f8: ['float64', 8, (v, at, le) => v.getFloat64(at, le)],
}

/**
 * A NumPy .npy file, versions 1 to 3, numbers only, C or Fortran order.
 *
 * Source: NumPy enhancement proposal 1 (NEP 1), "A simple file format for NumPy arrays".
 * Throws SampleError `input/npy`.
 */
export function decodeNpy(bytes: Uint8Array, where: string): Tensor {
  const fail = (why: string): SampleError => new SampleError('input/npy', `${where}: ${why}`)
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
  if (bytes.length < 12 || magic.some((b, i) => bytes[i] !== b)) throw fail('not a .npy file')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const major = bytes[6]!
  if (major < 1 || major > 3) throw fail(`.npy version ${major} is not known`)
  const start = major === 1 ? 10 : 12
  const headerBytes = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (start + headerBytes > bytes.length) throw fail('the header is cut off')
  const header = new TextDecoder().decode(bytes.subarray(start, start + headerBytes))
  const descr = /'descr'\s*:\s*'([<>|=]?)([a-zA-Z]\d+)'/.exec(header)
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)
  const dims = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(header)
  if (descr === null || order === null || dims === null)
    throw fail('the header can not be read (structured arrays are not supported)')
  const reader = readers[descr[2]!]
  if (reader === undefined)
    throw fail(`element type ${descr[2]} is not supported (${Object.keys(readers).join(', ')} are)`)
  const shape = dims[1]!.split(',').flatMap((d) => (d.trim() === '' ? [] : [Number(d)]))
  const size = sizeOf(shape)
  const [dtype, width, read] = reader
  if (start + headerBytes + size * width !== bytes.length)
    throw fail(
      `shape [${shape.join(', ')}] needs ${size * width} bytes of data, ${bytes.length - start - headerBytes} are there`,
    )
  const data = new Float64Array(size)
  for (let i = 0; i < size; i++) data[i] = read(view, start + headerBytes + i * width, descr[1] !== '>')
  return { dtype, shape, data: order[1] === 'True' ? fromFortran(data, shape) : data }
}

/** Row-major copy of column-major data. */
function fromFortran(data: Float64Array, shape: readonly number[]): Float64Array {
  const out = new Float64Array(data.length)
  const index = new Array<number>(shape.length).fill(0)
  for (let i = 0; i < data.length; i++) {
    let at = 0
    for (let d = 0; d < shape.length; d++) at = at * shape[d]! + index[d]!
    out[at] = data[i]!
    for (let d = 0; d < shape.length && ++index[d]! === shape[d]; d++) index[d] = 0
  }
  return out
}
