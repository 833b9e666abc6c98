import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createBuilder } from '../../circuits/builder.ts'
import { Fr } from '../../circuits/field.ts'
import { rowHolds, solve, type Witness, wireValue } from '../../circuits/solve.ts'
import { VeritensorError } from '../../src/errors.ts'
import { fileHeader, readSections, sectionHeader } from '../../src/groth16/binfile.ts'
import { R, readLE32, viewOf, writeLE32 } from '../../src/groth16/bn254.ts'
import { encodeR1cs, r1csChunks, r1csDigest, readR1cs } from '../../src/groth16/r1cs.ts'
import { encodeWtns, readWtns } from '../../src/groth16/wtns.ts'
import { checkKeyOfCircuit, domainPower, readZkey } from '../../src/groth16/zkey.ts'
import { cube, empty, integers, layer, layerInputs, oneRow } from './circuits.ts'
import { codeOf, flipBit, makeFiles, snarkjs, temporaryFolder } from './tools.ts'

const folder = temporaryFolder()
const circuit = layer(4, 2)
const inputs = layerInputs(4)

test('32-byte integers survive', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }), (x) => {
      const bytes = new Uint8Array(40)
      writeLE32(viewOf(bytes), 5, x)
      return readLE32(viewOf(bytes), 5) === x
    }),
    { seed: 1 },
  )
})

describe('containers', () => {
  const section = (id: number, data: Uint8Array) => [sectionHeader(id, data.length), data]
  const file = (...parts: readonly Uint8Array[]) => Uint8Array.from(Buffer.concat([fileHeader('wtns', 2), ...parts]))
  const [one, two] = [section(1, Uint8Array.of(1)), section(2, Uint8Array.of(2, 3))]
  const codeFor = (bytes: Uint8Array) => codeOf(() => readSections('wtns', bytes, [1, 2]))

  test('give their sections in any order', () => {
    for (const bytes of [file(...one, ...two), file(...two, ...one)])
      expect(readSections('wtns', bytes, [1, 2]).get(2)).toEqual(Uint8Array.of(2, 3))
  })

  test('are refused when malformed', async () => {
    const good = file(...one, ...two)
    const wrongMagic = Uint8Array.from(good)
    wrongMagic[0] = 0
    const wrongVersion = Uint8Array.from(good)
    wrongVersion[4] = 9
    const huge = Uint8Array.from(good)
    huge.fill(255, 16, 24) // size of the first section
    const bad = {
      empty: new Uint8Array(),
      wrongMagic,
      wrongVersion,
      huge,
      repeated: file(...one, ...one),
      unknown: file(...one, ...section(3, Uint8Array.of(2))),
      missing: Uint8Array.from(Buffer.concat([fileHeader('wtns', 1), ...one])),
      trailing: file(...one, ...two, Uint8Array.of(0)),
      truncated: good.subarray(0, good.length - 1),
      cutTable: good.subarray(0, 20),
    }
    for (const [name, bytes] of Object.entries(bad))
      expect([name, await codeFor(bytes)]).toEqual([name, 'input/malformed-wtns'])
  })
})

describe('.r1cs', () => {
  test('survives reading and writing', () => {
    for (const c of [circuit, cube(), oneRow(), empty(0), empty(3)]) {
      const bytes = encodeR1cs(c)
      expect(Buffer.compare(encodeR1cs(readR1cs(bytes)), bytes)).toBe(0)
    }
  })

  test('comes in chunks that make up the file, and is named by its hash', () => {
    const large = layer(40, 700) // more than a chunk
    const bytes = encodeR1cs(large)
    expect([...r1csChunks(large)].length).toBeGreaterThan(8)
    expect(r1csDigest(large)).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(Buffer.compare(encodeR1cs(readR1cs(bytes)), bytes)).toBe(0)
  })

  test('a circuit over another field has no file', async () => {
    expect(await codeOf(() => encodeR1cs({ ...circuit, prime: 97n }))).toBe('circuit/wrong-field')
  })

  test('is refused where it contradicts itself', async () => {
    const good = Uint8Array.from(encodeR1cs(cube()))
    // header: 24; prime 28; wires 60, outputs 64, inputs 68, private 72, labels 76, rows 84; rows from 100
    const changes: Record<string, (view: DataView) => void> = {
      prime: (v) => v.setUint8(28, 2),
      'field size': (v) => v.setUint32(24, 8, true),
      wires: (v) => v.setUint32(60, 2, true),
      'more public inputs than wires': (v) => v.setUint32(68, 1000, true),
      labels: (v) => v.setBigUint64(76, 1n, true),
      rows: (v) => v.setUint32(84, 3, true),
      'fewer rows': (v) => v.setUint32(84, 1, true),
      'no such wire': (v) => v.setUint32(104, 77, true),
      'count of terms': (v) => v.setUint32(100, 0xffffffff, true),
      'coefficient not below r': (v) => {
        for (let i = 0; i < 32; i++) v.setUint8(108 + i, 255)
      },
    }
    for (const [name, change] of Object.entries(changes)) {
      const bad = Uint8Array.from(good)
      change(viewOf(bad))
      expect([name, await codeOf(() => readR1cs(bad))]).toEqual([name, 'circuit/malformed-r1cs'])
    }
  })

  test('wires must ascend within a combination', async () => {
    const cs = createBuilder(Fr)
    const [x, y] = [cs.input('private', null), cs.input('private', null)]
    cs.assertMul(cs.add(x, y), x, y)
    const bytes = Uint8Array.from(encodeR1cs(cs.build()))
    const view = viewOf(bytes)
    const [first, second] = [104, 140]
    expect([view.getUint32(first, true), view.getUint32(second, true)]).toEqual([1, 2])
    for (const wire of [1, 0]) {
      view.setUint32(second, wire, true)
      expect(await codeOf(() => readR1cs(bytes))).toBe('circuit/malformed-r1cs')
    }
  })
})

describe('.wtns', () => {
  test('holds every value of a witness', () => {
    const values = [1, 0, -1, 5, -128, 2 ** 31, -(2 ** 32), 2 ** 32 + 7, -0xf0000002, 2 ** 53 - 1, -(2 ** 53 - 1), 0]
    const wide = new Map([[11, R - 2n]])
    const witness: Witness = { small: Float64Array.from(values), wide }
    expect(readWtns(encodeWtns(witness))).toEqual(values.map((_, i) => wireValue(Fr, witness, i)))
  })

  test('holds any signed integer', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (v) => {
        const witness: Witness = { small: Float64Array.of(1, v), wide: new Map() }
        return readWtns(encodeWtns(witness))[1] === Fr.mod(BigInt(v))
      }),
      { seed: 2 },
    )
  })

  test('is refused for values out of range and a wrong constant', async () => {
    const good = encodeWtns(solve(circuit, inputs))
    for (const [offset, value] of [
      [76, 2n],
      [76 + 32, R],
    ] as const) {
      const bad = Uint8Array.from(good)
      writeLE32(viewOf(bad), offset, value)
      expect(await codeOf(() => readWtns(bad))).toBe('input/malformed-wtns')
    }
    expect(await codeOf(() => readWtns(good.subarray(0, good.length - 32)))).toBe('input/malformed-wtns')
  })
})

test('the domain has room for every row, every public signal and the constant', () => {
  fc.assert(
    fc.property(fc.nat(1 << 20), fc.nat(1000), (rows, nPublic) => {
      const n = 2 ** domainPower(rows, nPublic)
      return n >= rows + nPublic + 1 && (n === 2 || n / 2 < rows + nPublic + 1)
    }),
    { seed: 3 },
  )
  expect([domainPower(0, 0), domainPower(1, 0), domainPower(2, 0), domainPower(3, 0), domainPower(3, 1)]).toEqual([
    1, 1, 2, 2, 3,
  ])
})

describe("snarkjs' own tools and single-bit corruption", async () => {
  const files = await makeFiles(folder, 'layer', circuit, inputs)
  const bytesOf = (path: string) => Uint8Array.from(readFileSync(path))
  const bits = (seed: number, count: number, bytes: Uint8Array) => {
    const random = integers(seed)
    return Array.from({ length: count }, () => random(8 * bytes.length))
  }

  test('snarkjs reads the circuit and finds the witness right', async () => {
    const info = await snarkjs('r1cs', 'info', files.r1cs)
    for (const line of [
      `# of Constraints: ${circuit.rows}`,
      `# of Wires: ${circuit.wires}`,
      '# of Outputs: 1',
      '# of Public Inputs: 1',
      '# of Private Inputs: 3',
    ])
      expect(info).toContain(line)
    expect(await snarkjs('wtns', 'check', files.r1cs, files.wtns)).toContain('WITNESS IS CORRECT')
  })

  test('a corrupt .r1cs is refused, belongs to no key, or means the same', () => {
    const good = bytesOf(files.r1cs)
    const key = readZkey(bytesOf(files.zkey))
    for (const bit of bits(11, 400, good)) {
      try {
        const read = readR1cs(flipBit(good, bit))
        checkKeyOfCircuit(key, read)
        expect(Buffer.compare(encodeR1cs(read), good)).toBe(0)
      } catch (error) {
        if (!(error instanceof VeritensorError)) throw error
      }
    }
  })

  test('a corrupt .wtns is refused or violates a row', () => {
    const good = bytesOf(files.wtns)
    for (const bit of bits(12, 400, good)) {
      try {
        const values = readWtns(flipBit(good, bit))
        const holds = Array.from({ length: circuit.rows }, (_, row) => rowHolds(Fr, circuit, row, values))
        expect([bit, values.length === circuit.wires && holds.every((h) => h)]).toEqual([bit, false])
      } catch (error) {
        if (!(error instanceof VeritensorError)) throw error
      }
    }
  })

  test('a corrupt .zkey is refused, belongs to no circuit, or only its points for the prover are wrong', () => {
    const good = bytesOf(files.zkey)
    const key = readZkey(good)
    const points = [5, 6, 7, 8, 9].map((id) => key.sections.get(id)!)
    const mark = key.sections.get(10)!.subarray(0, 32)
    const inside = (section: Uint8Array, byte: number) =>
      byte >= section.byteOffset && byte < section.byteOffset + section.length
    const everyHeaderBit = Array.from({ length: 120 }, (_, i) => 91 * i)
    let survived = 0
    for (const bit of [...bits(13, 120, good), ...everyHeaderBit, 8 * mark.byteOffset + 3]) {
      try {
        const read = readZkey(flipBit(good, bit))
        checkKeyOfCircuit(read, circuit)
        survived++
        // a key that has lost its mark still counts as one of development
        expect(read.verifyingKey).toEqual(key.verifyingKey)
        expect([bit, [...points, mark].some((section) => inside(section, bit >> 3))]).toEqual([bit, true])
      } catch (error) {
        if (!(error instanceof VeritensorError)) throw error
      }
    }
    expect(survived).toBeGreaterThan(0)
  })

  test('a truncated .zkey is refused at every length', async () => {
    const good = bytesOf(files.zkey)
    for (const length of [0, 3, 12, 40, 700, 5000, good.length - 68, good.length - 1])
      expect(await codeOf(() => readZkey(good.subarray(0, length)))).toBe('key/malformed-zkey')
  })

  test("a key is refused for another circuit, also where only the key's digest tells", async () => {
    const key = readZkey(bytesOf(files.zkey))
    expect(await codeOf(() => checkKeyOfCircuit(key, circuit))).toBe('nothing thrown')
    for (const other of [layer(4, 2, 99), layer(5, 2), cube()])
      expect(await codeOf(() => checkKeyOfCircuit(key, other))).toBe('key/other-circuit')
    // another C side: the last row's output combination in place of the first row's
    const rowLC = Uint32Array.from(circuit.rowLC)
    rowLC[2] = rowLC[rowLC.length - 1]!
    expect(await codeOf(() => checkKeyOfCircuit(key, { ...circuit, rowLC }))).toBe('key/other-circuit')
  })
})
