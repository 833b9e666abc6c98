/**
 * Masks of attention: scores to which a very large negative number is added, or that give way to one, before a Softmax.
 * @module
 */
import { isFloat, type Tensor } from '../tensor.ts'
import type { Graph, Node } from './graph.ts'
import { type Draft, rewrite } from './rewrite.ts'

/** Numbers from here down hide a score: its exponential is 0 in float32 beside any other that is not hundreds smaller. */
const HIDES = -1000

/** A constant that is added to scores, as what is left to add and which scores take part; undefined for nothing and for all. */
export function hiddenBy(mask: Tensor): { readonly finite: Tensor | undefined; readonly there: Tensor | undefined } {
  const finite = mask.data.map((v) => (v <= HIDES ? 0 : v))
  const there = mask.data.map((v) => (v <= HIDES ? 0 : 1))
  return {
    finite: finite.every((v) => v === 0) ? undefined : { ...mask, data: finite },
    there: there.every((v) => v === 1) ? undefined : { ...mask, dtype: 'bool', data: there },
  }
}

/** Writes a Softmax over masked scores as MaskedSoftmax, whose scores are finite and need no range beyond their own. */
export const fuseMasks = (graph: Graph): Graph =>
  rewrite(graph, (node, draft) =>
    node.op === 'Softmax' && node.domain === '' && alongOneAxis(node) ? masked(node, draft) : undefined,
  )

/** Before opset 13 a Softmax goes over all axes from the given one on. */
const alongOneAxis = ({ opset, attributes }: Node): boolean => opset >= 13 || attributes.axis === -1

function masked(node: Node, draft: Draft): Node[] | undefined {
  const producer = draft.soleProducer(node.inputs[0]!)
  if (producer === undefined || producer.domain !== '') return undefined
  const found =
    producer.op === 'Add' ? added(producer, draft) : producer.op === 'Where' ? chosen(producer, draft) : undefined
  if (found === undefined) return undefined
  const { scores, there, before, replaced } = found
  for (const gone of replaced) draft.remove(gone)
  const axis = node.attributes.axis ?? -1
  return [
    ...before,
    { ...node, op: 'MaskedSoftmax', domain: 'veritensor', opset: 1, inputs: [scores, there], attributes: { axis } },
  ]
}

/** Scores and mask that take the place of some nodes, after others. */
type Found = {
  readonly scores: string
  readonly there: string
  readonly before: readonly Node[]
  readonly replaced: readonly Node[]
}

const isAll = (tensor: Tensor | undefined, holds: (v: number) => boolean): boolean => tensor?.data.every(holds) ?? false
const hides = (v: number): boolean => v <= HIDES

/** scores + constant, or scores + Where(condition, 0, large negative constants) or the reverse. */
function added(add: Node, draft: Draft): Found | undefined {
  for (const [scores, mask] of [add.inputs, [...add.inputs].reverse()] as [string, string][]) {
    if (draft.constants.has(scores) || !keepsShape(add, scores, draft)) continue
    const constant = draft.constants.get(mask)
    if (constant !== undefined) {
      const { finite, there } = hiddenBy(constant)
      if (there === undefined) return undefined
      const name = draft.addConstant(`${add.name}.there`, there)
      if (finite === undefined) return { scores, there: name, before: [], replaced: [add] }
      const rest = { ...add, inputs: [scores, draft.addConstant(`${add.name}.finite`, finite)] }
      return { scores: add.outputs[0]!, there: name, before: [rest], replaced: [add] }
    }
    const where = draft.soleProducer(mask)
    if (where?.op !== 'Where' || where.domain !== '') continue
    const [condition, yes, no] = where.inputs as [string, string, string]
    const [a, b] = [draft.constants.get(yes), draft.constants.get(no)]
    const isZero = (v: number): boolean => v === 0
    const replaced = [add, where]
    if (isAll(a, isZero) && isAll(b, hides)) return { scores, there: condition, before: [], replaced }
    if (isAll(a, hides) && isAll(b, isZero)) return { scores, ...negated(where, condition, draft), replaced }
  }
  return undefined
}

/** Where(condition, scores, large negative constants) or the reverse. */
function chosen(where: Node, draft: Draft): Found | undefined {
  const [condition, yes, no] = where.inputs as [string, string, string]
  const replaced = [where]
  if (isAll(draft.constants.get(no), hides) && keepsShape(where, yes, draft))
    return { scores: yes, there: condition, before: [], replaced }
  if (isAll(draft.constants.get(yes), hides) && keepsShape(where, no, draft))
    return { scores: no, ...negated(where, condition, draft), replaced }
  return undefined
}

/** Whether the scores are floats of the shape of the result: nothing is broadcast to the mask. */
function keepsShape({ outputs }: Node, scores: string, { types }: Draft): boolean {
  const [from, to] = [types.get(scores), types.get(outputs[0]!)]
  return from !== undefined && isFloat(from.dtype) && from.shape.join() === to?.shape.join()
}

/** The opposite of a condition. */
function negated(where: Node, condition: string, draft: Draft): Pick<Found, 'there' | 'before'> {
  const constant = draft.constants.get(condition)
  if (constant !== undefined) {
    const data = constant.data.map((v) => (v === 0 ? 1 : 0))
    return { there: draft.addConstant(`${condition}.not`, { ...constant, data }), before: [] }
  }
  const there = draft.addValue(`${condition}.not`, draft.types.get(condition)!)
  const name = draft.nodeName(where.name, 'Not')
  const not: Node = { name, op: 'Not', domain: '', opset: 13, inputs: [condition], outputs: [there], attributes: {} }
  return { there, before: [not] }
}
