/**
 * Weight sets as files: `weights.vtb` of a directory whose circuit does not hold the weights, and such files for other sets.
 * They hold the ONNX file, the integers and the salt: all that is secret where weights are, and the only file that is.
 * @module
 */
import { join } from 'node:path'
import { decodeContainer, encodeContainer, isContainer } from '../../circuits/container.ts'
import { readRegular } from '../files.ts'
import type { Graph } from '../graph/graph.ts'
import { R } from '../groth16/bn254.ts'
import { type IntegerModel, weightsOf } from '../model/model.ts'
import { importGraph } from '../pipeline/compileModel.ts'
import { hex } from '../pipeline/signals.ts'
import { type WeightSet, weightSetOf, weightSetOfGraph } from '../pipeline/weights.ts'
import { weightVisibility } from '../visibility.ts'
import { FILES, readArtefact } from './directory.ts'
import { ArtefactError, type Manifest } from './manifest.ts'

const KIND = 'veritensor-weights'
const VERSION = 1

/** A weight set with the file it was made of, and the float graph of that. */
export type OpenedWeights = {
  readonly onnx: Uint8Array
  readonly graph: Graph
  readonly weights: WeightSet
  /** The salt is a fresh one that no file holds. */
  readonly drawn: boolean
}

/** A weight set as bytes. `model` is the SHA-256 of the integer model's file, whose scales the integers have. */
export function encodeWeightsFile(onnx: Uint8Array, { integers, salt }: WeightSet, model: string): Uint8Array {
  const arrays = Object.fromEntries(integers.map((tensor, i) => [`w${i}`, tensor]))
  const header = { model, tensors: integers.length, ...(salt === undefined ? {} : { salt: hex(salt) }) }
  return encodeContainer(KIND, VERSION, header, { onnx: Uint8Array.from(onnx), ...arrays })
}

/** The weights that a directory was compiled with. Throws ArtefactError `input/missing-file`, `input/weights-file`. */
export async function openOwnWeights(
  directory: string,
  manifest: Manifest,
  model: IntegerModel,
): Promise<OpenedWeights> {
  const path = join(directory, FILES.weights)
  const opened = decodeWeightsFile(await readArtefact(directory, manifest, FILES.weights), manifest, model, path)
  if (hex(opened.weights.digest) !== manifest.weights?.digest)
    throw malformed(path, `its digest is not that of ${FILES.manifest}`)
  return opened
}

/**
 * The weight set of a file: one that `encodeWeightsFile` made, or the ONNX file of another model of the architecture, to which
 * a salt is drawn where the digest takes one and none is given.
 *
 * Throws ArtefactError `input/unreadable`, `input/weights-file`, and what importing a file, `weightSetOf` and
 * `weightSetOfGraph` throw.
 */
export async function openWeightsOf(
  manifest: Manifest,
  model: IntegerModel,
  file: string,
  salt?: bigint,
): Promise<OpenedWeights> {
  const { visibility } = manifest
  const bytes = await readRegular(file).catch((cause) => {
    throw new ArtefactError('input/unreadable', `${file} can't be read: ${(cause as Error).message}`, { cause })
  })
  if (isContainer(bytes)) {
    const opened = decodeWeightsFile(bytes, manifest, model, file)
    if (salt !== undefined && salt !== opened.weights.salt)
      throw malformed(file, 'it has another salt than the one given')
    return opened
  }
  const graph = importGraph(bytes, manifest.shapes)
  const drawn = salt === undefined && weightVisibility(visibility) === 'private'
  return { onnx: bytes, graph, weights: weightSetOfGraph({ model, visibility }, graph, salt), drawn }
}

/** The weight set of such a file, which may be hostile. */
function decodeWeightsFile(bytes: Uint8Array, manifest: Manifest, model: IntegerModel, path: string): OpenedWeights {
  const { header, arrays } = decodeContainer(KIND, bytes, VERSION)
  const fields = (typeof header === 'object' && header !== null ? header : {}) as Readonly<Record<string, unknown>>
  if (fields.model !== manifest.files[FILES.model])
    throw malformed(
      path,
      `its integers are for another ${FILES.model}`,
      'make it again: veritensor commit DIR --weights',
    )
  const { onnx } = arrays
  const integers = weightsOf(model).map((_, i) => arrays[`w${i}`])
  const isTensor = (array: unknown): array is Float64Array => array instanceof Float64Array
  if (!(onnx instanceof Uint8Array) || !integers.every(isTensor) || fields.tensors !== integers.length)
    throw malformed(path, 'tensors are missing')
  const { salt } = fields
  const given = typeof salt === 'string' && /^0x[0-9a-f]{64}$/.test(salt) ? BigInt(salt) : undefined
  const needed = weightVisibility(manifest.visibility) === 'private'
  if (needed !== (given !== undefined) || (salt !== undefined && !needed) || (given !== undefined && given >= R))
    throw malformed(path, needed ? 'the salt is missing or no field element' : 'it has a salt, the circuit takes none')
  return {
    onnx,
    graph: importGraph(onnx, manifest.shapes),
    weights: weightSetOf(model, manifest.visibility, integers, given),
    drawn: false,
  }
}

const malformed = (path: string, why: string, fix?: string): ArtefactError =>
  new ArtefactError('input/weights-file', `${path}: ${why}`, fix === undefined ? {} : { fix })
