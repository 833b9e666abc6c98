import { VeritensorError } from '../errors.ts'
import type { Node } from '../graph/graph.ts'

/**
 * A model uses something valid that is not supported: `model/unsupported`. The message names node, operator, and where it
 * applies the attribute (or input) with its value and what is supported.
 */
export class UnsupportedError extends VeritensorError {
  constructor(what: {
    readonly node: string
    readonly op: string
    readonly attribute?: string
    readonly got?: unknown
    readonly supported: string
  }) {
    const subject = what.attribute === undefined ? 'the operator' : `${what.attribute} = ${show(what.got)}`
    super(
      'model/unsupported',
      `${what.op} "${what.node}": ${subject} is not supported (supported: ${what.supported})`,
      {
        details: what,
        fix: 'change the model, or export it with other options',
      },
    )
  }
}

/** A node contradicts the definition of its operator: `model/invalid-node`. */
export class InvalidNodeError extends VeritensorError {
  constructor(node: Pick<Node, 'name' | 'op'>, why: string) {
    super('model/invalid-node', `${node.op} "${node.name}": ${why}`, { details: { node: node.name, op: node.op } })
  }
}

const show = (value: unknown): string => {
  const text = Array.isArray(value) ? `[${value.map(show).join(', ')}]` : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}
