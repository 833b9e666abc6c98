/**
 * A small encoder of WebAssembly: just the instructions that the kernels use, as functions from operands to bytes.
 * Source: the core specification 2.0 with the proposals threads (shared memory) and relaxed SIMD.
 * @module
 */

/** Instructions as nested lists of bytes, in the order of the binary format. */
export type Code = number | readonly Code[]

export type ValueType = 'i32' | 'i64' | 'f64' | 'v128'

const TYPES: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b }

export type Local = { readonly index: number }

/** A function of the module: call it with `call`. */
export type Func = { readonly index: number }

/** A place in memory: a base, evaluated at each use, and a constant offset. */
export type Address = { readonly base: Code; readonly offset: number }

export const at = (base: Code | Local, offset = 0): Address => ({ base: isLocal(base) ? get(base) : base, offset })

export const plus = ({ base, offset }: Address, bytes: number): Address => ({ base, offset: offset + bytes })

/** The address as a value. */
export const addressOf = ({ base, offset }: Address): Code => (offset === 0 ? base : i32.add(base, i32.const(offset)))

const isLocal = (value: Code | Local): value is Local => typeof value === 'object' && 'index' in value

function leb(value: number | bigint): number[] {
  const bytes: number[] = []
  let rest = BigInt(value)
  for (;;) {
    const low = Number(rest & 127n)
    rest >>= 7n
    if (rest === 0n) return [...bytes, low]
    bytes.push(low | 128)
  }
}

function signedLeb(value: number | bigint): number[] {
  const bytes: number[] = []
  let rest = BigInt(value)
  for (;;) {
    const low = Number(rest & 127n)
    rest >>= 7n
    if ((rest === 0n && low < 64) || (rest === -1n && low >= 64)) return [...bytes, low]
    bytes.push(low | 128)
  }
}

const le64 = (bits: bigint): number[] => Array.from({ length: 8 }, (_, i) => Number((bits >> BigInt(8 * i)) & 255n))

/** The pattern of a double. */
export function bitsOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  return view.getBigUint64(0)
}

const plain =
  (...opcode: number[]) =>
  (...operands: Code[]): Code => [operands, opcode]
const simd = (opcode: number) => plain(0xfd, ...leb(opcode))

/** A load or store: the operands begin with the address; `align` is log2 of the alignment that is promised. */
const memory =
  (opcode: readonly number[], align: number) =>
  ({ base, offset }: Address, ...operands: Code[]): Code => [base, operands, opcode, leb(align), leb(offset)]
const simdMemory = (opcode: number, align = 3) => memory([0xfd, ...leb(opcode)], align)
const simdLane =
  (opcode: number) =>
  (lane: number, { base, offset }: Address, vector: Code): Code => [
    [base, vector, 0xfd, leb(opcode), leb(3), leb(offset)],
    lane,
  ]

export const get = ({ index }: Local): Code => [0x20, leb(index)]
export const set = ({ index }: Local, value: Code): Code => [value, 0x21, leb(index)]
export const tee = ({ index }: Local, value: Code): Code => [value, 0x22, leb(index)]
export const call = ({ index }: Func, ...operands: Code[]): Code => [operands, 0x10, leb(index)]
export const drop = plain(0x1a)
/** The first operand if the third is not 0, else the second. */
export const select = plain(0x1b)
export const ret = plain(0x0f)

export const i32 = {
  const: (value: number): Code => [0x41, signedLeb(value | 0)],
  eqz: plain(0x45),
  eq: plain(0x46),
  ne: plain(0x47),
  ltU: plain(0x49),
  gtU: plain(0x4b),
  leU: plain(0x4d),
  geU: plain(0x4f),
  add: plain(0x6a),
  sub: plain(0x6b),
  mul: plain(0x6c),
  and: plain(0x71),
  or: plain(0x72),
  xor: plain(0x73),
  shl: plain(0x74),
  shrU: plain(0x76),
  wrap: plain(0xa7),
  load: memory([0x28], 2),
  store: memory([0x36], 2),
}

export const i64 = {
  const: (value: bigint): Code => [0x42, signedLeb(BigInt.asIntN(64, value))],
  eqz: plain(0x50),
  eq: plain(0x51),
  ltS: plain(0x53),
  gtU: plain(0x56),
  ltU: plain(0x54),
  add: plain(0x7c),
  sub: plain(0x7d),
  mul: plain(0x7e),
  and: plain(0x83),
  or: plain(0x84),
  xor: plain(0x85),
  shl: plain(0x86),
  shrS: plain(0x87),
  shrU: plain(0x88),
  extendI32U: plain(0xad),
  extendI32S: plain(0xac),
  truncF64: plain(0xb0),
  reinterpretF64: plain(0xbd),
  load: memory([0x29], 3),
  loadUnaligned: memory([0x29], 0),
  store: memory([0x37], 3),
  load32U: memory([0x35], 2),
  store32: memory([0x3e], 2),
}

export const f64 = {
  const: (value: number): Code => [0x44, le64(bitsOf(value))],
  lt: plain(0x63),
  abs: plain(0x99),
  neg: plain(0x9a),
  nearest: plain(0x9e),
  add: plain(0xa0),
  sub: plain(0xa1),
  mul: plain(0xa2),
  convertI64S: plain(0xb9),
  load: memory([0x2b], 3),
  store: memory([0x39], 3),
}

export const v128 = {
  /** Both lanes the same 64 bits. */
  const: (bits: bigint): Code => [0xfd, 12, le64(bits), le64(bits)],
  load: simdMemory(0),
  load64Splat: simdMemory(10),
  load64Zero: simdMemory(0x5d),
  store: simdMemory(11),
  load64Lane: simdLane(0x57),
  store64Lane: simdLane(0x5b),
  and: simd(78),
  or: simd(80),
  xor: simd(81),
  /** Lanes of 64 bits: 0 and 1 of the first operand, 2 and 3 of the second. */
  shuffle64: (low: number, high: number, a: Code, b: Code): Code => [
    [a, b],
    0xfd,
    13,
    [low, high].flatMap((lane) => Array.from({ length: 8 }, (_, i) => 8 * lane + i)),
  ],
}

export const i64x2 = {
  splat: simd(18),
  replaceLane: (lane: number, vector: Code, value: Code): Code => [[vector, value], 0xfd, 30, lane],
  extractLane: (lane: number, vector: Code): Code => [vector, 0xfd, 29, lane],
  shl: simd(203),
  shrU: simd(205),
  add: simd(206),
}

export const f64x2 = {
  splat: simd(20),
  extractLane: (lane: number, vector: Code): Code => [vector, 0xfd, 33, lane],
  neg: simd(237),
  add: simd(240),
  sub: simd(241),
  mul: simd(242),
  /** a·b + c, rounded once where the processor fuses. */
  madd: simd(0x107),
  /** c - a·b, likewise. */
  nmadd: simd(0x108),
}

/** Runs the body, then again while the condition is not 0. */
export const doWhile = (body: Code, condition: Code): Code => [0x03, 0x40, body, condition, 0x0d, 0, 0x0b]

/** Runs the body while the condition, which is evaluated before, is not 0. */
export const whileLoop = (condition: Code, body: Code): Code => [
  [0x02, 0x40, 0x03, 0x40, i32.eqz(condition), 0x0d, 1],
  [body, 0x0c, 0, 0x0b, 0x0b],
]

/** With a type, the value of the branch that is taken. */
export const ifElse = (condition: Code, then: Code, otherwise?: Code, type?: ValueType): Code => [
  [condition, 0x04, type === undefined ? 0x40 : TYPES[type], then],
  otherwise === undefined ? [] : [0x05, otherwise],
  0x0b,
]

export const increase = (local: Local, by: Code | number): Code =>
  set(local, i32.add(get(local), typeof by === 'number' ? i32.const(by) : by))

/** Runs the body `count` times; the count, at least 1, is used up. */
export const repeat = (count: Local, body: Code): Code => doWhile(body, tee(count, i32.sub(get(count), i32.const(1))))

/** What makes the body of one function. */
export type FunctionBuilder = {
  /** A local of its own. */
  local(type: ValueType): Local
  /** The same locals for the same name: scratch space that code fragments share. */
  scratch(name: string, type: ValueType): Local
}

/** A variable of an instance, that is of a thread, or a constant. */
export type Global = { readonly global: number }

export const getGlobal = ({ global }: Global): Code => [0x23, leb(global)]
export const setGlobal = ({ global }: Global, value: Code): Code => [value, 0x24, leb(global)]

export type ModuleBuilder = {
  /** Adds a variable of type i32, 0 at first. */
  global(): Global
  /** A constant, both lanes the same 64 bits: read anew wherever it is used, and not held in a register meanwhile. */
  constant(bits: bigint): Global
  /** Adds a function; one with a name is exported. It may call only functions that were added before. */
  func(
    name: string | undefined,
    params: readonly ValueType[],
    results: readonly ValueType[],
    body: (f: FunctionBuilder, ...params: Local[]) => Code,
  ): Func
  /** Exports a function that has no name. */
  export(name: string, func: Func): void
  /** Bytes that each instance writes at an address. */
  data(address: number, bytes: readonly number[]): void
  finish(): Uint8Array<ArrayBuffer>
}

/** A module that imports the shared memory `env.memory`. */
export function createModule(): ModuleBuilder {
  const types: string[] = []
  const typeIndex = (params: readonly ValueType[], results: readonly ValueType[]): number => {
    const list = (values: readonly ValueType[]): number[] => [values.length, ...values.map((v) => TYPES[v])]
    const text = [0x60, ...list(params), ...list(results)].join()
    const index = types.indexOf(text)
    return index < 0 ? types.push(text) - 1 : index
  }
  const functions: { readonly type: number; readonly body: Code }[] = []
  const exported: (readonly [name: string, index: number])[] = []
  const segments: Code[] = []
  const globals: Code[] = []
  const constants = new Map<bigint, Global>()
  const addGlobal = (type: ValueType, mutable: 0 | 1, value: Code): Global => ({
    global: globals.push([TYPES[type], mutable, value, 0x0b]) - 1,
  })
  return {
    global: () => addGlobal('i32', 1, i32.const(0)),
    constant(bits) {
      const known = constants.get(bits) ?? addGlobal('v128', 0, v128.const(bits))
      constants.set(bits, known)
      return known
    },
    func(name, params, results, body) {
      const extra: ValueType[] = []
      const named = new Map<string, Local>()
      const local = (type: ValueType): Local => ({ index: params.length + extra.push(type) - 1 })
      const builder: FunctionBuilder = {
        local,
        scratch(key, type) {
          const known = named.get(key) ?? local(type)
          named.set(key, known)
          return known
        },
      }
      const code = body(builder, ...params.map((_, index) => ({ index })))
      const declarations = [leb(extra.length), extra.map((type) => [1, TYPES[type]])]
      const index = functions.push({ type: typeIndex(params, results), body: [declarations, code, 0x0b] }) - 1
      if (name !== undefined) exported.push([name, index])
      return { index }
    },
    export(name, { index }) {
      exported.push([name, index])
    },
    data(address, bytes) {
      segments.push([0, i32.const(address), 0x0b, leb(bytes.length), bytes])
    },
    finish() {
      const text = (value: string): Code => [leb(value.length), [...Buffer.from(value, 'latin1')]]
      const section = (id: number, content: Code): number[] => {
        const bytes = flatten(content)
        return [id, ...leb(bytes.length), ...bytes]
      }
      const sized = (body: Code): Code => {
        const bytes = flatten(body)
        return [leb(bytes.length), bytes]
      }
      const bytes = [
        ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
        ...section(1, [leb(types.length), types.map((type) => type.split(',').map(Number))]),
        ...section(2, [1, text('env'), text('memory'), 2, 3, leb(1), leb(65536)]), // shared, up to 4 GiB
        ...section(3, [leb(functions.length), functions.map(({ type }) => leb(type))]),
        ...section(6, [leb(globals.length), globals]),
        ...section(7, [leb(exported.length), exported.map(([name, index]) => [text(name), 0, leb(index)])]),
        ...section(10, [leb(functions.length), functions.map(({ body }) => sized(body))]),
        ...section(11, [leb(segments.length), segments]),
      ]
      return Uint8Array.from(bytes)
    },
  }
}

function flatten(code: Code): number[] {
  const out: number[] = []
  const walk = (part: Code): void => {
    if (typeof part === 'number') out.push(part)
    else for (const inner of part) walk(inner)
  }
  walk(code)
  return out
}
