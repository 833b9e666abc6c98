/**
 * Attention nodes as the products, functions and moves that they stand for.
 * @module
 */
import { type AttentionGeometry, attentionGeometry, widened } from '../ops/attention.ts'
import { UnsupportedError } from '../ops/unsupported.ts'
import { isFloat, type Shape, sizeOf } from '../tensor.ts'
import type { Graph, Node } from './graph.ts'
import { contextOf } from './infer.ts'
import { type Maker, makerFor } from './maker.ts'
import { hiddenBy } from './masks.ts'
import { type Draft, rewrite } from './rewrite.ts'

/** Writes Attention as nodes named after it and their part. */
export const expandAttention = (graph: Graph): Graph =>
  rewrite(graph, (node, draft) => (node.op === 'Attention' && node.domain === '' ? expanded(node, draft) : undefined))

function expanded(node: Node, draft: Draft): Node[] {
  const g = attentionGeometry(contextOf(node, draft))
  const at = makerFor(draft, node)
  const { dtype } = draft.types.get(node.inputs[0]!)!
  const [q, k, v, , pastKey, pastValue] = node.inputs as [string, string, string, ...(string | undefined)[]]
  const [y, presentKey, presentValue, shown] = node.outputs
  const scalar = (role: string, value: number): string =>
    at.constant(role, { dtype, shape: [], data: Float64Array.of(value) })

  /** [batch, heads, position, size] of an input. */
  const headed = (role: string, name: string, heads: number, positions: number, size: number): string =>
    g.flat
      ? at.make(
          role,
          'Transpose',
          [at.make(`${role}.split`, 'Reshape', [name, at.ints('heads', [g.batch, positions, heads, size])])],
          { perm: [0, 2, 1, 3] },
        )
      : name
  const withPast = (role: string, past: string | undefined, fresh: string, present: string | undefined): string => {
    const all = past ? at.make(role, 'Concat', [past, fresh], { axis: 2 }) : fresh
    if (present) at.output(present, 'Identity', [all])
    return all
  }
  /** The heads of keys or values that the heads of queries read, repeated. */
  const repeated = (role: string, name: string): string => {
    if (g.heads === g.kvHeads) return name
    const heads = Array.from({ length: g.heads }, (_, h) => Math.floor((h * g.kvHeads) / g.heads))
    return at.make(role, 'Gather', [name, at.ints('groups', heads)], { axis: 1 })
  }
  const queries = headed('q', q, g.heads, g.queries, g.size)
  const fresh = g.keys - g.past
  const allKeys = withPast('keys', pastKey, headed('k', k, g.kvHeads, fresh, g.size), presentKey)
  const allValues = withPast('values', pastValue, headed('v', v, g.kvHeads, fresh, g.valueSize), presentValue)
  const [keys, values] = [repeated('keys.repeated', allKeys), repeated('values.repeated', allValues)]

  const show = (stage: number, name: string): void => {
    if (shown && g.shown === stage) at.output(shown, 'Identity', [name])
  }
  const product = (role: string, alpha: number): string =>
    at.make(role, 'FusedMatMul', [queries, keys], { alpha, transB: 1 })
  let scores: string
  if (g.softcap === undefined) {
    scores = product('scores', g.scale)
    show(0, scores)
  } else {
    if (shown && g.shown === 0) show(0, product('scores', g.scale))
    const bent = at.make('bent', 'Tanh', [product('bent.argument', g.scale / g.softcap)])
    scores = at.make('capped', 'Mul', [bent, scalar('softcap', g.softcap)])
  }
  show(1, scores)
  const { summand, there } = masksOf(at, node, g)
  if (summand !== undefined) scores = at.make('masked', 'Add', [scores, summand])
  if (shown && g.shown === 2 && there !== undefined)
    throw new UnsupportedError({
      ...{ node: node.name, op: node.op, attribute: 'qk_matmul_output_mode', got: 2 },
      supported: '0, 1 and 3 where a mask leaves out keys: their scores are -∞',
    })
  show(2, scores)
  const probabilities =
    there === undefined
      ? at.make('probabilities', 'Softmax', [scores], { axis: -1 })
      : at.make('probabilities', 'MaskedSoftmax', [scores, there])
  show(3, probabilities)
  if (!g.flat) at.output(y!, 'MatMul', [probabilities, values])
  else {
    const heads = at.make('heads', 'MatMul', [probabilities, values])
    const turned = at.make('heads.turned', 'Transpose', [heads], { perm: [0, 2, 1, 3] })
    at.output(y!, 'Reshape', [turned, at.ints('flat', [g.batch, g.queries, g.heads * g.valueSize])])
  }
  return at.nodes
}

/** What is added to the scores, and which take part; undefined for nothing and for all. */
function masksOf(
  at: Maker,
  node: Node,
  g: AttentionGeometry,
): { readonly summand: string | undefined; readonly there: string | undefined } {
  const bools = (role: string, shape: Shape, holds: (row: number, key: number) => boolean): string => {
    const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
      Number(holds(Math.floor(i / g.keys), i % g.keys)),
    )
    return at.constant(role, { dtype: 'bool', shape, data })
  }
  const conditions: string[] = []
  if (g.causal) conditions.push(bools('causal', [g.queries, g.keys], (query, key) => key <= query + g.past))
  const { there } = g
  if (there !== undefined) conditions.push(bools('there', [g.batch, 1, 1, g.keys], (batch, key) => key < there[batch]!))
  const all = (): string | undefined =>
    conditions.length === 0 ? undefined : conditions.reduce((a, b) => at.make('both', 'And', [a, b]))
  const given = node.inputs[3]
  if (!given) return { summand: undefined, there: all() }
  const value = at.valueOf(given)
  if (value === undefined && g.maskColumns !== g.keys)
    throw new UnsupportedError({
      ...{ node: node.name, op: node.op, attribute: 'columns of attn_mask', got: g.maskColumns },
      supported: `${g.keys}, one for each key, in a mask that the model computes`,
    })
  const mask = value === undefined ? given : at.constant('mask', widened(value, g))
  if (!isFloat(at.typeOf(mask).dtype)) {
    conditions.push(mask)
    return { summand: undefined, there: all() }
  }
  if (value === undefined) return { summand: mask, there: all() }
  const { finite, there: shown } = hiddenBy(at.valueOf(mask)!)
  if (shown !== undefined) conditions.push(at.constant('mask.there', shown))
  return { summand: finite && at.constant('mask.finite', finite), there: all() }
}
