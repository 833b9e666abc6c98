import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../circuits/builder.ts'
import type { Circuit } from '../../circuits/circuit.ts'
import { containerDigest } from '../../circuits/container.ts'
import { decodeCircuit, encodeCircuit } from '../../circuits/encode.ts'
import { CircuitError } from '../../circuits/error.ts'
import { createField, Fr } from '../../circuits/field.ts'
import { argmax } from '../../circuits/gadgets/argmax.ts'
import { rangeCheck } from '../../circuits/gadgets/bits.ts'
import { divide } from '../../circuits/gadgets/divide.ts'
import { locate } from '../../circuits/gadgets/locate.ts'
import { lookup } from '../../circuits/gadgets/lookup.ts'
import { poseidon } from '../../circuits/gadgets/poseidon.ts'
import { requantise } from '../../circuits/gadgets/requantise.ts'
import { rescale } from '../../circuits/gadgets/rescale.ts'
import { isZero } from '../../circuits/gadgets/zero.ts'
import { type Hint, type HintName, hintShapes, hints } from '../../circuits/hints.ts'
import { ASSIGN, BITS, HINT, MUL, MUL_ADD, solve } from '../../circuits/solve.ts'
import { resealed, withHeaderText } from '../support/containers.ts'
import { codeOf } from '../support/gadgetSuite.ts'
import { seeded } from '../support/random.ts'

/** A circuit with every kind of step and hint, small and wide wires, several scopes. */
function everything(): Circuit {
  const cs = createBuilder(Fr)
  const [a, b, c] = [cs.output(), cs.output(), cs.output()]
  const key = cs.input('public', null)
  const raw = Array.from({ length: 3 }, () => cs.input('private', { lo: -50n, hi: 900n }))
  const xs = cs.scope('input', () => raw.map((x) => rangeCheck(cs, x, -50n, 900n)))
  const y = cs.scope('fc', () => requantise(cs, cs.mulAdd(xs[0]!, xs[1]!, xs[2]!), 7, -100n, 127n))
  const winner = cs.scope('top', () => argmax(cs, xs))
  const q = divide(cs, cs.add(y, cs.constant(100)), cs.add(winner, cs.ONE))
  const halved = rescale(cs, xs[1]!, { p: 1, r: 3, q: 6, even: true }, 0n, 63n)
  const t = lookup(cs, winner, [5, -7, 2 ** 39], 0n)
  const [above] = locate(cs, xs[2]!, [0, 400], -50n, 900n, 'interval')
  cs.bindOutput(a, cs.add(q, halved, above!, cs.materialise(cs.add(...xs))))
  cs.bindOutput(b, poseidon(cs, [t, cs.mul(key, key)]))
  cs.bindOutput(c, cs.add(isZero(cs, cs.sub(key, y)), isZero(cs, cs.sub(winner, cs.constant(1)))))
  return cs.build()
}

const circuit = everything()
const bytes = encodeCircuit(circuit)
const malformed = 'circuit/malformed'

/** What reading the circuit with some parts replaced gives. */
const withParts = (parts: Partial<Circuit>): string =>
  codeOf(() => decodeCircuit(encodeCircuit({ ...circuit, ...parts })))

const replaced = <T extends Uint32Array | Int32Array | Uint8Array | Float64Array>(
  array: T,
  at: number,
  value: number,
): T => array.with(at, value) as T

describe('circuit files', () => {
  test('return the circuit', () => {
    const read = decodeCircuit(bytes)
    expect(read).toEqual(circuit)
    expect(solve(read, [7n, 1, 2, 3])).toEqual(solve(circuit, [7n, 1, 2, 3]))
    expect([...circuit.hintNames].sort()).toEqual(Object.keys(hints).sort())
  })

  test('are equal for equal circuits, and their digest tells others apart', () => {
    expect(encodeCircuit(everything())).toEqual(bytes)
    expect(encodeCircuit(decodeCircuit(bytes))).toEqual(bytes)
    const other = encodeCircuit({ ...circuit, scopes: circuit.scopes.with(1, 'entry') })
    expect(containerDigest(other)).not.toBe(containerDigest(bytes))
  })

  test('are read without copying, also on shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
    shared.set(bytes)
    const read = decodeCircuit(shared)
    for (const array of [read.lcStart, read.lcWire, read.lcCoefficient, read.rowLC, read.program, read.inputRanges])
      expect(array.buffer).toBe(shared.buffer)
    expect(solve(read, [7n, 1, 2, 3])).toEqual(solve(circuit, [7n, 1, 2, 3]))
  })

  test('keep extreme coefficients, in fields of any size', () => {
    const cs = createBuilder(Fr)
    const x = cs.input('private', null)
    for (const k of [1n, -1n, Fr.p >> 1n, -(Fr.p >> 1n), 2n ** 64n, -(2n ** 64n), 2n ** 53n])
      cs.assertEqual(cs.scale(k, x), cs.scale(k, x))
    const wide = cs.build()
    expect(decodeCircuit(encodeCircuit(wide))).toEqual(wide)
    const F = createField(17n)
    const small = createBuilder(F)
    isZero(small, small.input('private', null))
    const tiny = small.build()
    expect(decodeCircuit(encodeCircuit(tiny), 17n)).toEqual(tiny)
    expect(codeOf(() => decodeCircuit(encodeCircuit(tiny)))).toBe('circuit/wrong-field')
    expect(codeOf(() => decodeCircuit(bytes, 17n))).toBe('circuit/wrong-field')
    expect(() => encodeCircuit({ ...tiny, prime: 2n ** 256n + 297n })).toThrow(RangeError)
  })

  test('of the empty circuit', () => {
    const empty = createBuilder(Fr).build()
    expect(decodeCircuit(encodeCircuit(empty))).toEqual(empty)
  })

  test('know the shape of every hint', () => {
    expect(Object.keys(hintShapes)).toEqual(Object.keys(hints))
    for (const name of Object.keys(hints) as HintName[]) {
      const { inputs, params, results } = hintShapes[name]
      const given = Array.from({ length: inputs === 'any' ? 3 : inputs }, (_, i) => BigInt(i))
      const due = results === 'asInputs' ? given.length : results === 'any' ? 5 : results
      const hint: Hint = hints[name]
      expect(hint(Fr, given, new Array<number>(params).fill(6), due)).toHaveLength(due)
    }
  })
})

describe('malformed circuit files', () => {
  test('with arrays of the wrong size', () => {
    for (const name of [
      'lcStart',
      'lcWire',
      'lcCoefficient',
      'lcSafe',
      'rowLC',
      'rowScope',
      'wideWire',
      'inputRanges',
    ] as const) {
      const array = circuit[name]
      expect(withParts({ [name]: array.slice(0, -1) }), name).toBe(malformed)
      const longer = new (array.constructor as new (n: number) => typeof array)(array.length + 1)
      longer.set(array as never)
      expect(withParts({ [name]: longer }), name).toBe(malformed)
      expect(withParts({ [name]: array.slice(0, 0) }), name).toBe(malformed)
    }
  })

  test('with arrays of the wrong type, missing or superfluous', () => {
    expect(withParts({ lcWire: new Float64Array(circuit.lcWire) as never })).toBe(malformed)
    expect(withParts({ program: Uint32Array.from(circuit.program) as never })).toBe(malformed)
    const renamed = (from: string, to: string): string =>
      codeOf(() => decodeCircuit(withHeaderText(bytes, (t) => t.replace(`"name":"${from}"`, `"name":"${to}"`))))
    expect(renamed('lcSafe', 'lcUnsafe')).toBe(malformed)
    expect(renamed('rowScope', '__proto__')).toBe(malformed)
    const text = (t: string): string =>
      t.replace(/"arrays":\[/, '"arrays":[{"name":"more","type":"u8","length":0,"offset":0},')
    expect(codeOf(() => decodeCircuit(withHeaderText(bytes, text)))).toBe(malformed)
  })

  test('with counts that do not match', () => {
    for (const name of ['wires', 'publicOutputs', 'publicInputs', 'privateInputs', 'rows'] as const) {
      for (const value of [circuit[name] + 1, circuit[name] - 1, 0.5, -1, 2 ** 32, Number.MAX_SAFE_INTEGER])
        expect(withParts({ [name]: value }), `${name} = ${value}`).toBe(malformed)
      for (const value of ['7', null, [7], Number.NaN, true])
        expect(withParts({ [name]: value as never }), `${name} = ${value}`).toBe(malformed)
    }
  })

  test('with headers of other types', () => {
    const header = (change: (h: Record<string, unknown>) => unknown): string =>
      codeOf(() =>
        decodeCircuit(
          withHeaderText(bytes, (t) => {
            const json = JSON.parse(t)
            json.header = change(json.header)
            return JSON.stringify(json)
          }),
        ),
      )
    for (const value of [null, 7, 'x', []]) expect(header(() => value)).toMatch(/^circuit\//)
    for (const prime of [undefined, 17, '17', '0x11', String(-Fr.p)])
      expect(header((h) => ({ ...h, prime }))).toBe('circuit/wrong-field')
    for (const name of ['hintNames', 'scopes', 'tables'])
      for (const value of [undefined, null, 'x', { length: 1 }, [7], [null], [['x']], [[0.5]], [[1e30]], [[null]]])
        expect(header((h) => ({ ...h, [name]: value }))).toBe(malformed)
    for (const name of ['constructor', '__proto__', 'toString', 'bits', ''])
      expect(header((h) => ({ ...h, hintNames: (h.hintNames as string[]).with(0, name) }))).toBe(malformed)
  })

  test('with coefficients that are no residues', () => {
    const { lcStart, lcWire } = circuit
    expect(lcStart.length).toBeLessThan(lcWire.length)
    // the coefficients' array is found by its offset in the header
    const view = new DataView(bytes.buffer)
    const length = view.getUint32(12, true)
    const json = JSON.parse(new TextDecoder().decode(bytes.subarray(48, 48 + length)))
    const { offset } = json.arrays.find((a: { name: string }) => a.name === 'coefficients')
    const at = 48 + Math.ceil(length / 8) * 8 + offset + 32 * 2
    const set = (value: bigint): string => {
      const copy = bytes.slice()
      for (let i = 0; i < 32; i++) copy[at + i] = Number((value >> BigInt(8 * i)) & 255n)
      return codeOf(() => decodeCircuit(resealed(copy)))
    }
    for (const value of [Fr.p, Fr.p + 1n, 2n ** 256n - 1n]) expect(set(value)).toBe(malformed)
    expect(withParts({ coefficients: circuit.coefficients.slice(0, -1) })).toBe(malformed)
  })

  test('with combinations out of bounds or out of order', () => {
    const { lcStart, lcWire, lcCoefficient, lcSafe, wires, coefficients } = circuit
    const long = [...lcStart].findIndex((start, k) => lcStart[k + 1]! - start > 2)
    const at = lcStart[long]!
    expect(withParts({ lcStart: replaced(lcStart, 0, 1) })).toBe(malformed)
    expect(withParts({ lcStart: replaced(lcStart, long + 1, at - 1) })).toBe(malformed)
    expect(withParts({ lcStart: replaced(lcStart, long, lcWire.length + 1) })).toBe(malformed)
    expect(withParts({ lcStart: replaced(lcStart, long, 2 ** 32 - 1) })).toBe(malformed)
    expect(withParts({ lcWire: replaced(lcWire, at + 2, wires) })).toBe(malformed)
    // also in combinations that only rows use
    for (let k = 0; k < lcSafe.length; k += 20)
      if (lcStart[k + 1]! > lcStart[k]!)
        expect(withParts({ lcWire: replaced(lcWire, lcStart[k + 1]! - 1, wires) })).toBe(malformed)
    expect(withParts({ lcWire: replaced(lcWire, at + 2, 2 ** 32 - 1) })).toBe(malformed)
    expect(withParts({ lcWire: replaced(lcWire, at + 1, lcWire[at]!) })).toBe(malformed)
    expect(withParts({ lcWire: replaced(replaced(lcWire, at, lcWire[at + 1]!), at + 1, lcWire[at]!) })).toBe(malformed)
    expect(withParts({ lcCoefficient: replaced(lcCoefficient, at, coefficients.length) })).toBe(malformed)
    expect(withParts({ lcSafe: replaced(lcSafe, 0, 2) })).toBe(malformed)
    // combinations of wide wires or large coefficients can't be exact in doubles
    const unsafe = [...lcSafe].flatMap((safe, k) => (safe === 0 && lcStart[k + 1]! > lcStart[k]! ? [k] : []))
    const refused = unsafe.filter((k) => withParts({ lcSafe: replaced(lcSafe, k, 1) }) === malformed)
    expect(refused.length).toBeGreaterThan(100)
  })

  test('with rows out of bounds', () => {
    const { rowLC, rowScope, lcSafe, scopes } = circuit
    expect(withParts({ rowLC: replaced(rowLC, 5, lcSafe.length) })).toBe(malformed)
    expect(withParts({ rowLC: replaced(rowLC, 5, 2 ** 32 - 1) })).toBe(malformed)
    expect(withParts({ rowScope: replaced(rowScope, 5, scopes.length) })).toBe(malformed)
    expect(withParts({ scopes: [] })).toBe(malformed)
  })

  test('with wires that are neither wide nor small, and inputs without a range', () => {
    const { wideWire, inputRanges } = circuit
    expect(withParts({ wideWire: replaced(wideWire, 9, 2) })).toBe(malformed)
    expect(withParts({ wideWire: replaced(wideWire, 0, 1) })).toBe(malformed)
    for (const value of [Number.NaN, 0.5, Number.NEGATIVE_INFINITY, -(2 ** 53), 901])
      expect(withParts({ inputRanges: replaced(inputRanges, 2, value) }), String(value)).toBe(malformed)
    expect(withParts({ inputRanges: replaced(inputRanges, 0, 0) })).toBe(malformed)
    expect(withParts({ inputRanges: replaced(inputRanges, 1, Number.NaN) })).toBe(malformed)
  })
})

describe('malformed programs', () => {
  const { program, wires } = circuit
  /** Where each step starts. */
  const starts: number[] = []
  for (let pc = 0; pc < program.length; ) {
    starts.push(pc)
    const code = program[pc]!
    pc += code === HINT ? 6 + program[pc + 5]! : code === MUL_ADD ? 5 : code === ASSIGN ? 3 : 4
  }
  const stepOf = (code: number): number => starts.find((pc) => program[pc] === code)!
  const hintStep = (name: HintName): number =>
    starts.find((pc) => program[pc] === HINT && circuit.hintNames[program[pc + 3]!] === name)!
  const programWith = (...changes: (readonly [at: number, value: number])[]): string =>
    withParts({ program: changes.reduce((p, [at, value]) => replaced(p, at, value), program) })

  test('the test sees every kind of step', () => {
    expect([MUL, MUL_ADD, ASSIGN, BITS, HINT].map(stepOf).every((pc) => pc !== undefined)).toBe(true)
  })

  test('cut off, or with unknown codes', () => {
    for (let n = program.length - 1; n > program.length - 12; n--)
      expect(withParts({ program: program.slice(0, n) })).toBe(malformed)
    for (const code of [0, -1, 6, 255, 256, 2 ** 31 - 1, -(2 ** 31)])
      for (const pc of [starts[0]!, starts.at(-1)!]) expect(programWith([pc, code])).toBe(malformed)
  })

  test('that set wire 0, inputs, wires twice or past the end, or not at all', () => {
    const inputs = [4, 5, 6, 7] // after three outputs
    for (const code of [MUL, MUL_ADD, ASSIGN, BITS, HINT])
      for (const wire of [0, ...inputs, wires, wires + 1, -1, 2 ** 31 - 1, -(2 ** 31)])
        expect(programWith([stepOf(code) + 1, wire]), `step ${code} sets ${wire}`).toBe(malformed)
    const [first, second] = starts.filter((pc) => program[pc] === MUL) as [number, number]
    expect(programWith([second + 1, program[first + 1]!])).toBe(malformed)
    // without its last step an output is never set
    expect(withParts({ program: program.slice(0, starts.at(-1)) })).toBe(malformed)
    expect(withParts({ program: program.slice(0, 0) })).toBe(malformed)
  })

  test('that read combinations out of bounds or wires before they are set', () => {
    const lcs = circuit.lcSafe.length
    for (const [code, operand] of [
      [MUL, 2],
      [MUL, 3],
      [MUL_ADD, 2],
      [MUL_ADD, 4],
      [ASSIGN, 2],
      [BITS, 3],
      [HINT, 6],
    ] as const)
      for (const lc of [lcs, -1, 2 ** 31 - 1]) expect(programWith([stepOf(code) + operand, lc])).toBe(malformed)
    const late = [...circuit.lcSafe.keys()].find((lc) =>
      circuit.lcWire.subarray(circuit.lcStart[lc], circuit.lcStart[lc + 1]).includes(wires - 1),
    )!
    expect(programWith([starts[0]! + 3, late])).toBe(malformed)
  })

  test('with bits or results of the wrong number', () => {
    const bits = stepOf(BITS)
    for (const n of [program[bits + 2]! - 1, program[bits + 2]! + 1, -1, wires, 2 ** 31 - 1])
      expect(programWith([bits + 2, n])).toBe(malformed)
    for (const name of Object.keys(hints) as HintName[]) {
      const pc = hintStep(name)
      for (const n of [0, program[pc + 2]! + 1, -1, 2 ** 31 - 1]) expect(programWith([pc + 2, n]), name).toBe(malformed)
      for (const n of [0, program[pc + 5]! + 1, -1, 2 ** 31 - 1]) expect(programWith([pc + 5, n]), name).toBe(malformed)
    }
  })

  test('with hints or tables out of bounds, or parameters that the hint does not take', () => {
    for (const name of Object.keys(hints) as HintName[]) {
      const pc = hintStep(name)
      for (const n of [circuit.hintNames.length, -1]) expect(programWith([pc + 3, n])).toBe(malformed)
      for (const n of [circuit.tables.length, -1]) expect(programWith([pc + 4, n])).toBe(malformed)
      expect(programWith([pc + 4, program[pc + 4] === 0 ? 1 : 0]), name).toBe(malformed)
    }
  })

  test('that put bits on wide wires', () => {
    const out = program[stepOf(BITS) + 1]!
    expect(withParts({ wideWire: replaced(circuit.wideWire, out, 1) })).toBe(malformed)
  })
})

describe('any bytes', () => {
  /** Reads, and where that succeeds solves: neither may fail other than by a CircuitError. */
  const use = (b: Uint8Array): 'refused' | 'read' => {
    let read: Circuit
    try {
      read = decodeCircuit(b)
    } catch (error) {
      expect(error).toBeInstanceOf(CircuitError)
      return 'refused'
    }
    // what was read is a circuit again
    const again = decodeCircuit(encodeCircuit(read))
    if (!isDeepStrictEqual(again, read)) expect(again).toEqual(read)
    const inputs = Array.from({ length: read.publicInputs + read.privateInputs }, (_, i) =>
      Number.isFinite(read.inputRanges[2 * i]!) ? read.inputRanges[2 * i + 1]! : 5,
    )
    try {
      solve(read, inputs)
    } catch (error) {
      expect(error).toBeInstanceOf(CircuitError)
    }
    return 'read'
  }
  const tally = (rounds: number, change: (b: Uint8Array) => Uint8Array): number => {
    let read = 0
    for (let k = 0; k < rounds; k++) if (use(change(bytes.slice())) === 'read') read++
    return read
  }

  test('truncated anywhere are refused', () => {
    const random = seeded(1)
    expect(tally(150, (b) => resealed(b.subarray(0, random.integer(0, b.length - 1))))).toBe(0)
    expect(tally(50, (b) => b.subarray(0, random.integer(0, b.length - 1)))).toBe(0)
  })

  test('with changed bytes and the old digest are refused', () => {
    const random = seeded(2)
    const flip = (b: Uint8Array): Uint8Array => {
      b[random.integer(0, b.length - 1)]! ^= 1 << random.integer(0, 7)
      return b
    }
    expect(tally(150, flip)).toBe(0)
  })

  test('with changed bytes and a new digest are refused or a circuit that can be solved or not', () => {
    const random = seeded(3)
    const read = tally(400, (b) => {
      const changes = random.integer(1, 3)
      for (let i = 0; i < changes; i++)
        b[random.integer(8, b.length - 1)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.integer(0, 255)])
      return resealed(b)
    })
    expect(read).toBeGreaterThan(20)
    expect(read).toBeLessThan(380)
  })

  test('claims of exactness that are false do not crash the solver', () => {
    // every combination without large coefficients or wide wires says it is exact
    let claimed = circuit
    for (let k = 0; k < circuit.lcSafe.length; k++) {
      if (claimed.lcSafe[k] === 1) continue
      const next = { ...claimed, lcSafe: replaced(claimed.lcSafe, k, 1) }
      const { lcStart, lcWire, lcCoefficient } = circuit
      let honest = true
      for (let i = lcStart[k]!; i < lcStart[k + 1]!; i++)
        if (
          circuit.wideWire[lcWire[i]!] === 1 ||
          !Number.isSafeInteger(Number(circuit.coefficients[lcCoefficient[i]!]!))
        )
          honest = false
      if (honest) claimed = next
    }
    // and coefficients are as large as they may be
    const coefficients = claimed.coefficients.map((k) => (Number.isSafeInteger(Number(k)) ? 2n ** 53n - 1n : k))
    expect(use(encodeCircuit({ ...claimed, coefficients }))).toBe('read')
    // values that would grow beyond the largest double, step by step
    const cs = createBuilder(Fr)
    let x = cs.input('private', { lo: 1n, hi: 9n })
    for (let i = 0; i < 50; i++) x = cs.materialise(cs.scale(3, x))
    cs.bits(x, 300)
    cs.mulAdd(x, x, x)
    isZero(cs, x)
    const { coefficients: few, ...rest } = cs.build()
    const growing = few.map((k) => (k === 3n ? 2n ** 53n - 1n : k))
    expect(use(encodeCircuit({ ...rest, coefficients: growing }))).toBe('read')
    const doubled = { ...rest, lcSafe: rest.lcSafe.fill(1), wideWire: rest.wideWire.fill(0), coefficients: growing }
    expect(use(encodeCircuit(doubled))).toBe('read')
  })
})
