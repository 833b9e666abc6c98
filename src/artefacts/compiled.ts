import { join } from 'node:path'
import { type Circuit, publicCount } from '../../circuits/circuit.ts'
import { decodeCircuit, encodeCircuit } from '../../circuits/encode.ts'
import type { Graph } from '../graph/graph.ts'
import { encodeR1cs, r1csDigest } from '../groth16/r1cs.ts'
import { decodeModelFile, encodeModelFile } from '../model/encode.ts'
import { type IntegerModel, weightsOf } from '../model/model.ts'
import { type Compiled, importGraph } from '../pipeline/compileModel.ts'
import { hex, outputPorts, signalCount, signalLayout } from '../pipeline/signals.ts'
import { fixedWeights, type WeightSet } from '../pipeline/weights.ts'
import { version } from '../version.ts'
import type { Visibility } from '../visibility.ts'
import { FILES, readArtefact, readManifest, sha256, writeDirectory } from './directory.ts'
import { ArtefactError, type Manifest } from './manifest.ts'
import { encodeWeightsFile, openOwnWeights, openWeightsOf } from './weights.ts'

/**
 * Writes what compiling made as an artefact directory, whole or not at all. Returns the manifest. Where the circuit does not
 * hold the weights, `weights.vtb` is the only file that tells them; the ONNX file is in it.
 */
export async function saveCompiled(directory: string, compiled: Compiled): Promise<Manifest> {
  const { onnx, model, circuit, scheme, visibility, report, shapes, weights } = compiled
  const [inputs, outputs, tensors] = portsOf(model, visibility)
  const modelFile = encodeModelFile(model)
  return writeDirectory(
    directory,
    {
      schema: 'veritensor/manifest@1',
      name: model.name,
      version,
      scheme,
      visibility,
      shapes,
      inputs,
      outputs,
      ...(weights === undefined ? {} : { weights: { digest: hex(weights.digest), tensors } }),
      signals: signalLayout(visibility, inputs, outputs, tensors),
      rows: circuit.rows,
      wires: circuit.wires,
      report,
    },
    {
      ...(weights === undefined
        ? { [FILES.onnx]: onnx }
        : { [FILES.weights]: encodeWeightsFile(onnx, weights, sha256(modelFile)) }),
      [FILES.model]: modelFile,
      [FILES.circuit]: encodeCircuit(circuit),
      [FILES.r1cs]: encodeR1cs(circuit),
    },
  )
}

type Ports = readonly [Manifest['inputs'], Manifest['outputs'], NonNullable<Manifest['weights']>['tensors']]

/** Inputs, outputs and tensors of weights as the manifest tells them. */
const portsOf = (model: IntegerModel, visibility: Visibility): Ports => [
  model.inputs.map(({ name, shape, scale, lo, hi, encoding }) => ({
    ...{ name, shape, scale, lo, hi },
    ...(encoding === undefined ? {} : { encoding }),
  })),
  outputPorts(visibility, model).map(({ name, shape, scale, lo, hi }) => ({
    ...{ name, shape, scale },
    ...(lo === undefined || hi === undefined ? {} : { lo, hi }),
  })),
  weightsOf(model).map(({ name, shape, scale, lo, hi }) => ({ name, shape, scale, lo, hi })),
]

/** The integer model of a directory. Throws ArtefactError `input/manifest` where the manifest tells of another one. */
export async function openModel(directory: string, manifest: Manifest): Promise<IntegerModel> {
  const model = decodeModelFile(await readArtefact(directory, manifest, FILES.model))
  const [inputs, outputs, tensors] = portsOf(model, manifest.visibility)
  const same =
    JSON.stringify(inputs) === JSON.stringify(manifest.inputs) &&
    JSON.stringify(outputs) === JSON.stringify(manifest.outputs) &&
    JSON.stringify(tensors) === JSON.stringify(manifest.weights?.tensors ?? [])
  if (!same) throw contradiction(directory, FILES.model)
  return model
}

/** The circuit of a directory. Throws likewise. */
export async function openCircuit(directory: string, manifest: Manifest): Promise<Circuit> {
  const circuit = decodeCircuit(await readArtefact(directory, manifest, FILES.circuit))
  if (publicCount(circuit) !== signalCount(manifest.signals) || circuit.rows !== manifest.rows)
    throw contradiction(directory, FILES.circuit)
  return circuit
}

/**
 * SHA-256 of the circuit's .r1cs: what names it in keys and contracts. Throws likewise where the directory's file, which keys
 * are made for, holds other rows.
 */
export function rowsDigest(directory: string, manifest: Manifest, circuit: Circuit): string {
  const digest = r1csDigest(circuit)
  if (manifest.files[FILES.r1cs] !== digest) throw contradiction(directory, FILES.r1cs)
  return digest
}

/** The integer model of a directory with the float graph that it stands for, and the weights that it takes, if it takes any. */
export type OpenedModel = {
  readonly manifest: Manifest
  readonly graph: Graph
  readonly model: IntegerModel
  readonly weights?: WeightSet
}

/**
 * Manifest, graph, model and weights of a directory; with `weights` those of another file, and where they are private with a
 * salt that `saltDrawn` is called about if the file has none.
 *
 * Throws as `openModel`, `openOwnWeights` and `openWeightsOf`, and VeritensorError `usage/weights` where weights are fixed.
 */
export async function openRunnable(
  directory: string,
  weights?: string,
  saltDrawn: (file: string) => void = () => {},
): Promise<OpenedModel> {
  const manifest = await readManifest(directory)
  const model = await openModel(directory, manifest)
  if (manifest.weights === undefined) {
    if (weights !== undefined) throw fixedWeights()
    const onnx = await readArtefact(directory, manifest, FILES.onnx)
    return { manifest, graph: importGraph(onnx, manifest.shapes), model }
  }
  const opened =
    weights === undefined
      ? await openOwnWeights(directory, manifest, model)
      : await openWeightsOf(manifest, model, weights)
  if (opened.drawn) saltDrawn(weights!)
  return { manifest, graph: opened.graph, model, weights: opened.weights }
}

/** The same with the circuit, to prove. Throws ArtefactError `usage/weights-salt` where private weights come without a salt. */
export async function openCompiled(
  directory: string,
  weights?: string,
): Promise<OpenedModel & { readonly circuit: Circuit }> {
  const opened = await openRunnable(directory, weights, (file) => {
    throw new ArtefactError('usage/weights-salt', `${file} has no salt, which the digest of private weights takes`, {
      fix: `make a file with one: veritensor commit ${directory} --weights ${file} -o weights.vtb`,
    })
  })
  return { ...opened, circuit: await openCircuit(directory, opened.manifest) }
}

const contradiction = (directory: string, file: string): ArtefactError =>
  new ArtefactError('input/manifest', `${join(directory, file)} and ${FILES.manifest} describe different models`, {
    fix: 'compile the model again',
  })
