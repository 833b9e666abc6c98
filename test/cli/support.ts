import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { encodeModel, encodeTensorProto } from '../../src/graph/onnx.ts'
import type { Tensor } from '../../src/tensor.ts'
import { seeded } from '../support/random.ts'

/** What a run of the command line printed, and its exit code. */
export type Ran = { readonly code: number; readonly out: readonly string[]; readonly err: string }

/** Runs the command line within this process. */
export async function cli(...words: readonly string[]): Promise<Ran> {
  const out: string[] = []
  let err = ''
  const code = await main(words, {
    out: (text) => out.push(text),
    err: {
      isTTY: false,
      columns: 80,
      write: (text: string) => {
        err += text
      },
    },
  })
  return { code, out, err }
}

// biome-ignore lint/suspicious/noExplicitAny: each command has its own schema
export type Json = any

/** The same with --json: the exit code and the one line's object. */
export async function json(...words: readonly string[]): Promise<{ readonly code: number; readonly json: Json }> {
  const { code, out } = await cli(...words, '--json', '--quiet')
  if (out.length !== 1 || out[0]!.includes('\n')) throw new Error(`not one line: ${JSON.stringify(out)}`)
  return { code, json: JSON.parse(out[0]!) }
}

/** A folder that goes away after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'veritensor-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const float32 = (shape: readonly number[], data: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float64Array.from(data),
})

/** Two dense layers with a ReLU between them: x [1, 4] → hidden → logits [1, 3]. */
export function tinyModel(hidden = 3, seed = 5): Uint8Array {
  const random = seeded(seed)
  const weights = (...shape: number[]): Tensor =>
    float32(
      shape,
      Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => random.normal()),
    )
  return encodeModel({
    name: 'tiny',
    inputs: [{ name: 'x', shape: [1, 4] }],
    outputs: [{ name: 'logits', shape: [1, 3] }],
    nodes: [
      { op: 'Gemm', name: 'dense', inputs: ['x', 'w1', 'b1'], outputs: ['h'] },
      { op: 'Relu', name: 'relu', inputs: ['h'], outputs: ['r'] },
      { op: 'Gemm', name: 'head', inputs: ['r', 'w2', 'b2'], outputs: ['logits'] },
    ],
    initializers: { w1: weights(4, hidden), b1: weights(hidden), w2: weights(hidden, 3), b2: weights(3) },
  })
}

/** Inputs of the tiny model with elements in [-1, 1]. */
export function tinyInputs(count: number, seed = 7): number[][] {
  const random = seeded(seed)
  return Array.from({ length: count }, () => Array.from({ length: 4 }, () => 2 * random.unit() - 1))
}

/** Writes the tiny model and its inputs: model.onnx, calibration.json (32 of them) and inputs.json (3 of them). */
export function tinyFiles(folder: string, hidden?: number) {
  const at = (name: string): string => join(folder, name)
  const files = {
    model: at('model.onnx'),
    calibration: at('calibration.json'),
    inputs: at('inputs.json'),
    proto: at('single.pb'),
  }
  writeFileSync(files.model, tinyModel(hidden))
  // the corners keep other inputs within the calibrated range
  writeFileSync(files.calibration, JSON.stringify([[1, 1, 1, 1], [-1, -1, -1, -1], ...tinyInputs(30)]))
  writeFileSync(files.inputs, JSON.stringify(tinyInputs(3, 8)))
  writeFileSync(files.proto, encodeTensorProto(float32([1, 4], tinyInputs(1, 9)[0]!)))
  return { ...files, at }
}

/** Compiles the tiny model. */
export async function compileTiny(folder: string, directory: string, ...more: readonly string[]): Promise<string> {
  const { model, calibration } = tinyFiles(folder)
  const dir = join(folder, directory)
  const { code, err } = await cli('compile', model, '-o', dir, '--calibrate', calibration, ...more)
  if (code !== 0) throw new Error(err)
  return dir
}
