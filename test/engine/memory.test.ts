import { expect, test } from 'vitest'
import { MAX_BYTES, planMemory } from '../../src/engine/layout.ts'
import { POINT_BYTES } from '../../src/engine/runtime.ts'
import { createPlaces } from '../../src/workers/places.ts'
import { codeOf } from '../groth16/tools.ts'

const counts = (power: number) => {
  const wires = 2 ** power
  return {
    ...{ nVars: wires, nPublic: 10, power, a: wires, b: wires, c: wires },
    ...{ entriesA: 2 * wires, entriesB: 2 * wires, coefficients: 1000 },
    ...{ kept: wires / 2, vectors: 3 as const },
  }
}
const wide = { wires: 1000, a: 1000, b: 1000, c: 1000 }

test('a domain of 2²² fits, with every wire in A, B and C; a larger one is refused by name', async () => {
  const layout = planMemory(counts(22), wide, 1, 8)
  expect(layout.bytes).toBeLessThan(MAX_BYTES)
  expect(await codeOf(() => planMemory(counts(23), wide, 1, 1))).toBe('limit/engine-memory')
})

test.each([1, 1000])('nothing overlaps: what is laid out ascends and ends where it says (%i proofs)', (expected) => {
  const { key, proofs, slots, bytes } = planMemory(counts(10), wide, 2, 3, expected)
  const numbers = (value: unknown): number[] =>
    typeof value === 'number' ? [value] : Object.values(value as object).flatMap(numbers)
  const { counts: _, domain: __, points, hMultiples, ...addresses } = key
  expect(key.startsA - key.h).toBe(POINT_BYTES.g1 * points * (hMultiples?.count ?? 1))
  expect(hMultiples === undefined).toBe(expected === 1)
  const all = [...numbers(addresses)]
  expect(all).toEqual([...all].sort((a, b) => a - b))
  expect(proofs[0]!.abort).toBeGreaterThanOrEqual(key.end)
  expect(proofs[1]!.abort).toBeGreaterThanOrEqual(proofs[0]!.end)
  expect(slots[0]).toBeGreaterThanOrEqual(proofs[1]!.end)
  expect(bytes).toBeGreaterThan(slots[2]!)
})

test('a further thread takes less than 40 MB beside the key, with room for a proof of 8,192 rows', () => {
  const [one, two] = [1, 2].map((n) => planMemory(counts(13), wide, n, n).bytes) as [number, number]
  expect(two - one).toBeLessThan(20e6) // a thread's heap takes another 10 MB
})

test('places go to who is urgent first, and to nobody who has stopped waiting', async () => {
  const places = createPlaces(1)
  const place = await places.take(0)
  const order: string[] = []
  const abort = new AbortController()
  const note = (name: string) => (given: number) => {
    order.push(name)
    places.give(given)
  }
  const waiting = [
    places.take(0).then(note('first')),
    places.take(0, abort.signal).then(note('gone'), (error) => order.push(error.code)),
    places.take(1).then(note('urgent')),
    places.take(0).then(note('last')),
  ]
  abort.abort()
  places.give(place)
  await Promise.all(waiting)
  expect(order).toEqual(['aborted/by-caller', 'urgent', 'first', 'last'])
  expect(await codeOf(() => places.take(0, AbortSignal.abort()))).toBe('aborted/by-caller')
})
