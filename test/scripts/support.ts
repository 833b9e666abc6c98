import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeModel, encodeTensorProto } from '../../src/graph/onnx.ts'
import { packageRoot } from '../../src/packageRoot.ts'
import type { DType, Shape, Tensor } from '../../src/tensor.ts'

export const tensor = (shape: Shape, values: readonly number[], dtype: DType = 'float32'): Tensor => ({
  ...{ dtype, shape },
  data: Float64Array.from(values),
})

export type TestSet = { readonly inputs: readonly Tensor[]; readonly outputs?: readonly (Tensor | Uint8Array)[] }

/** Writes a model's folder as ONNX's test data are. */
export function writeModel(
  folder: string,
  onnx: Uint8Array,
  sets: Readonly<Record<number, TestSet>>,
  labels?: unknown,
): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'model.onnx'), onnx)
  if (labels !== undefined) writeFileSync(join(folder, 'samples.json'), JSON.stringify(labels))
  for (const [number, { inputs, outputs = [] }] of Object.entries(sets)) {
    const set = join(folder, `test_data_set_${number}`)
    mkdirSync(set)
    for (const [k, x] of inputs.entries()) writeFileSync(join(set, `input_${k}.pb`), encodeTensorProto(x))
    for (const [k, y] of outputs.entries())
      writeFileSync(join(set, `output_${k}.pb`), y instanceof Uint8Array ? y : encodeTensorProto(y))
  }
}

/** y = relu(x) · [[1, 2], [−1, 0.5]] for x of two elements. */
export const smallModel = (shape: readonly (number | string)[] = [1, 2]): Uint8Array =>
  encodeModel({
    name: 'small',
    inputs: [{ name: 'x', shape }],
    outputs: [{ name: 'y', shape: [1, 2] }],
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['r'] },
      { op: 'MatMul', inputs: ['r', 'w'], outputs: ['y'] },
    ],
    initializers: { w: tensor([2, 2], [1, 2, -1, 0.5]) },
  })

/** A set of the small model, with what it must give. */
export const smallSet = (a: number, b: number): TestSet => {
  const [p, q] = [Math.max(a, 0), Math.max(b, 0)]
  return { inputs: [tensor([1, 2], [a, b])], outputs: [tensor([1, 2], [p - q, 2 * p + 0.5 * q])] }
}

/** Runs a script of the folder scripts/ in a process of its own. */
export const runScript = (
  name: string,
  words: readonly string[],
): Promise<{ code: number | null; out: string; err: string }> =>
  new Promise((resolve) => {
    const script = join(packageRoot, 'scripts', `${name}.ts`)
    const child = spawn(process.execPath, ['--import', 'tsx', script, ...words], { cwd: packageRoot })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    child.on('close', (code) => resolve({ code, out, err }))
  })
