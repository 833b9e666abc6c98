import { rowsByScope } from '../../circuits/circuit.ts'
import { compile } from '../../src/compile.ts'
import { foldConstants, simplify } from '../../src/graph/simplify.ts'
import type { Op } from '../../src/ops/op.ts'
import { calibrate } from '../../src/quantise/calibrate.ts'
import { isQuantised, quantiseExactly } from '../../src/quantise/exact.ts'
import { quantise, schemeOf } from '../../src/quantise/quantise.ts'
import { graphOf } from './example.ts'

/** Bits of activations of the examples. */
export const EXAMPLE_BITS = 8

/**
 * Rows of an operator's example beside those that bound its inputs and bind its outputs; `known` where the result does not depend on inputs. Undefined
 * where the operator is not proved.
 */
export function rowsOfExample(op: Op): { readonly rows: number; readonly known: boolean } | undefined {
  const { graph, sample } = graphOf(op)
  if (graph.outputs.every((name) => foldConstants(graph).constants.has(name))) return { rows: 0, known: true }
  // its integers are no outputs of a model
  if (op.type === 'DynamicQuantizeLinear') return undefined
  const exact = isQuantised(graph)
  const plain = exact ? graph : simplify(graph)
  const model = exact ? quantiseExactly(plain) : quantise(plain, calibrate(plain, [sample]), schemeOf(EXAMPLE_BITS))
  const circuit = compile(model, { input: 'private', output: 'public' })
  let rows = 0
  for (const [scope, count] of rowsByScope(circuit)) if (!/^(x\d+\/input range|y\d+\/output)/.test(scope)) rows += count
  return { rows, known: false }
}
