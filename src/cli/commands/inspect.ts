import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { rowsByScope } from '../../../circuits/circuit.ts'
import { openCircuit, openModel, openRunnable } from '../../artefacts/compiled.ts'
import { FILES, readManifest, sha256File } from '../../artefacts/directory.ts'
import { openVerifyingKey } from '../../artefacts/keys.ts'
import type { Manifest } from '../../artefacts/manifest.ts'
import { estimateCircuit } from '../../estimate.ts'
import { readRegular } from '../../files.ts'
import type { Graph } from '../../graph/graph.ts'
import { importOnnx } from '../../graph/import.ts'
import { macsOf } from '../../model/layers/linear.ts'
import { analyse, type IntegerModel } from '../../model/model.ts'
import { SampleError } from '../../samples/error.ts'
import { verifyingKeyDigest } from '../../solidity/verifier.ts'
import { formatShape, sizeOf } from '../../tensor.ts'
import { inputVisibility, outputVisibility, weightVisibility } from '../../visibility.ts'
import { one, UsageError } from '../args.ts'
import { type CommandContext, command, type Result } from '../command.ts'
import { DEV_WARNING, describeEstimate, describeReport } from '../describe.ts'
import { counted, formatBytes, table, thousands } from '../format.ts'
import { parseShapes } from '../shapes.ts'

const options = {
  shape: { type: 'strings', value: 'NAME=DxDx…', help: 'sizes of an input whose shape is symbolic (MODEL.onnx)' },
} as const

export const inspect = command({
  name: 'inspect',
  arguments: 'DIR|MODEL.onnx',
  summary: 'show a model, its integers, its circuit and its key',
  details:
    'Of a MODEL.onnx: the graph as it is imported. Of a DIR: also scales, bounds, visibility, the layers of the integer model\n' +
    'with the rows and multiplications that each one takes, and the state of every file.',
  options,
  examples: ['veritensor inspect model.onnx', 'veritensor inspect artifacts/model'],
  async run(context) {
    const path = one(context.positionals, 'inspect takes one DIR or MODEL.onnx')
    const info = await stat(path).catch((cause) => {
      throw unreadable(path, cause)
    })
    return info.isDirectory() ? inspectDirectory(path, context) : inspectModel(path, context)
  },
})

const unreadable = (path: string, cause: unknown): SampleError =>
  new SampleError('input/unreadable', `${path} can't be read: ${(cause as Error).message}`, { cause })

type Context = CommandContext<typeof options>

async function inspectModel(path: string, { options, blocking }: Context): Promise<Result> {
  const bytes = await readRegular(path).catch((cause) => {
    throw unreadable(path, cause)
  })
  const graph = blocking(() => importOnnx(bytes, { shapes: parseShapes(options.shape) }))
  return {
    json: { schema: 'veritensor/inspect@1', path, graph: graphJson(graph) },
    text: graphText(graph).join('\n'),
  }
}

async function inspectDirectory(directory: string, { options }: Context): Promise<Result> {
  if (options.shape.length > 0) throw new UsageError('--shape belongs to MODEL.onnx; a DIR has its shapes')
  const manifest = await readManifest(directory)
  // whoever verifies has no weights, and the graph comes with them
  const known = manifest.weights === undefined || existsSync(join(directory, FILES.weights))
  const graph = known ? (await openRunnable(directory)).graph : undefined
  const [model, circuit] = [await openModel(directory, manifest), await openCircuit(directory, manifest)]
  const files = await fileStates(directory, manifest)
  const key = manifest.key === undefined ? undefined : await openVerifyingKey(directory, manifest)
  const { layers, ops, gadgets } = rowsOf(graph, model, rowsByScope(circuit))
  const estimate = estimateCircuit(circuit)
  const macs = layers.reduce((n, layer) => n + layer.macs, 0)
  const keyText =
    key === undefined
      ? [`  none: make one with veritensor setup ${directory} --dev`]
      : [
          `  kind     ${key.dev ? 'development' : `ceremony ${manifest.key?.ptau?.file ?? ''}`}`,
          `  digest   ${verifyingKeyDigest(key)}`,
          ...(key.dev ? [`  ${DEV_WARNING}`] : []),
        ]
  const ports = [
    ...manifest.inputs.map((p) => ({ ...p, kind: 'input', seen: inputVisibility, bounds: `[${p.lo}, ${p.hi}]` })),
    ...manifest.outputs.map((p) => ({ ...p, kind: 'output', seen: outputVisibility, bounds: '' })),
  ]
  return {
    json: {
      schema: 'veritensor/inspect@1',
      path: directory,
      graph: graph === undefined ? null : graphJson(graph),
      manifest,
      files,
      layers,
      ops,
      gadgets,
      macs,
      rows: circuit.rows,
      wires: circuit.wires,
      estimate,
      dev: key?.dev ?? null,
      vkDigest: key === undefined ? null : verifyingKeyDigest(key),
    },
    text: [
      ...(graph === undefined
        ? [`Graph "${manifest.name}": in ${FILES.weights}, which is not here`]
        : graphText(graph)),
      '',
      `Integers: ${manifest.scheme.bits} bits, weights of ${manifest.weights === undefined ? 'at most ' : ''}${manifest.scheme.weightBits}`,
      table(
        ['', 'name', 'shape', 'visibility', 'one step', 'integers'],
        ports.map((port) => [
          port.kind,
          port.name,
          formatShape(port.shape),
          port.seen(manifest.visibility, port),
          port.scale.toPrecision(6),
          port.bounds,
        ]),
      ),
      ...(manifest.weights === undefined
        ? []
        : [
            `  weights     ${weightVisibility(manifest.visibility)}: ${counted(manifest.weights.tensors.length, 'tensor')}, digest ${manifest.weights.digest}`,
          ]),
      ...describeReport(manifest.report),
      '',
      `Circuit: ${thousands(circuit.rows)} rows, ${thousands(circuit.wires)} wires, ${thousands(macs)} multiplications`,
      table(
        ['layer', 'op', 'gadget', 'shape', 'integers', 'rows', 'multiplications'],
        layers.map(({ name, op, kind, shape, bounds, rows, macs }) => [
          name,
          op ?? '',
          kind,
          shape === null ? '' : formatShape(shape),
          bounds === null ? '' : `[${bounds.lo}, ${bounds.hi}]`,
          thousands(rows),
          macs === 0 ? '' : thousands(macs),
        ]),
      ),
      '',
      table(
        ['op', 'rows'],
        Object.entries(ops).map(([name, rows]) => [name, thousands(rows)]),
      ),
      '',
      table(
        ['gadget', 'rows'],
        Object.entries(gadgets).map(([name, rows]) => [name, thousands(rows)]),
      ),
      ...describeEstimate(estimate),
      '',
      'Key',
      ...keyText,
      '',
      table(
        ['file', 'size', 'state'],
        files.map(({ name, bytes, state }) => [name, bytes === null ? '' : formatBytes(bytes), state]),
      ),
    ].join('\n'),
  }
}

/** Elements of a graph's constants. */
const parameters = ({ constants }: Graph): number =>
  [...constants.values()].reduce((n, { shape }) => n + sizeOf(shape), 0)

const graphJson = (graph: Graph): Readonly<Record<string, unknown>> => ({
  name: graph.name,
  opset: graph.opset,
  inputs: graph.inputs,
  outputs: graph.outputs.map((name) => ({ name, ...graph.types.get(name) })),
  parameters: parameters(graph),
  nodes: graph.nodes.map(({ name, op, domain, inputs, outputs }) => ({
    name,
    op,
    domain,
    inputs,
    outputs: outputs.map((output) => ({ name: output, ...graph.types.get(output) })),
  })),
})

function graphText(graph: Graph): string[] {
  const shapeOf = (name: string): string => {
    const type = graph.types.get(name)
    return type === undefined ? '' : `${type.dtype}${formatShape(type.shape)}`
  }
  return [
    `Graph "${graph.name}": opset ${graph.opset}, ${graph.nodes.length} nodes, ${thousands(parameters(graph))} parameters`,
    ...graph.inputs.map(({ name }) => `  input   ${name}  ${shapeOf(name)}`),
    ...graph.outputs.map((name) => `  output  ${name}  ${shapeOf(name)}`),
    table(
      ['node', 'op', 'inputs', 'output'],
      graph.nodes.map(({ name, op, inputs, outputs }) => [
        name,
        op,
        inputs.map((input) => (input === '' ? '–' : shapeOf(input))).join(' '),
        shapeOf(outputs[0]!),
      ]),
    ),
  ]
}

type LayerRows = {
  /** Of the node, input or output that the rows are for. */
  readonly name: string
  /** ONNX operator, for nodes. */
  readonly op: string | null
  readonly kind: string
  readonly shape: readonly number[] | null
  readonly bounds: { readonly lo: number; readonly hi: number } | null
  readonly rows: number
  readonly macs: number
}

/**
 * Rows per layer, per operator and per gadget. Rows are labelled `name/kind`; rows that no layer makes (ranges of inputs,
 * bindings of outputs) come as entries of their own.
 */
function rowsOf(graph: Graph | undefined, model: IntegerModel, scopes: ReadonlyMap<string, number>) {
  const infos = analyse(model).slice(model.inputs.length)
  const opOf = new Map(graph?.nodes.map(({ name, op }) => [name, op]))
  const rest = new Map([...scopes].filter(([, rows]) => rows > 0))
  const found = new Map<string, LayerRows>()
  model.layers.forEach((layer, i) => {
    const { name, kind, shape } = layer
    const label = `${name}/${kind}`
    const before = found.get(label)
    const { lo, hi } = infos[i]!
    const rows = before?.rows ?? rest.get(label) ?? 0
    const macs = (before?.macs ?? 0) + (layer.kind === 'linear' || layer.kind === 'product' ? macsOf(layer.map) : 0)
    found.set(label, { name, op: opOf.get(name) ?? null, kind, shape, bounds: { lo, hi }, rows, macs })
    rest.delete(label)
  })
  const others = [...rest].map(([label, rows]): LayerRows => {
    const at = label.lastIndexOf('/')
    const [name, kind] = [label.slice(0, Math.max(at, 0)), label.slice(at + 1)]
    return { name, op: opOf.get(name) ?? null, kind, shape: null, bounds: null, rows, macs: 0 }
  })
  const isRange = ({ kind }: LayerRows): boolean => kind === 'input range'
  const layers = [...others.filter(isRange), ...found.values(), ...others.filter((layer) => !isRange(layer))]
  const sums = (key: (layer: LayerRows) => string): Readonly<Record<string, number>> => {
    const totals = new Map<string, number>()
    for (const layer of layers) if (layer.rows > 0) totals.set(key(layer), (totals.get(key(layer)) ?? 0) + layer.rows)
    return Object.fromEntries(totals)
  }
  return { layers, ops: sums(({ op, kind }) => op ?? kind), gadgets: sums(({ kind }) => kind) }
}

type FileState = { readonly name: string; readonly bytes: number | null; readonly state: string }

/** Whether the files of a directory are those that the manifest names. */
async function fileStates(directory: string, manifest: Manifest): Promise<FileState[]> {
  const states: FileState[] = []
  for (const name of Object.values(FILES)) {
    const listed = manifest.files[name]
    if (name === FILES.manifest || listed === undefined) continue
    const path = join(directory, name)
    const info = await stat(path).catch(() => undefined)
    const same = info?.isFile() === true && (await sha256File(path)) === listed
    states.push({ name, bytes: info?.size ?? null, state: info === undefined ? 'missing' : same ? 'ok' : 'CHANGED' })
  }
  return states
}
