import type { onnx as Onnx } from 'onnx-proto'
import onnxProto from 'onnx-proto'
import { describe, expect, test } from 'vitest'
import { decodeModel, decodeTensorProto, encodeModel, encodeTensorProto } from '../../src/graph/onnx.ts'
import { type DType, dtypeCodes } from '../../src/tensor.ts'
import { refusal } from '../support/errors.ts'
import { tensor } from '../support/tensors.ts'

const { onnx } = onnxProto
const { DataType } = onnx.TensorProto
const encode = (proto: Onnx.ITensorProto): Uint8Array => onnx.TensorProto.encode(proto).finish()

describe('tensors', () => {
  const extremes: Readonly<Record<DType, number[]>> = {
    bool: [0, 1],
    int8: [-128, 127],
    uint8: [0, 255],
    int16: [-32768, 32767],
    uint16: [0, 65535],
    int32: [-(2 ** 31), 2 ** 31 - 1],
    uint32: [0, 2 ** 32 - 1],
    int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, -(2 ** 63)],
    uint64: [0, Number.MAX_SAFE_INTEGER, 2 ** 63],
    float16: [0, -0, 65504, -(2 ** -24), 2 ** -14, 2 ** -14 - 2 ** -24, 1 + 2 ** -10, Number.POSITIVE_INFINITY],
    bfloat16: [0, -0, 1 + 2 ** -7, 2 ** -133, -3.3895313892515355e38, Number.NEGATIVE_INFINITY],
    float32: [0, -0, Math.fround(0.1), 2 ** -149, Number.NaN],
    float64: [0.1, Number.MAX_VALUE, Number.MIN_VALUE],
  }

  test.each(Object.entries(extremes))('%s survives encoding', (dtype, values) => {
    const t = tensor([values.length, 1], values, dtype as DType)
    expect(decodeTensorProto(encodeTensorProto(t, 'x'))).toEqual(t)
  })

  test('floats are rounded to even', () => {
    const through = (dtype: DType, v: number) => decodeTensorProto(encodeTensorProto(tensor([], [v], dtype))).data[0]
    expect([2049, 2051, 65519, 65520, 2 ** -25, 3 * 2 ** -25].map((v) => through('float16', v))).toEqual([
      2048,
      2052,
      65504,
      Number.POSITIVE_INFINITY,
      0,
      2 ** -23,
    ])
    expect([257, 259].map((v) => through('bfloat16', v))).toEqual([256, 260])
  })

  test.each<[DType, Onnx.ITensorProto, number[]]>([
    ['float32', { floatData: [0.5, -2] }, [0.5, -2]],
    ['float64', { doubleData: [0.1, -2] }, [0.1, -2]],
    ['int64', { int64Data: [-1, 2] }, [-1, 2]],
    ['uint64', { uint64Data: [1, 2] }, [1, 2]],
    ['uint32', { uint64Data: [1, 2 ** 32 - 1] }, [1, 2 ** 32 - 1]],
    ['int32', { int32Data: [-1, 2] }, [-1, 2]],
    ['uint8', { int32Data: [0, 255] }, [0, 255]],
    ['bool', { int32Data: [0, 1] }, [0, 1]],
    ['float16', { int32Data: [0x3c00, 0xc000] }, [1, -2]],
    ['bfloat16', { int32Data: [0x3f80, 0xc000] }, [1, -2]],
  ])('%s in its typed field', (dtype, field, values) => {
    const bytes = encode({ dims: [2], dataType: dtypeCodes[dtype], ...field })
    expect(decodeTensorProto(bytes)).toEqual(tensor([2], values, dtype))
  })

  test.each<[string, Onnx.ITensorProto, string]>([
    [
      'a missing type',
      { dims: [] },
      'model/element-type: tensor "w" has the element type undefined, which is not supported',
    ],
    [
      'strings',
      { dims: [1], dataType: DataType.STRING, stringData: [new Uint8Array()] },
      'model/element-type: tensor "w" has the element type string, which is not supported',
    ],
    [
      'an unknown type',
      { dims: [1], dataType: 99 as Onnx.TensorProto.DataType },
      'model/element-type: tensor "w" has the element type number 99, which is not supported',
    ],
    [
      'data elsewhere',
      { dims: [1], dataType: DataType.FLOAT, dataLocation: onnx.TensorProto.DataLocation.EXTERNAL },
      'model/external-data: tensor "w" keeps its data in another file',
    ],
    [
      'too few bytes',
      { dims: [2], dataType: DataType.FLOAT, rawData: new Uint8Array(7) },
      'model/tensor: tensor "w" has 7 bytes; [2] float32 takes 8',
    ],
    [
      'too many values',
      { dims: [], dataType: DataType.FLOAT, floatData: [1, 2] },
      'model/tensor: tensor "w" has 2 values; its shape [] takes 1',
    ],
    [
      'values outside the type',
      { dims: [1], dataType: DataType.INT8, int32Data: [128] },
      'model/tensor: tensor "w" has the value 128, outside the range of int8',
    ],
    [
      'a negative size',
      { dims: [-1], dataType: DataType.FLOAT },
      'model/tensor: tensor "w" has the shape [-1] (at most 134217728 elements are supported)',
    ],
    [
      'a size that overflows',
      { dims: [2 ** 20, 2 ** 20, 2 ** 20, 2 ** 20], dataType: DataType.FLOAT },
      'model/tensor: tensor "w" has the shape [1048576, 1048576, 1048576, 1048576] (at most 134217728 elements are supported)',
    ],
    [
      'a huge size beside a zero',
      { dims: [0, 2 ** 40], dataType: DataType.FLOAT },
      'model/tensor: tensor "w" has the shape [0, 1099511627776] (at most 134217728 elements are supported)',
    ],
    [
      'segments',
      { dims: [1], dataType: DataType.FLOAT, segment: { begin: 0, end: 1 } },
      'model/tensor: tensor "w" is stored in segments, which is not supported',
    ],
  ])('refuse %s', (_, proto, message) => {
    expect(refusal(() => decodeTensorProto(encode({ name: 'w', ...proto })))).toBe(message)
  })

  test('bytes that are no tensor', () => {
    expect(refusal(() => decodeTensorProto(Uint8Array.of(0xff, 0xff)))).toBe(
      'model/not-onnx: the 2 bytes are not an ONNX tensor',
    )
  })
})

describe('models', () => {
  test('survive encoding', () => {
    const w = tensor([2], [1, 2])
    const bytes = encodeModel({
      name: 'g',
      opset: 12,
      opsets: { 'ai.onnx.ml': 2 },
      inputs: [{ name: 'x', dtype: 'int64', shape: ['batch', 2] }],
      outputs: [{ name: 'y' }],
      nodes: [
        {
          op: 'Foo',
          name: 'foo',
          domain: 'mine',
          inputs: ['x', '', 'w'],
          outputs: ['y'],
          attributes: {
            a: { int: -3 },
            b: { ints: [1, 2] },
            c: { float: 0.5 },
            d: { floats: [1.5] },
            e: { string: 'é' },
            f: { strings: ['p', 'q'] },
            g: { tensor: w },
          },
        },
      ],
      initializers: { w },
    })
    expect(decodeModel(bytes)).toEqual({
      opsets: new Map([
        ['', 12],
        ['ai.onnx.ml', 2],
      ]),
      graph: 'g',
      nodes: [
        {
          name: 'foo',
          op: 'Foo',
          domain: 'mine',
          inputs: ['x', '', 'w'],
          outputs: ['y'],
          attributes: { a: -3, b: [1, 2], c: 0.5, d: [1.5], e: 'é', f: ['p', 'q'], g: w },
        },
      ],
      initializers: new Map([['w', w]]),
      strings: new Set(),
      inputs: [{ name: 'x', dtype: 'int64', dims: ['batch', 2] }],
      outputs: ['y'],
      functions: new Set(),
    })
  })

  test('an attribute may be called like a property of every object', () => {
    const bytes = encodeModel({
      inputs: [],
      outputs: [],
      nodes: [{ op: 'Relu', inputs: [], outputs: [], attributes: { ['__proto__']: { int: 1 } } }],
    })
    expect(Object.keys(decodeModel(bytes).nodes[0]!.attributes)).toEqual(['__proto__'])
  })

  const graph = (fields: Onnx.IGraphProto, model: Onnx.IModelProto = {}): Uint8Array =>
    onnx.ModelProto.encode({ opsetImport: [{ domain: '', version: 13 }], ...model, graph: fields }).finish()
  const node = (attribute: Onnx.IAttributeProto[]): Uint8Array =>
    graph({ node: [{ name: 'n', opType: 'If', attribute }] })
  const { AttributeType } = onnx.AttributeProto

  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'model/not-onnx: the file holds no ONNX graph'],
    ['text', new TextEncoder().encode('<html></html>'), 'model/not-onnx: the 13 bytes are not an ONNX model'],
    [
      'a graph as an attribute',
      node([{ name: 'then_branch', type: AttributeType.GRAPH, g: {} }]),
      'model/unsupported: If "n": then_branch = "graph" is not supported (supported: numbers, strings, tensors)',
    ],
    [
      'a graph as an attribute without a type',
      node([{ name: 'body', g: {} }]),
      'model/unsupported: If "n": body = "undefined" is not supported (supported: numbers, strings, tensors)',
    ],
    [
      'an attribute type that does not exist',
      node([{ name: 'a', type: 77 as Onnx.AttributeProto.AttributeType }]),
      'model/unsupported: If "n": a = "type 77" is not supported (supported: numbers, strings, tensors)',
    ],
    [
      'an attribute given twice',
      node([
        { name: 'a', type: AttributeType.INT, i: 1 },
        { name: 'a', type: AttributeType.INT, i: 2 },
      ]),
      'model/duplicate-attribute: If "n": attribute "a" is given twice',
    ],
    [
      'sparse initializers',
      graph({ sparseInitializer: [{}] }),
      'model/sparse-tensor: the model has sparse initializers',
    ],
    [
      'an initializer given twice',
      graph({ initializer: [1, 2].map(() => ({ name: 'w', dataType: 1, floatData: [1] })) }),
      'model/duplicate-value: the value "w" is defined twice',
    ],
    [
      'an input that is a sequence',
      graph({ input: [{ name: 'x', type: { sequenceType: {} } }] }),
      'model/input-type: input "x" is not a tensor',
    ],
    [
      'two versions of one operator set',
      graph({}, { opsetImport: [{ version: 12 }, { domain: 'ai.onnx', version: 13 }] }),
      'model/opset: the model imports two versions of the operator set "ai.onnx"',
    ],
  ])('refuse %s', (_, bytes, message) => {
    expect(refusal(() => decodeModel(bytes))).toBe(message)
  })

  test('messages nested 100,000 deep', () => {
    // a group (wire type 3) in a group in a group …, which a decoder skips recursively
    expect(refusal(() => decodeModel(new Uint8Array(100_000).fill(((100 << 3) & 0x7f) | 3)))).toMatch(
      /^model\/not-onnx/,
    )
  })
})
