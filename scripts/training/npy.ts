import type { Shape } from '../../src/tensor.ts'
import { littleEndianFloats } from './onnx.ts'

/**
 * A float32 array [n, …shape] as an .npy file of version 1.0
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
 */
export function encodeNpy(shape: Shape, rows: readonly Float64Array[]): Uint8Array {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${[rows.length, ...shape].join(', ')}), }`
  const prefix = 10 // magic, version and length of the header
  const padded = header.padEnd(Math.ceil((prefix + header.length + 1) / 64) * 64 - prefix - 1) + '\n'
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, padded.length & 0xff, padded.length >> 8])
  return Buffer.concat([start, Buffer.from(padded, 'latin1'), ...rows.map(littleEndianFloats)])
}
