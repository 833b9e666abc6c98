/**
 * Turns gadget code into a circuit. Sums and products with constants are free; each `assert…`, `mul` and gadget adds rows.
 * Every combination carries its proven range; what could overflow the field or alias is refused here, not by the prover.
 * @module
 */
import type { Circuit, LCId, Wire } from './circuit.ts'
import { CircuitError } from './error.ts'
import type { Field } from './field.ts'
import { growableU32 } from './growable.ts'
import type { HintName } from './hints.ts'
import { bitLength, isSafe, type LC, magnitude, type Range } from './lc.ts'
import type { LinearMap } from './linearMap.ts'
import { ASSIGN, BITS, HINT, MUL, MUL_ADD } from './solve.ts'

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
const BIT: Range = { lo: 0n, hi: 1n }

/** Boolean wires made together: `first` is the least significant, the rest follow. Each lies in {0, 1}, proven. */
export type Bits = { readonly first: Wire; readonly count: number }

export type Builder = ReturnType<typeof createBuilder>

/** Most rows of a circuit unless it is told otherwise: no public ceremony has powers of tau for more. */
export const MAX_ROWS = 2 ** 28

/**
 * An empty circuit over a field. Inputs come first: public outputs, then public inputs, then private inputs. What would take
 * more than `maxRows` rows is refused by CircuitError `limit/rows`.
 */
export function createBuilder(F: Field, maxRows = MAX_ROWS) {
  // doubles are exact up to here, and integers their own signed representatives
  const SAFE = Number(F.p / 2n < MAX_SAFE ? F.p / 2n : MAX_SAFE)
  let wires = 1
  let stage: 'output' | 'public' | 'private' | 'inner' = 'output'
  const counts = { output: 0, public: 0, private: 0 }
  const boundOutputs = new Set<Wire>()
  const inputRanges: number[] = []

  // largest magnitude each wire takes in an honest witness; Infinity for wide wires
  let wireMagnitude = new Float64Array(1024)
  wireMagnitude[0] = 1

  const coefficientValues: bigint[] = []
  const coefficientNumbers: number[] = []
  const coefficientIndex = new Map<number | bigint, number>()
  const lcStart = growableU32()
  const lcWire = growableU32(4096)
  const lcCoefficient = growableU32(4096)
  const lcSafe = growableU32()
  lcStart.push(0)
  const pooled = new WeakMap<LC, LCId>()
  // id of the combination 1 · wire, plus 1; 0 while it is not in the pool
  let wireLC = new Uint32Array(1024)
  const rowLC = growableU32(3072)
  const rowScope = growableU32()
  const program = growableU32(4096)
  const tables: (readonly number[])[] = [[]]
  const tableIndex = new Map<string, number>([['', 0]])
  const hintNames: HintName[] = []
  const scopes: string[] = ['']
  const scopeIndex = new Map<string, number>([['', 0]])
  let scope = 0

  /** Index of an integer in the table of coefficients; equal residues share one entry. */
  const intern = (k: number | bigint): number => {
    const known = coefficientIndex.get(k)
    if (known !== undefined) return known
    const value = F.signed(BigInt(k))
    const small = value <= MAX_SAFE && value >= -MAX_SAFE
    const key = small ? Number(value) : value
    let index = coefficientIndex.get(key)
    if (index === undefined) {
      index = coefficientValues.push(value) - 1
      coefficientNumbers.push(small ? Number(value) : Number.NaN)
      coefficientIndex.set(key, index)
    }
    if (coefficientIndex.size < 1 << 20) coefficientIndex.set(k, index)
    return index
  }
  const ZERO = intern(0)
  const UNIT = intern(1)

  /** The range, refused unless each of its integers is its own signed representative. */
  const fitting = (lo: bigint, hi: bigint, what: string): Range => {
    if (2n * lo <= -F.p || 2n * hi > F.p)
      throw new CircuitError(
        'circuit/overflow',
        `${what}: [${lo}, ${hi}] leaves (-p/2, p/2] for the field of order p = ${F.p}`,
        { scope: scopes[scope], bits: bitLength(-lo > hi ? -lo : hi) },
      )
    return { lo, hi }
  }

  const allocate = (range: Range | null): Wire => {
    if (wires === wireMagnitude.length) {
      const larger = new Float64Array(2 * wires)
      larger.set(wireMagnitude)
      wireMagnitude = larger
      const ids = new Uint32Array(2 * wires)
      ids.set(wireLC)
      wireLC = ids
    }
    wireMagnitude[wires] = isSafe(range) ? Number(magnitude(range)) : Number.POSITIVE_INFINITY
    return wires++
  }
  const inner = (range: Range | null): Wire => {
    stage = 'inner'
    return allocate(range)
  }
  const wireAs = (wire: Wire, range: Range | null): LC => ({ wires: [wire], coefficients: [UNIT], range })

  const constant = (k: number | bigint): LC => {
    const value = BigInt(k)
    const index = intern(value)
    // beyond p/2 it is a field element and stands for no integer
    const range = coefficientValues[index] === value ? { lo: value, hi: value } : null
    return index === ZERO ? { wires: [], coefficients: [], range } : { wires: [0], coefficients: [index], range }
  }

  /** The integer a combination is, if it is one. */
  const constantValue = (x: LC): bigint | undefined => {
    if (x.range !== null && x.range.lo === x.range.hi) return x.range.lo
    if (x.wires.length === 0) return 0n
    return x.wires.length === 1 && x.wires[0] === 0 ? coefficientValues[x.coefficients[0]!]! : undefined
  }

  /** Σ kᵢ·xᵢ. Free. */
  const combine = (terms: readonly (readonly [k: number | bigint, x: LC])[]): LC => {
    const sums = new Map<Wire, bigint>()
    let [lo, hi, bounded] = [0n, 0n, true]
    for (const [k, x] of terms) {
      const factor = BigInt(k)
      for (let i = 0; i < x.wires.length; i++) {
        const wire = x.wires[i]!
        sums.set(wire, (sums.get(wire) ?? 0n) + factor * coefficientValues[x.coefficients[i]!]!)
      }
      if (x.range === null) bounded = bounded && factor === 0n
      else {
        lo += factor * (factor < 0n ? x.range.hi : x.range.lo)
        hi += factor * (factor < 0n ? x.range.lo : x.range.hi)
      }
    }
    const outWires: number[] = []
    const coefficients: number[] = []
    for (const wire of [...sums.keys()].sort((a, b) => a - b)) {
      const index = intern(sums.get(wire)!)
      if (index === ZERO) continue
      outWires.push(wire)
      coefficients.push(index)
    }
    return { wires: outWires, coefficients, range: bounded ? fitting(lo, hi, 'sum') : null }
  }

  /** Id of a combination in the pool, which it joins at its first use. */
  const pool = (x: LC): LCId => {
    const single = x.wires.length === 1 && x.coefficients[0] === UNIT
    const known = single ? wireLC[x.wires[0]!]! - 1 : (pooled.get(x) ?? -1)
    if (known >= 0) return known
    let bound = 0
    for (let i = 0; i < x.wires.length; i++) {
      lcWire.push(x.wires[i]!)
      lcCoefficient.push(x.coefficients[i]!)
      // NaN for large coefficients, Infinity for wide wires: both make the combination unsafe
      bound += Math.abs(coefficientNumbers[x.coefficients[i]!]!) * wireMagnitude[x.wires[i]!]!
    }
    lcStart.push(lcWire.length)
    const id = lcStart.length - 2
    lcSafe.push(bound <= SAFE ? 1 : 0)
    if (single) wireLC[x.wires[0]!] = id + 1
    else pooled.set(x, id)
    return id
  }

  const row = (a: LCId, b: LCId, c: LCId): void => {
    if (rowScope.length >= maxRows)
      throw new CircuitError('limit/rows', `the circuit takes more than ${maxRows} rows`, {
        ...{ scope: scopes[scope], rows: maxRows },
      })
    rowLC.push(a)
    rowLC.push(b)
    rowLC.push(c)
    rowScope.push(scope)
  }
  const ONE = constant(1)

  /** An input wire; `honest` is what the solver accepts of it. */
  const declare = (visibility: 'public' | 'private', honest: Range | null): Wire => {
    if (stage === 'inner' || (stage === 'private' && visibility === 'public'))
      throw new CircuitError('circuit/order', 'inputs come before gadgets, public inputs before private ones')
    stage = visibility
    counts[visibility]++
    const wide = !isSafe(honest)
    inputRanges.push(wide ? Number.NEGATIVE_INFINITY : Number(honest.lo), wide ? Infinity : Number(honest.hi))
    return allocate(honest)
  }

  /** The rows b·b = b of boolean wires that follow each other. */
  const boolean = (bits: Bits): Bits => {
    for (let i = 0; i < bits.count; i++) {
      const id = pool(wireAs(bits.first + i, BIT))
      row(id, id, id)
    }
    return bits
  }

  /** Adds the row a·b = c. Put the longest combination on c: only a and b weigh on proving keys and provers. */
  const assertMul = (a: LC, b: LC, c: LC): void => row(pool(a), pool(b), pool(c))

  const one = pool(ONE)
  const ZERO_LC = constant(0)

  const mulAdd = (a: LC, b: LC, c: LC, proven: Range | null = null): LC => {
    const [ka, kb] = [constantValue(a), constantValue(b)]
    if (ka !== undefined || kb !== undefined) {
      const sum = combine([ka === undefined ? [kb!, a] : [ka, b], [1, c]])
      return proven === null ? sum : { ...sum, range: fitting(proven.lo, proven.hi, 'proven range') }
    }
    let range = proven
    if (range === null && a.range !== null && b.range !== null && c.range !== null) {
      const ends = [a.range.lo * b.range.lo, a.range.lo * b.range.hi, a.range.hi * b.range.lo, a.range.hi * b.range.hi]
      const lo = ends.reduce((m, x) => (x < m ? x : m)) + c.range.lo
      range = fitting(lo, ends.reduce((m, x) => (x > m ? x : m)) + c.range.hi, 'product')
    }
    const out = inner(range)
    const y = wireAs(out, range)
    const [ida, idb] = [pool(a), pool(b)]
    if (c.wires.length === 0) {
      for (const word of [MUL, out, ida, idb]) program.push(word)
      row(ida, idb, pool(y))
    } else {
      for (const word of [MUL_ADD, out, ida, idb, pool(c)]) program.push(word)
      row(
        ida,
        idb,
        pool(
          combine([
            [1, y],
            [-1, c],
          ]),
        ),
      )
    }
    return y
  }

  const tableOf = (table: readonly number[]): number => {
    const key = table.join()
    let index = tableIndex.get(key)
    if (index === undefined) {
      index = tables.push(table) - 1
      tableIndex.set(key, index)
    }
    return index
  }

  return {
    F,
    ONE,
    constant,
    constantValue,
    combine,

    /** Sum of combinations. Free. */
    add: (...terms: readonly LC[]): LC => combine(terms.map((x) => [1, x] as const)),
    sub: (a: LC, b: LC): LC =>
      combine([
        [1, a],
        [-1, b],
      ]),
    scale: (k: number | bigint, x: LC): LC => combine([[k, x]]),

    /** Every output of a linear map with integer weights. Free; one combination per output. */
    linear: (map: LinearMap, xs: readonly LC[]): LC[] => {
      const simple = xs.every((x) => x.wires.length === 1 && x.wires[0] !== 0 && x.coefficients[0] === UNIT)
      const distinct = simple && new Set(xs.map((x) => x.wires[0])).size === xs.length
      const bounded = xs.every((x) => isSafe(x.range))
      const ranges = bounded ? xs.map((x) => x.range!) : []
      const los = Float64Array.from(ranges, ({ lo }) => Number(lo))
      const his = Float64Array.from(ranges, ({ hi }) => Number(hi))
      const magnitudes = Float64Array.from(ranges, (range) => Number(magnitude(range)))
      const positions = new Int32Array(map.maxTerms)
      const weights = new Float64Array(map.maxTerms)
      const out: LC[] = new Array(map.outputs)
      for (let j = 0; j < map.outputs; j++) {
        const count = map.terms(j, positions, weights)
        const bias = map.bias(j)
        // `peak` bounds every partial sum of both ends
        let [lo, hi, peak] = [bias, bias, Math.abs(bias)]
        if (distinct && bounded) {
          const outWires: number[] = []
          const coefficients: number[] = []
          if (bias !== 0) {
            outWires.push(0)
            coefficients.push(intern(bias))
          }
          let ascending = true
          let last = 0
          for (let i = 0; i < count; i++) {
            const weight = weights[i]!
            if (weight === 0) continue
            const position = positions[i]!
            const wire = xs[position]!.wires[0]!
            if (wire <= last) ascending = false
            last = wire
            outWires.push(wire)
            coefficients.push(intern(weight))
            lo += weight * (weight < 0 ? his[position]! : los[position]!)
            hi += weight * (weight < 0 ? los[position]! : his[position]!)
            peak += Math.abs(weight) * magnitudes[position]!
          }
          if (ascending && peak <= Number.MAX_SAFE_INTEGER) {
            out[j] = { wires: outWires, coefficients, range: fitting(BigInt(lo), BigInt(hi), 'sum') }
            continue
          }
        }
        const terms: (readonly [number, LC])[] = [[1, constant(bias)]]
        for (let i = 0; i < count; i++) terms.push([weights[i]!, xs[positions[i]!]!])
        out[j] = combine(terms)
      }
      return out
    },

    /** A public output wire. Its value is set by `bindOutput`, which must follow. */
    output: (): Wire => {
      if (stage !== 'output') throw new CircuitError('circuit/order', 'public outputs must be declared first')
      counts.output++
      return allocate(null)
    },

    /** Sets output wire `wire` to x. One row, x on its c side. */
    bindOutput: (wire: Wire, x: LC): void => {
      if (wire < 1 || wire > counts.output || boundOutputs.has(wire))
        throw new CircuitError('circuit/order', `wire ${wire} is no unbound output`, { wire })
      boundOutputs.add(wire)
      wireMagnitude[wire] = isSafe(x.range) ? Number(magnitude(x.range)) : Number.POSITIVE_INFINITY
      const id = pool(x)
      program.push(ASSIGN)
      program.push(wire)
      program.push(id)
      row(pool(wireAs(wire, x.range)), one, id)
    },

    /**
     * An input wire, as any field element: `rangeCheck` gives it a range. `honest` is what the solver accepts, null for any
     * field element.
     */
    input: (visibility: 'public' | 'private', honest: Range | null): LC => wireAs(declare(visibility, honest), null),

    /** Private inputs that are the bits of a number, each proven to be 0 or 1 (b·b = b). Rows: count. */
    inputBits: (count: number): Bits => {
      const first = wires
      for (let i = 0; i < count; i++) declare('private', BIT)
      return boolean({ first, count })
    },

    /** The row a·b = c. */
    assertMul,

    /** The row a·1 = b. */
    assertEqual: (a: LC, b: LC): void => row(pool(a), one, pool(b)),

    /** a·b. One row, or none when either side is constant. */
    mul: (a: LC, b: LC): LC => mulAdd(a, b, ZERO_LC, null),

    /**
     * y = a·b + c. One row a·b = y - c, or none when a or b is constant. `proven` is a range of y that the caller's
     * constraints prove, where it is narrower than what interval arithmetic gives.
     */
    mulAdd,

    /**
     * A wire that equals x: worth its row where x has many terms and is used often. Constants and single wires are
     * returned as they are.
     */
    materialise: (x: LC): LC => {
      if (constantValue(x) !== undefined || (x.wires.length === 1 && x.coefficients[0] === UNIT)) return x
      const out = inner(x.range)
      const id = pool(x)
      for (const word of [ASSIGN, out, id]) program.push(word)
      const result = wireAs(out, x.range)
      row(pool(result), one, id)
      return result
    },

    /**
     * `count` wires with the low bits of x, each proven to be 0 or 1 (b·b = b); their weighted sum is not yet tied to x.
     * Rows: count.
     */
    bits: (x: LC, count: number): Bits => {
      const first = wires
      for (let i = 0; i < count; i++) inner(BIT)
      if (count > 0) for (const word of [BITS, first, count, pool(x)]) program.push(word)
      return boolean({ first, count })
    },

    /** Bit i as a combination. */
    bit: (bits: Bits, i: number): LC => wireAs(bits.first + i, BIT),

    /** Σ 2^(i-from) · bit i for i in [from, to). Free. */
    fromBits: (bits: Bits, from = 0, to = bits.count): LC => {
      const outWires: number[] = []
      const coefficients: number[] = []
      for (let i = from; i < to; i++) {
        outWires.push(bits.first + i)
        coefficients.push(intern(i - from < 53 ? 2 ** (i - from) : 1n << BigInt(i - from)))
      }
      return { wires: outWires, coefficients, range: fitting(0n, (1n << BigInt(Math.max(to - from, 0))) - 1n, 'bits') }
    },

    /** Number of ones among bits [from, to). Free. */
    countOnes: (bits: Bits, from: number, to: number): LC => {
      const n = Math.max(to - from, 0)
      return {
        wires: Array.from({ length: n }, (_, i) => bits.first + from + i),
        coefficients: new Array<number>(n).fill(UNIT),
        range: { lo: 0n, hi: BigInt(n) },
      }
    },

    /** Wires that the solver fills by a named hint. Unconstrained: the caller pins every one of them. */
    hint: (
      name: HintName,
      inputs: readonly LC[],
      count: number,
      options: { readonly params?: readonly number[]; readonly honest: Range | null },
    ): LC[] => {
      const first = wires
      for (let i = 0; i < count; i++) inner(options.honest)
      let index = hintNames.indexOf(name)
      if (index < 0) index = hintNames.push(name) - 1
      const ids = inputs.map(pool)
      for (const word of [HINT, first, count, index, tableOf(options.params ?? []), ids.length, ...ids])
        program.push(word)
      return Array.from({ length: count }, (_, i) => wireAs(first + i, null))
    },

    /**
     * The same combination with a range that the caller's constraints prove. Only gadgets may call this, each with its
     * argument written beside it.
     */
    proven: (x: LC, lo: bigint, hi: bigint): LC => ({ ...x, range: fitting(lo, hi, 'proven range') }),

    /** Labels the rows made inside, for errors and cost reports: `conv1/requantise`. */
    scope: <T>(label: string, body: () => T): T => {
      const outer = scope
      const path = scopes[outer] === '' ? label : `${scopes[outer]}/${label}`
      let index = scopeIndex.get(path)
      if (index === undefined) {
        index = scopes.push(path) - 1
        scopeIndex.set(path, index)
      }
      scope = index
      try {
        return body()
      } finally {
        scope = outer
      }
    },

    /** Rows so far. */
    rows: (): number => rowScope.length,

    /** The finished circuit. Throws when an output was never bound. */
    build: (): Circuit => {
      if (boundOutputs.size !== counts.output)
        throw new CircuitError('circuit/order', `${counts.output - boundOutputs.size} public outputs were never bound`)
      return {
        prime: F.p,
        wires,
        publicOutputs: counts.output,
        publicInputs: counts.public,
        privateInputs: counts.private,
        rows: rowScope.length,
        lcStart: lcStart.toArray(),
        lcWire: lcWire.toArray(),
        lcCoefficient: lcCoefficient.toArray(),
        lcSafe: Uint8Array.from(lcSafe.toArray()),
        coefficients: coefficientValues,
        rowLC: rowLC.toArray(),
        program: Int32Array.from(program.toArray()),
        tables,
        hintNames,
        wideWire: Uint8Array.from(wireMagnitude.subarray(0, wires), (m) => (m === Number.POSITIVE_INFINITY ? 1 : 0)),
        inputRanges: Float64Array.from(inputRanges),
        scopes,
        rowScope: rowScope.toArray(),
      }
    },
  }
}
