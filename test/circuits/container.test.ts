import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { containerDigest, decodeContainer, encodeContainer } from '../../circuits/container.ts'
import { CircuitError } from '../../circuits/error.ts'
import { resealed, withHeaderText } from '../support/containers.ts'
import { codeOf } from '../support/gadgetSuite.ts'
import { seeded } from '../support/random.ts'

const KIND = 'veritensor-test'
const header = { name: 'ünïcode "quoted" {[', numbers: [1, -2.5, 1e300], nested: { deep: [null, true] } }
const arrays = {
  bytes: Uint8Array.of(1, 2, 3),
  none: new Float64Array(),
  signed: Int8Array.of(-1, 5),
  words: Uint32Array.of(0, 2 ** 32 - 1, 7),
  integers: Int32Array.of(-(2 ** 31), 3),
  shorts: Uint16Array.of(65_535),
  halves: Int16Array.of(-32_768, 1, 2),
  singles: Float32Array.of(1.5, -0),
  doubles: Float64Array.of(Math.PI, -0, Number.POSITIVE_INFINITY, 2 ** 53 - 1),
}
const bytes = encodeContainer(KIND, 3, header, arrays)
const decode = (b: Uint8Array) => decodeContainer(KIND, b, 3)

describe('a container', () => {
  test('returns what was put in', () => {
    const found = decode(bytes)
    expect(found.kind).toBe(KIND)
    expect(found.version).toBe(3)
    expect(found.header).toEqual(header)
    expect({ ...found.arrays }).toEqual(arrays)
    expect(found.digest).toBe(createHash('sha256').update(bytes.subarray(48)).digest('hex'))
    expect(containerDigest(bytes)).toBe(found.digest)
  })

  test('has the documented layout', () => {
    expect([...bytes.subarray(0, 8)]).toEqual([0x89, 0x56, 0x54, 0x42, 0x0d, 0x0a, 0x1a, 0x0a])
    const view = new DataView(bytes.buffer)
    expect(view.getUint32(8, true)).toBe(1)
    const length = view.getUint32(12, true)
    const json = JSON.parse(new TextDecoder().decode(bytes.subarray(48, 48 + length)))
    const start = 48 + Math.ceil(length / 8) * 8
    const words = json.arrays.find((a: { name: string }) => a.name === 'words')
    expect(words).toEqual({ name: 'words', type: 'u32', length: 3, offset: 16 })
    expect(view.getUint32(start + words.offset + 4, true)).toBe(2 ** 32 - 1)
    expect(bytes.length % 8).toBe(0)
  })

  test('depends on nothing but its content', () => {
    const apart = Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.slice()]))
    expect(encodeContainer(KIND, 3, header, apart)).toEqual(bytes)
  })

  test('is read in place where it is aligned, else from one copy', () => {
    expect(decode(bytes).arrays.words!.buffer).toBe(bytes.buffer)
    for (const shift of [1, 2, 4, 7]) {
      const moved = new Uint8Array(bytes.length + 8).subarray(shift, shift + bytes.length)
      moved.set(bytes)
      const found = decode(moved)
      expect({ ...found.arrays }).toEqual(arrays)
      expect(found.arrays.words!.buffer).not.toBe(moved.buffer)
    }
    const inside = new Uint8Array(bytes.length + 64).subarray(16, 16 + bytes.length)
    inside.set(bytes)
    expect(decode(inside).arrays.words!.buffer).toBe(inside.buffer)
  })

  test('may lie on shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
    shared.set(bytes)
    const found = decode(shared)
    expect(found.arrays.doubles!.buffer).toBe(shared.buffer)
    expect({ ...found.arrays }).toEqual(arrays)
    expect(containerDigest(shared)).toBe(found.digest)
  })

  test('keeps any array and name', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 8 }), fc.uint8Array({ maxLength: 30 }), { maxKeys: 6 }),
        fc.jsonValue({ maxDepth: 4 }),
        (named, value) => {
          const found = decode(encodeContainer(KIND, 3, { value }, named))
          expect(Object.entries(found.arrays)).toEqual(Object.entries(named))
          expect(found.header).toEqual(JSON.parse(JSON.stringify({ value })))
        },
      ),
      { seed: 1, numRuns: 200 },
    )
  })

  test('refuses arrays that it has no type for', () => {
    expect(() => encodeContainer(KIND, 1, {}, { x: new BigInt64Array(1) as never })).toThrow(TypeError)
  })
})

describe('hostile bytes', () => {
  const wrong = (change: (text: string) => string): string => codeOf(() => decode(withHeaderText(bytes, change)))
  const changed = (at: number, value: number): Uint8Array => {
    const copy = bytes.slice()
    copy[at] = value
    return resealed(copy)
  }

  test('other files', () => {
    const other = 'input/not-a-container'
    expect(codeOf(() => decode(new Uint8Array()))).toBe(other)
    expect(codeOf(() => decode(new TextEncoder().encode('{"kind":"veritensor-test"}')))).toBe(other)
    for (let i = 0; i < 8; i++) expect(codeOf(() => decode(changed(i, bytes[i]! ^ 1)))).toBe(other)
  })

  test('other kinds and versions', () => {
    expect(codeOf(() => decodeContainer('veritensor-circuit', bytes, 3))).toBe('input/wrong-kind')
    expect(codeOf(() => decodeContainer(KIND, bytes, 2))).toBe('input/unsupported-version')
    expect(codeOf(() => decode(changed(8, 2)))).toBe('input/unsupported-version')
    expect(wrong((t) => t.replace('"version":3', '"version":4'))).toBe('input/unsupported-version')
    expect(wrong((t) => t.replace(KIND, 'something else'))).toBe('input/wrong-kind')
  })

  test('truncated and extended', () => {
    for (let n = 0; n < bytes.length; n++) {
      for (const cut of [bytes.subarray(0, n), resealed(bytes.subarray(0, n))])
        expect(
          codeOf(() => decode(cut)),
          `${n} bytes`,
        ).toBe(n < 8 ? 'input/not-a-container' : 'input/truncated')
    }
    const longer = new Uint8Array(bytes.length + 8)
    longer.set(bytes)
    expect(codeOf(() => decode(resealed(longer)))).toBe('input/malformed-container')
  })

  test('damaged content', () => {
    const start = 48
    for (let i = start; i < bytes.length; i++) {
      const copy = bytes.slice()
      copy[i]! ^= 0x10
      expect(codeOf(() => decode(copy))).toMatch(/^input\/(corrupt|malformed-container|truncated)$/)
    }
    for (let i = 16; i < start; i++) {
      const copy = bytes.slice()
      copy[i]! ^= 0x10
      expect(codeOf(() => decode(copy))).toBe('input/corrupt')
    }
  })

  test('headers that lie about arrays', () => {
    const malformed = 'input/malformed-container'
    // the arrays by their text: bytes (3 bytes at 0), none (0 at 8), signed (2 at 8), words (12 at 16) …
    expect(wrong((t) => t.replace('"type":"u8","length":3,"offset":0', '"type":"u8","length":9,"offset":0'))).toBe(
      malformed,
    )
    expect(wrong((t) => t.replace('"type":"u32","length":3', '"type":"u32","length":2'))).toBe(malformed) // zeros expected
    expect(wrong((t) => t.replace('"length":3,"offset":16', '"length":3,"offset":8'))).toBe(malformed) // overlaps
    expect(wrong((t) => t.replace('"length":3,"offset":16', '"length":3,"offset":17'))).toBe(malformed) // misaligned
    expect(wrong((t) => t.replace('"length":3,"offset":16', '"length":3,"offset":24'))).toBe(malformed) // leaves a gap
    expect(wrong((t) => t.replace('"length":3,"offset":16', '"length":-3,"offset":16'))).toBe(malformed)
    expect(wrong((t) => t.replace('"length":3,"offset":16', '"length":3.5,"offset":16'))).toBe(malformed)
    expect(wrong((t) => t.replace('"length":3,"offset":16', '"length":"3","offset":16'))).toBe(malformed)
    expect(wrong((t) => t.replace('"length":3,"offset":16', '"offset":16'))).toBe(malformed)
    expect(wrong((t) => t.replace('"length":3,"offset":16', '"length":3,"offset":null'))).toBe(malformed)
    expect(wrong((t) => t.replace('"type":"u32"', '"type":"u64"'))).toBe(malformed)
    expect(wrong((t) => t.replace('"type":"u32"', '"type":"constructor"'))).toBe(malformed)
    expect(wrong((t) => t.replace('"type":"u32"', '"type":["u32"]'))).toBe(malformed)
    expect(wrong((t) => t.replace('"name":"words"', '"name":"bytes"'))).toBe(malformed)
    expect(wrong((t) => t.replace('"name":"words"', '"name":7'))).toBe(malformed)
    expect(wrong((t) => t.replace(/"arrays":\[\{/, '"arrays":[null,{'))).toBe(malformed)
    expect(wrong((t) => t.replace('"length":4', `"length":${2 ** 45}`))).toBe('input/truncated')
    expect(wrong((t) => t.replace('"length":4', `"length":${Number.MAX_SAFE_INTEGER}`))).toBe(malformed)
  })

  test('headers that are no record, no JSON, no UTF-8, too deep or too long', () => {
    const malformed = 'input/malformed-container'
    for (const text of ['', 'null', '[]', '7', '"x"', '{}', '{"kind":"veritensor-test","version":3,"arrays":[]}', '{'])
      expect(wrong(() => text)).toBe(malformed)
    expect(wrong((t) => t.replace('"arrays":[', '"arrays":{"x":['))).toBe(malformed)
    expect(wrong((t) => t.replace('"version":3', '"version":"3"'))).toBe(malformed)
    expect(wrong((t) => t.replace('"nested":', `"nested":${'['.repeat(100)}${']'.repeat(100)},"n":`))).toBe(malformed)
    expect(wrong((t) => t.replace('"nested":', `"nested":${'['.repeat(1_000_000)}`))).toBe(malformed)
    expect(codeOf(() => decode(changed(52, 0xff)))).toBe(malformed)
    expect(codeOf(() => decode(changed(15, 0xff)))).toBe(malformed)
  })

  test('names from prototypes are plain names', () => {
    const odd = encodeContainer(KIND, 3, {}, JSON.parse('{}'))
    expect(decode(odd).arrays.toString).toBeUndefined()
    const named = encodeContainer(KIND, 3, {}, { constructor: Uint8Array.of(1) } as never)
    expect(decode(named).arrays.constructor).toEqual(Uint8Array.of(1))
    const proto = withHeaderText(named, (t) => t.replace('"constructor"', '"__proto__"'))
    const { arrays: found } = decode(proto)
    expect(Object.keys(found)).toEqual(['__proto__'])
    expect(({} as { length?: number }).length).toBeUndefined()
  })

  test('random changes give an error or a container', () => {
    const random = seeded(77)
    let accepted = 0
    for (let k = 0; k < 4000; k++) {
      const copy = bytes.slice(0, random.unit() < 0.1 ? random.integer(0, bytes.length) : bytes.length)
      const changes = random.integer(1, 3)
      for (let i = 0; i < changes && copy.length > 0; i++)
        copy[random.integer(0, copy.length - 1)] = random.pick([0, 0xff, 0x22, 0x30, 0x39, random.integer(0, 255)])
      try {
        decode(resealed(copy))
        accepted++
      } catch (error) {
        expect(error).toBeInstanceOf(CircuitError)
      }
    }
    expect(accepted).toBeGreaterThan(100)
  })
})
