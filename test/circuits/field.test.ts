import { expect, test } from 'vitest'
import { createField, Fr } from '../../circuits/field.ts'

test('representatives lie in [0, p) and (-p/2, p/2]', () => {
  for (const p of [2n, 3n, 5n, 7n, 101n]) {
    const F = createField(p)
    for (let x = -3n * p; x <= 3n * p; x++) {
      const [residue, signed] = [F.mod(x), F.signed(x)]
      expect(residue >= 0n && residue < p && (residue - x) % p === 0n).toBe(true)
      expect(2n * signed > -p && 2n * signed <= p && (signed - x) % p === 0n).toBe(true)
    }
  }
})

test('inverses', () => {
  for (const x of [1n, 2n, -1n, 12345678901234567890n, Fr.p - 1n]) expect(Fr.mul(x, Fr.inv(x))).toBe(1n)
  expect(() => Fr.inv(Fr.p)).toThrow(RangeError)
})
