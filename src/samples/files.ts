import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readRegular } from '../files.ts'
import { decodeTensorProto } from '../graph/onnx.ts'
import { SampleError } from './error.ts'
import { decodeSamples, type Inputs, joinInputs, type Sample } from './samples.ts'

/** A sample with the name that its results are filed under. */
export type NamedSample = { readonly name: string; readonly sample: Sample }

/**
 * All samples of files and folders. A file is .pb, .npy or .json (see `decodeSamples`); a folder holds one sample as
 * input_0.pb, input_1.pb, … in the order of the model's inputs, or any number of sample files.
 *
 * Throws SampleError `input/unreadable` or `input/no-samples` besides what decoding throws.
 */
export async function readSamples(graph: Inputs, paths: readonly string[]): Promise<NamedSample[]> {
  const found: NamedSample[] = []
  for (const path of paths) found.push(...(await readPath(graph, path)))
  if (found.length === 0)
    throw new SampleError('input/no-samples', `no sample inputs in ${paths.join(', ') || 'nothing'}`)
  return found
}

async function readPath(graph: Inputs, path: string): Promise<NamedSample[]> {
  const info = await stat(path).catch((cause) => {
    throw unreadable(path, cause)
  })
  if (!info.isDirectory()) {
    const bytes = await read(path)
    const samples = decodeSamples(graph, { path, bytes })
    const base = baseName(path)
    return samples.map((sample, i) => ({ name: samples.length === 1 ? base : `${base}-${i}`, sample }))
  }
  const names = (await readdir(path)).sort(new Intl.Collator('en', { numeric: true }).compare)
  const protos = names.filter((name) => /^input_\d+\.pb$/.test(name))
  if (protos.length > 0) {
    const tensors = await Promise.all(protos.map(async (name) => decodeTensorProto(await read(join(path, name)))))
    return [{ name: baseName(path), sample: joinInputs(graph, tensors, path) }]
  }
  const files = names.filter((name) => /\.(pb|npy|json)$/i.test(name))
  return (await Promise.all(files.map((name) => readPath(graph, join(path, name))))).flat()
}

const read = (path: string): Promise<Uint8Array> =>
  readRegular(path).catch((cause) => {
    throw unreadable(path, cause)
  })

const baseName = (path: string): string =>
  path
    .replace(/[/\\]+$/, '')
    .replace(/^.*[/\\]/, '')
    .replace(/\.[^.]+$/, '')

const unreadable = (path: string, cause: unknown): SampleError =>
  new SampleError('input/unreadable', `${path} can't be read: ${(cause as Error).message}`, { cause })
