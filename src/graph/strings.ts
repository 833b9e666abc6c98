import { UnsupportedError } from '../ops/unsupported.ts'
import type { OnnxModel, OnnxNode } from './onnx.ts'

/** A model without what needs strings or maps, and what was left out. */
export type Stripped = { readonly model: OnnxModel; readonly notices: readonly string[] }

const classifiers = new Set(['LinearClassifier', 'SVMClassifier', 'TreeEnsembleClassifier'])

const isFilled = (node: OnnxNode, attribute: string): boolean => {
  const value = Object.hasOwn(node.attributes, attribute) ? node.attributes[attribute] : undefined
  return typeof value === 'string' || (Array.isArray(value) && value.length > 0)
}

/** Outputs that are strings because of the node's attributes. */
function textOutputs(node: OnnxNode): readonly string[] {
  const { domain, op, outputs, attributes } = node
  if (domain === 'ai.onnx.ml' && classifiers.has(op) && isFilled(node, 'classlabels_strings'))
    return outputs.slice(0, 1)
  if (
    domain === 'ai.onnx.ml' &&
    op === 'LabelEncoder' &&
    (isFilled(node, 'values_strings') || isFilled(node, 'classes_strings'))
  )
    return outputs
  if (domain === '' && op === 'Cast' && attributes.to === 8) return outputs
  if (domain === '' && op === 'Constant' && (isFilled(node, 'value_string') || isFilled(node, 'value_strings')))
    return outputs
  return []
}

/**
 * Leaves out ZipMap, whose result is its input in another form, and everything that depends on strings, as long as a numeric
 * output remains; outputs that are strings are left out with a notice, so that a classifier keeps its scores.
 *
 * Throws UnsupportedError where no output would remain.
 */
export function withoutStrings(model: OnnxModel): Stripped {
  const notices: string[] = []
  const zipped = new Map<string, OnnxNode>()
  const used = new Set(model.nodes.flatMap((node) => node.inputs))
  for (const node of model.nodes)
    if (node.domain === 'ai.onnx.ml' && node.op === 'ZipMap' && node.inputs.length === 1)
      for (const output of node.outputs) if (!used.has(output)) zipped.set(output, node)

  const readers = new Map<string, OnnxNode[]>()
  for (const node of model.nodes)
    for (const input of node.inputs) {
      const list = readers.get(input)
      if (list === undefined) readers.set(input, [node])
      else list.push(node)
    }
  const textual = new Set<string>()
  const dropped = new Set<OnnxNode>(zipped.values())
  const queue = [...model.strings, ...model.nodes.flatMap(textOutputs)]
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (name === '' || textual.has(name)) continue
    textual.add(name)
    for (const node of readers.get(name) ?? []) {
      dropped.add(node)
      for (const output of node.outputs) queue.push(output)
    }
  }
  if (textual.size === 0 && zipped.size === 0) return { model, notices }

  const outputs = model.outputs.flatMap((name) => {
    const map = zipped.get(name)
    if (map !== undefined && !textual.has(map.inputs[0]!)) {
      notices.push(`ZipMap is left out: the output "${name}" is its input, the tensor "${map.inputs[0]}"`)
      return [map.inputs[0]!]
    }
    if (!textual.has(name)) return [name]
    notices.push(`the output "${name}" is left out: it is made of strings`)
    return []
  })
  if (outputs.length === 0 && model.outputs.length > 0)
    throw new UnsupportedError({
      ...{ node: model.outputs[0]!, op: 'output', attribute: 'type', got: 'string' },
      supported: 'models with an output of numbers',
    })
  const nodes = model.nodes
    .filter(
      (node) => !dropped.has(node) && !(node.outputs.length > 0 && node.outputs.every((name) => textual.has(name))),
    )
    .map((node) => ({ ...node, outputs: node.outputs.map((name) => (textual.has(name) ? '' : name)) }))
  return { model: { ...model, nodes, outputs: [...new Set(outputs)] }, notices }
}
