import { createHash } from 'node:crypto'

/** Container bytes with the digest that belongs to them: what a forger would do after changing the content. */
export function resealed(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  if (copy.length >= 48) copy.set(createHash('sha256').update(copy.subarray(48)).digest(), 16)
  return copy
}

/** A container with other JSON in its header and the same arrays. */
export function withHeaderText(bytes: Uint8Array, change: (text: string) => string): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(12, true)
  const arrays = bytes.subarray(48 + Math.ceil(length / 8) * 8)
  const text = new TextEncoder().encode(change(new TextDecoder().decode(bytes.slice(48, 48 + length))))
  const padded = Math.ceil(text.length / 8) * 8
  const out = new Uint8Array(48 + padded + arrays.length).fill(0x20, 48, 48 + padded)
  out.set(bytes.subarray(0, 48))
  out.set(text, 48)
  out.set(arrays, 48 + padded)
  new DataView(out.buffer).setUint32(12, text.length, true)
  return resealed(out)
}
