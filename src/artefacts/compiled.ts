import { join } from 'node:path'
import { type Circuit, publicCount } from '../../circuits/circuit.ts'
import { decodeCircuit, encodeCircuit } from '../../circuits/encode.ts'
import type { Graph } from '../graph/graph.ts'
import { encodeR1cs, r1csDigest } from '../groth16/r1cs.ts'
import { decodeModelFile, encodeModelFile } from '../model/encode.ts'
import type { IntegerModel } from '../model/model.ts'
import { type Compiled, importGraph } from '../pipeline/compileModel.ts'
import { outputPorts, signalLayout } from '../pipeline/signals.ts'
import { version } from '../version.ts'
import type { Visibility } from '../visibility.ts'
import { FILES, readArtefact, readManifest, writeDirectory } from './directory.ts'
import { ArtefactError, type Manifest } from './manifest.ts'

/** Writes what compiling made as an artefact directory, whole or not at all. Returns the manifest. */
export async function saveCompiled(directory: string, compiled: Compiled): Promise<Manifest> {
  const { onnx, model, circuit, scheme, visibility, report, shapes } = compiled
  const [inputs, outputs] = portsOf(model, visibility)
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
      signals: signalLayout(visibility, inputs, outputs),
      rows: circuit.rows,
      wires: circuit.wires,
      report,
    },
    {
      [FILES.onnx]: onnx,
      [FILES.model]: encodeModelFile(model),
      [FILES.circuit]: encodeCircuit(circuit),
      [FILES.r1cs]: encodeR1cs(circuit),
    },
  )
}

/** Inputs and outputs as the manifest tells them. */
const portsOf = (model: IntegerModel, visibility: Visibility): readonly [Manifest['inputs'], Manifest['outputs']] => [
  model.inputs.map(({ name, shape, scale, lo, hi, encoding }) => ({
    ...{ name, shape, scale, lo, hi },
    ...(encoding === undefined ? {} : { encoding }),
  })),
  outputPorts(visibility, model).map(({ name, shape, scale, lo, hi }) => ({
    ...{ name, shape, scale },
    ...(lo === undefined || hi === undefined ? {} : { lo, hi }),
  })),
]

/** The float graph of a directory. */
export async function openGraph(directory: string, manifest: Manifest): Promise<Graph> {
  return importGraph(await readArtefact(directory, manifest, FILES.onnx), manifest.shapes)
}

/** The integer model of a directory. Throws ArtefactError `input/manifest` where the manifest tells of another one. */
export async function openModel(directory: string, manifest: Manifest): Promise<IntegerModel> {
  const model = decodeModelFile(await readArtefact(directory, manifest, FILES.model))
  const [inputs, outputs] = portsOf(model, manifest.visibility)
  const same =
    JSON.stringify(inputs) === JSON.stringify(manifest.inputs) &&
    JSON.stringify(outputs) === JSON.stringify(manifest.outputs)
  if (!same) throw contradiction(directory, FILES.model)
  return model
}

/** The circuit of a directory. Throws likewise. */
export async function openCircuit(directory: string, manifest: Manifest): Promise<Circuit> {
  const circuit = decodeCircuit(await readArtefact(directory, manifest, FILES.circuit))
  const signals = manifest.signals.reduce((n, s) => n + s.count, 0)
  if (publicCount(circuit) !== signals || circuit.rows !== manifest.rows) throw contradiction(directory, FILES.circuit)
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

/** Manifest, graph, model and circuit of a directory. */
export async function openCompiled(directory: string): Promise<{
  readonly manifest: Manifest
  readonly graph: Graph
  readonly model: IntegerModel
  readonly circuit: Circuit
}> {
  const manifest = await readManifest(directory)
  const [graph, model, circuit] = await Promise.all([
    openGraph(directory, manifest),
    openModel(directory, manifest),
    openCircuit(directory, manifest),
  ])
  return { manifest, graph, model, circuit }
}

const contradiction = (directory: string, file: string): ArtefactError =>
  new ArtefactError('input/manifest', `${join(directory, file)} and ${FILES.manifest} describe different models`, {
    fix: 'compile the model again',
  })
