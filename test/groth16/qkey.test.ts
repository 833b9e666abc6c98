import { describe, expect, test } from 'vitest'
import { readQuotientKey } from '../../src/groth16/qkey.ts'
import { readZkey } from '../../src/groth16/zkey.ts'
import { devKeys } from '../engine/support.ts'
import { cube, layer } from './circuits.ts'
import { codeOf } from './tools.ts'

const { zkey, qkey } = await devKeys(cube())
const key = readZkey(zkey)
const changed = (change: (bytes: Uint8Array) => void): Uint8Array => {
  const bytes = qkey.slice()
  change(bytes)
  return bytes
}

describe('a quotient key', () => {
  test('holds points of all wires, and of at least as many points as there are rows', () => {
    const { cut, c, h } = readQuotientKey(qkey, key)
    expect(cut.used).toBe(key.rows + key.nPublic + 1)
    expect(c.length).toBe(64 * key.nVars)
    expect(h.length).toBe(128 * cut.kept)
    expect(h.length).toBeGreaterThanOrEqual(64 * cut.used)
  })

  test('is no .zkey, and a .zkey is none', async () => {
    expect(await codeOf(() => readZkey(qkey))).toBe('key/malformed-zkey')
    expect(await codeOf(() => readQuotientKey(zkey, key))).toBe('key/malformed-qkey')
  })

  test('cut off anywhere, or with more at its end, is malformed', async () => {
    for (let length = 0; length < qkey.length; length++)
      expect([length, await codeOf(() => readQuotientKey(qkey.subarray(0, length), key))]).toEqual([
        length,
        'key/malformed-qkey',
      ])
    expect(await codeOf(() => readQuotientKey(Buffer.concat([qkey, new Uint8Array(1)]), key))).toBe(
      'key/malformed-qkey',
    )
  })

  test('with another byte before its points is refused', async () => {
    // the 12 bytes of the container, three tables of 12, and the header
    const [header, c] = [12 + 12, 12 + 12 + 48]
    for (let at = 0; at < c + 12; at++) {
      const code = await codeOf(() =>
        readQuotientKey(
          changed((bytes) => (bytes[at]! ^= 1)),
          key,
        ),
      )
      expect([at, code]).toEqual([at, at >= header && at < c ? 'key/other-key' : 'key/malformed-qkey'])
    }
  })

  test('of another set-up or circuit is refused', async () => {
    const other = await devKeys(cube())
    expect(await codeOf(() => readQuotientKey(other.qkey, key))).toBe('key/other-key')
    const larger = await devKeys(layer(3, 2))
    expect(await codeOf(() => readQuotientKey(larger.qkey, key))).toBe('key/other-key')
  })
})
