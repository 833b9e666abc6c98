import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Dataset } from './dataset.ts'
import type { Score } from './evaluate.ts'

/**
 * `example.json` beside a bundled model. `samples.npy` [n, …] holds held-out samples, `labels[i]` being the class of
 * sample i as a position in `classes`; `calibration.npy` [m, …] holds training samples. Both are float32, in the
 * units that the model's input expects.
 */
export type Example = {
  readonly format: 'veritensor-example/1'
  readonly name: string
  readonly title: string
  /** Where the data comes from. */
  readonly data: string
  readonly input: { readonly name: string; readonly shape: readonly number[]; readonly unit: string }
  readonly output: { readonly name: string; readonly shape: readonly number[] }
  readonly classes: readonly string[]
  readonly labels: readonly number[]
  readonly training: { readonly seed: number; readonly samples: number; readonly epochs: number }
  /** The float model on the whole held-out part. */
  readonly accuracy: Score
}

/** The files of an example directory, by name. */
export type ExampleFiles = Readonly<
  Record<'model.onnx' | 'calibration.npy' | 'samples.npy' | 'example.json', Uint8Array>
>

/** One bundled example: how to train it and the data that its accuracy is measured on. */
export type ExampleSource = {
  readonly name: string
  /** The same parts every time; `test` is never trained on. */
  readonly split: () => { readonly train: Dataset; readonly test: Dataset }
  /** Trains from scratch and returns what is to be committed. */
  readonly build: (log: (line: string) => void) => ExampleFiles
}

export function writeExample(directory: string, files: ExampleFiles): void {
  mkdirSync(directory, { recursive: true })
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes)
}

export const encodeExample = (example: Example): Uint8Array =>
  Buffer.from(`${JSON.stringify(example, null, 2).replace(/\[[\s\d,]*\]/g, (list) => list.replace(/\s+/g, ' '))}\n`)
