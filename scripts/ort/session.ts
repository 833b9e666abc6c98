import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import type { DType, Tensor } from '../../src/tensor.ts'

/** A model in onnxruntime: a function from tensors to tensors, by name. */
export type Session = {
  readonly run: (inputs: ReadonlyMap<string, Tensor>) => Promise<ReadonlyMap<string, Tensor>>
  readonly close: () => Promise<void>
}

/**
 * Opens a model. `fused`: what stands between DequantizeLinear and QuantizeLinear is computed with integers. By default int8 may
 * become float32 sums on x86, which round where integers do not: results next to a half then differ by a step. `apart`: every
 * operator by itself, as the file has it.
 */
export async function openSession(onnx: Uint8Array, how: 'fused' | 'apart' = 'fused'): Promise<Session> {
  const session = await InferenceSession.create(onnx, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    graphOptimizationLevel: how === 'fused' ? 'all' : 'disabled',
    extra: { session: { qdqisint8allowed: '1' } },
  })
  return {
    async run(inputs) {
      const results = await session.run(Object.fromEntries([...inputs].map(([name, x]) => [name, toOrt(x)])))
      return new Map(Object.entries(results).map(([name, y]) => [name, fromOrt(name, y)]))
    },
    close: () => session.release(),
  }
}

/** Element types that quantised models take and give, as onnxruntime holds them. */
const arrays = {
  float32: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
} as const

type Held = keyof typeof arrays

const isHeld = (dtype: string): dtype is Held => dtype in arrays

function held(name: string, dtype: DType | string): Held {
  if (!isHeld(dtype)) throw new TypeError(`${name}: tensors of ${dtype} are not passed to onnxruntime here`)
  return dtype
}

function toOrt({ dtype, shape, data }: Tensor): OrtTensor {
  const type = held('input', dtype)
  return new OrtTensor(type, arrays[type].from(data), shape)
}

function fromOrt(name: string, { type, dims, data }: OrtTensor): Tensor {
  return { dtype: held(name, type), shape: dims, data: Float64Array.from(data as ArrayLike<number>) }
}
