/** A typed array of unsigned 32-bit integers that grows by doubling. */
export type GrowableU32 = {
  readonly length: number
  push(value: number): void
  get(index: number): number
  /** A copy of exactly the elements pushed so far. */
  toArray(): Uint32Array
}

/** An empty growable array. */
export function growableU32(capacity = 1024): GrowableU32 {
  let data = new Uint32Array(capacity)
  let length = 0
  return {
    get length() {
      return length
    },
    push(value) {
      if (length === data.length) {
        const larger = new Uint32Array(2 * length)
        larger.set(data)
        data = larger
      }
      data[length++] = value
    },
    get: (index) => data[index]!,
    toArray: () => data.slice(0, length),
  }
}
