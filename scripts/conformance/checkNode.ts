/**
 * One of ONNX's operator tests, run through the integer pipeline: import, calibration on the test's own inputs, integers,
 * and where it is small the circuit with a witness.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CircuitError } from '../../circuits/error.ts'
import { Fr } from '../../circuits/field.ts'
import { firstViolated, solve, wireValue } from '../../circuits/solve.ts'
import { compile } from '../../src/compile.ts'
import { VeritensorError } from '../../src/errors.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { contextOf } from '../../src/graph/infer.ts'
import { decodeModel } from '../../src/graph/onnx.ts'
import { type IntegerModel, runInteger } from '../../src/model/model.ts'
import { findOp } from '../../src/ops/index.ts'
import { importGraph } from '../../src/pipeline/compileModel.ts'
import { calibrate } from '../../src/quantise/calibrate.ts'
import { isQuantised, quantiseExactly } from '../../src/quantise/exact.ts'
import { dequantise, quantiseInput } from '../../src/quantise/ports.ts'
import { quantise, schemeOf } from '../../src/quantise/quantise.ts'
import { isFloat, sizeOf, type Tensor } from '../../src/tensor.ts'
import { readTestSets } from './testData.ts'

/**
 * - `agrees`: the integers give the expected outputs
 * - `disagrees`: they do not, or the circuit does not give the integers
 * - `unsupported`: a typed error said that the model is not supported
 * - `crashed`: any other error
 */
export type NodeStatus = 'agrees' | 'disagrees' | 'unsupported' | 'crashed'

export type NodeResult = {
  readonly test: string
  readonly ops: readonly string[]
  readonly status: NodeStatus
  /** Largest error as a share of the range of the expected output; 0 where it is exact. */
  readonly error?: number
  /** What disagrees, or the error. */
  readonly reason?: string
  /** Inputs of the model that the operator takes only as constants: fixed to the test's values. */
  readonly fixed: readonly string[]
  /** Rows of the circuit; absent where it was not compiled. */
  readonly rows?: number
  /** Whether a witness was made: its outputs are the integers'. */
  readonly solved?: boolean
}

/** Largest error that counts as agreement, as a share of the range of the expected output. */
export const TOLERANCE = 0.01

/**
 * Imports a test's model with its inputs as they are, but fixes to the test's values those that an operator takes only as
 * constants (its refusal names them), those after the first of a quantised model, whose scales and weights are constants, those
 * without elements, and masks: those with infinities beside others without.
 */
function load(onnx: Uint8Array, given: ReadonlyMap<string, Tensor>, bits: number) {
  const allFinite = ({ data }: Tensor): boolean => data.every(Number.isFinite)
  const someFinite = [...given.values()].some((t) => t.data.length > 0 && allFinite(t))
  const fixed = new Map([...given].filter(([, t]) => t.data.length === 0 || (someFinite && !allFinite(t))))
  for (;;) {
    const inputs = new Map([...given].filter(([name]) => !fixed.has(name)))
    const shapes = Object.fromEntries([...inputs].map(([name, { shape }]) => [name, shape]))
    try {
      const graph = importGraph(onnx, shapes, Object.fromEntries(fixed))
      if (graph.outputs.every((name) => graph.constants.has(name))) return { graph, model: undefined, inputs, fixed }
      if (!isQuantised(graph))
        return {
          ...{ graph, inputs, fixed },
          model: quantise(graph, calibrate(graph, [inputs]), schemeOf(bits)),
        }
      if (inputs.size === 1) return { graph, inputs, fixed, model: quantiseExactly(graph) }
      for (const [name, tensor] of [...inputs].slice(1)) fixed.set(name, tensor)
    } catch (error) {
      if (!(error instanceof VeritensorError) || error.code !== 'model/unsupported') throw error
      const { attribute, got } = error.details
      if (!/^input "/.test(String(attribute)) || typeof got !== 'string' || !inputs.has(got)) throw error
      fixed.set(got, inputs.get(got)!)
    }
  }
}

/** Whether all that a graph does is to move elements. */
const onlyMoves = (graph: Graph): boolean =>
  graph.nodes.every((node) => {
    const moves = findOp(node.domain, node.op, node.opset).moves?.(contextOf(node, graph))
    return moves?.map.every((at) => at >= 0) ?? false
  })

/** How an output compares with what is expected: its error, and what disagrees. */
type Found = { readonly error: number; readonly what?: string }

/**
 * The largest error as a share of the range of the expected output, max - min. Where that range is below 100 steps of `bits`
 * bits, so that one step would be more than 1 % of it, the output counts as constant and its largest magnitude takes the
 * range's place. With `exact` the error may be no larger than that, in the output's own unit.
 */
export function compareOutput(expected: Tensor, got: Tensor, bits: number, exact?: number): Found {
  if (expected.shape.join() !== got.shape.join())
    return { error: Number.POSITIVE_INFINITY, what: `shape [${got.shape}] instead of [${expected.shape}]` }
  let [lo, hi, worst, at] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0]
  expected.data.forEach((v, i) => {
    lo = Math.min(lo, v)
    hi = Math.max(hi, v)
    const error = Object.is(v, got.data[i]) ? 0 : Math.abs(v - got.data[i]!)
    if (!(error <= worst)) [worst, at] = [error, i]
  })
  const text = `element ${at} is ${got.data[at]} instead of ${expected.data[at]}`
  if (exact !== undefined) return worst <= exact ? { error: 0 } : { error: Number.POSITIVE_INFINITY, what: text }
  const largest = Math.max(Math.abs(lo), Math.abs(hi))
  const range = TOLERANCE * (hi - lo) < largest / 2 ** (bits - 1) ? largest : hi - lo
  const error = worst === 0 ? 0 : worst / range
  return error <= TOLERANCE ? { error } : { error, what: `${text}, range [${lo}, ${hi}]` }
}

/**
 * Compiles the circuit and makes a witness, whose outputs must be the integers'. Nothing is known of a circuit that would have
 * more rows than the limit: its inputs alone have a row a bit.
 */
function checkCircuit(
  model: IntegerModel,
  inputs: readonly Float64Array[],
  rowLimit: number,
): { readonly rows?: number; readonly solved?: boolean; readonly what?: string } {
  const inputRows = model.inputs.reduce((n, { shape, lo, hi }) => n + sizeOf(shape) * Math.log2(hi - lo + 1), 0)
  if (inputRows > rowLimit) return {}
  const circuit = compile(model, { input: 'private', output: 'public' })
  const { rows } = circuit
  if (rows > rowLimit) return { rows }
  const witness = solve(
    circuit,
    inputs.flatMap((x) => [...x]),
  )
  const violated = firstViolated(circuit, witness)
  if (violated !== undefined) return { rows, solved: false, what: `row ${violated} of the circuit does not hold` }
  const values = runInteger(model, inputs)
  const wanted = model.outputs.flatMap(({ value }) => Array.from(values[value]!, (v) => Fr.mod(BigInt(v))))
  const wrong = wanted.findIndex((v, i) => wireValue(Fr, witness, 1 + i) !== v)
  return wrong < 0 ? { rows, solved: true } : { rows, solved: false, what: `output signal ${wrong} differs` }
}

/** Runs one test. Never throws. */
export function checkNode(
  folder: string,
  test: { readonly name: string; readonly ops: readonly string[] },
  { bits, rowLimit }: { readonly bits: number; readonly rowLimit: number },
): NodeResult {
  const base = { test: test.name, ops: test.ops, fixed: [] as readonly string[] }
  try {
    const onnx = readFileSync(join(folder, test.name, 'model.onnx'))
    const [set] = readTestSets(join(folder, test.name), 'any')
    const names = decodeModel(onnx).inputs.map(({ name }) => name)
    const given = new Map(names.map((name, i) => [name, set!.inputs[i]!]))
    const { graph, model, inputs, fixed } = load(onnx, given, bits)
    const result = { ...base, fixed: [...fixed.keys()] }
    const disagrees = (reason: string, error?: number): NodeResult => ({
      ...result,
      status: 'disagrees',
      reason,
      ...(error === undefined ? {} : { error }),
    })
    const values = model?.inputs.map((port) => quantiseInput(port, inputs.get(port.name)!, 'refuse'))
    const run = model && runInteger(model, values!)
    const moves = onlyMoves(graph)
    let error = 0
    for (const [i, name] of graph.outputs.entries()) {
      const expected = set!.outputs[i]
      const port = model?.outputs[i]
      const got = port === undefined ? graph.constants.get(name)! : dequantise(port, run![port.value]!)
      if (expected === undefined) return disagrees(`output ${i} has no expected value`)
      const step = port !== undefined && moves && isFloat(expected.dtype) ? port.scale * 0.5000001 : undefined
      const found = compareOutput(expected, got, bits, isFloat(expected.dtype) ? step : 0)
      if (found.what !== undefined) return disagrees(`${name}: ${found.what}`, found.error)
      error = Math.max(error, found.error)
    }
    if (model === undefined) return { ...result, status: 'agrees', error }
    const { what, ...circuit } = checkCircuit(model, values!, rowLimit)
    if (what !== undefined) return { ...disagrees(what), ...circuit }
    return { ...result, status: 'agrees', error, ...circuit }
  } catch (error) {
    if (error instanceof VeritensorError && (error.category === 'model' || error.category === 'input'))
      return { ...base, status: 'unsupported', reason: `${error.code}: ${error.message}` }
    const reason =
      error instanceof VeritensorError || error instanceof CircuitError
        ? `${error.code}: ${error.message}`
        : error instanceof Error
          ? String(error.stack)
          : String(error)
    return { ...base, status: 'crashed', reason }
  }
}
