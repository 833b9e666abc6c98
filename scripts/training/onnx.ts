import type { onnx as Onnx } from 'onnx-proto'
import onnxProto from 'onnx-proto'
import type { Shape } from '../../src/tensor.ts'
import type { LayerMaker, Parameter } from './layers.ts'
import { conv, dense, flatten, maxPool, relu } from './layers.ts'
import type { Network } from './network.ts'
import { createNetwork } from './network.ts'
import { createRandom } from './random.ts'

const { onnx } = onnxProto // the package is CommonJS, its names hidden from ESM

/** Opset of the written models. */
const opset = 13

/**
 * The network as the bytes of an ONNX model for a batch of one: every layer a node, named like its operator and
 * position (`conv0`), its parameters float32 initializers (`conv0.weight`, `conv0.bias`).
 */
export function encodeNetwork(
  network: Network,
  names: { readonly graph: string; readonly input: string; readonly output: string },
): Uint8Array {
  const node: Onnx.INodeProto[] = []
  const initializer: Onnx.ITensorProto[] = []
  network.layers.forEach(({ operation }, i) => {
    const name = `${operation.type.toLowerCase()}${i}`
    const stored = (role: string, parameter: Parameter): string => {
      initializer.push(tensorProto(`${name}.${role}`, parameter))
      return `${name}.${role}`
    }
    const inputs = [i === 0 ? names.input : node.at(-1)!.output![0]!]
    const attribute: Onnx.IAttributeProto[] = []
    switch (operation.type) {
      case 'Conv': {
        const kernel = operation.weight.shape.slice(2)
        inputs.push(stored('weight', operation.weight), stored('bias', operation.bias))
        attribute.push(integers('kernel_shape', kernel), integers('strides', [operation.stride, operation.stride]))
        break
      }
      case 'Gemm':
        inputs.push(stored('weight', operation.weight), stored('bias', operation.bias))
        attribute.push({ name: 'transB', type: onnx.AttributeProto.AttributeType.INT, i: 1 })
        break
      case 'MaxPool': {
        const window = [operation.size, operation.size]
        attribute.push(integers('kernel_shape', window), integers('strides', window))
        break
      }
    }
    const output = i === network.layers.length - 1 ? names.output : name
    node.push({ name, opType: operation.type, input: inputs, output: [output], attribute })
  })
  const model: Onnx.IModelProto = {
    irVersion: 7, // the one that came with opset 13
    opsetImport: [{ domain: '', version: opset }],
    producerName: 'veritensor',
    graph: {
      name: names.graph,
      input: [valueInfo(names.input, network.shape)],
      output: [valueInfo(names.output, network.layers.at(-1)!.shape)],
      node,
      initializer,
    },
  }
  return onnx.ModelProto.encode(model).finish()
}

const integers = (name: string, ints: readonly number[]): Onnx.IAttributeProto => ({
  name,
  type: onnx.AttributeProto.AttributeType.INTS,
  ints: [...ints],
})

const tensorProto = (name: string, { shape, value }: Parameter): Onnx.ITensorProto => ({
  name,
  dims: [...shape],
  dataType: onnx.TensorProto.DataType.FLOAT,
  rawData: littleEndianFloats(value),
})

const valueInfo = (name: string, shape: Shape): Onnx.IValueInfoProto => ({
  name,
  type: {
    tensorType: {
      elemType: onnx.TensorProto.DataType.FLOAT,
      shape: { dim: [1, ...shape].map((dimValue) => ({ dimValue })) },
    },
  },
})

/** float32 values, least significant byte first: ONNX's raw_data and npy's '<f4'. */
export function littleEndianFloats(values: ArrayLike<number>): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(values.length * 4))
  for (let i = 0; i < values.length; i++) bytes.setFloat32(i * 4, values[i]!, true)
  return new Uint8Array(bytes.buffer)
}

/** The network that `encodeNetwork` wrote. Reads no other models: it is the trainer's own check of its files. */
export function decodeNetwork(bytes: Uint8Array): Network {
  const { graph } = onnx.ModelProto.decode(bytes)
  const stored = new Map(graph!.initializer!.map((tensor) => [tensor.name!, tensor]))
  const makers = graph!.node!.map((node): LayerMaker => {
    const dims = (stored.get(node.input![1] ?? '')?.dims ?? []).map(Number)
    const ints = (name: string) => node.attribute!.find((a) => a.name === name)!.ints!.map(Number)
    switch (node.opType) {
      case 'Conv':
        return conv(dims[0]!, dims[2]!, ints('strides')[0]!)
      case 'Gemm':
        return dense(dims[0]!)
      case 'MaxPool':
        return maxPool(ints('kernel_shape')[0]!)
      case 'Relu':
        return relu()
      case 'Flatten':
        return flatten()
      default:
        throw new Error(`${node.name}: the trainer writes no ${node.opType}`)
    }
  })
  const shape = graph!.input![0]!.type!.tensorType!.shape!.dim!.slice(1).map((d) => Number(d.dimValue))
  const network = createNetwork(shape, makers, createRandom(0))
  network.layers.forEach(({ parameters }, i) => {
    parameters.forEach(({ value }, p) => {
      const raw = stored.get(graph!.node![i]!.input![1 + p]!)!.rawData!
      const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
      for (let k = 0; k < value.length; k++) value[k] = view.getFloat32(4 * k, true)
    })
  })
  return network
}
