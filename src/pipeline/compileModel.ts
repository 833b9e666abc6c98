import type { Circuit } from '../../circuits/circuit.ts'
import { compile, type Visibility } from '../compile.ts'
import { VeritensorError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { importOnnx } from '../graph/import.ts'
import { dropNoOps, removeDead, simplify } from '../graph/simplify.ts'
import type { IntegerModel } from '../model/model.ts'
import type { Scheme } from '../ops/lowering.ts'
import { calibrate } from '../quantise/calibrate.ts'
import { isQuantised, quantiseExactly } from '../quantise/exact.ts'
import { defaultScheme, quantise } from '../quantise/quantise.ts'
import { comparer, type Report, reportOn } from '../quantise/report.ts'
import type { Sample } from '../samples/samples.ts'
import type { Shape, Tensor } from '../tensor.ts'

/** Everything that compiling a model makes. */
export type Compiled = {
  /** The file as it was given. */
  readonly onnx: Uint8Array
  /** Sizes given for symbolic dimensions of inputs. */
  readonly shapes: Readonly<Record<string, Shape>>
  readonly graph: Graph
  readonly scheme: Scheme
  readonly visibility: Visibility
  /** The integers that are proved. */
  readonly model: IntegerModel
  readonly circuit: Circuit
  readonly report: Report
}

export type CompileModelOptions = {
  /**
   * Typical inputs, at least one: they fix the scales. Or a function of the imported graph that yields them. A quantised model
   * has its scales, needs none, and uses them for the report only.
   */
  readonly calibration?: Iterable<Sample> | ((graph: Graph) => Iterable<Sample>)
  readonly bits?: number
  readonly weightBits?: number
  /** Default: private input, public output. */
  readonly input?: Visibility['input']
  readonly output?: Visibility['output']
  /** Commit to inputs without salts, so that digests can be compared but don't hide what can be guessed. */
  readonly unsalted?: boolean
  readonly shapes?: Readonly<Record<string, Shape>>
  /** Phases in order, each with its share done. */
  readonly onProgress?: (phase: 'import' | 'calibrate' | 'quantise' | 'compile' | 'report', fraction: number) => void
}

/**
 * ONNX bytes to circuit: import, calibrate, quantise, compile, and compare the integers with the floats. A quantised model is
 * not calibrated: its own integers are proved.
 *
 * Throws VeritensorError of the categories `model`, `input` and `usage`, and CircuitError.
 */
export function compileModel(onnx: Uint8Array, options: CompileModelOptions): Compiled {
  const { onProgress } = options
  const shapes = options.shapes ?? {}
  const scheme: Scheme = {
    bits: options.bits ?? defaultScheme.bits,
    weightBits: options.weightBits ?? defaultScheme.weightBits,
  }
  const visibility: Visibility = {
    input: options.input ?? 'private',
    output: options.output ?? 'public',
    ...(options.unsalted ? { unsalted: true } : {}),
  }
  if (options.unsalted && visibility.input !== 'committed')
    throw new VeritensorError('usage/unsalted', 'only committed inputs have salts', {
      fix: 'leave "unsalted" out, or commit to the inputs',
    })
  onProgress?.('import', 0)
  const graph = importGraph(onnx, shapes)
  const { calibration = [] } = options
  const samples = [...(typeof calibration === 'function' ? calibration(graph) : calibration)]
  const exact = isQuantised(graph)
  if (!exact) onProgress?.('calibrate', 0)
  const ranges = exact ? undefined : calibrate(graph, samples)
  onProgress?.('quantise', 0)
  const model = ranges === undefined ? quantiseExactly(graph) : quantise(graph, ranges, scheme)
  onProgress?.('compile', 0)
  const circuit = compile(model, visibility, { onProgress: (fraction) => onProgress?.('compile', fraction) })
  onProgress?.('report', 0)
  const compare = comparer(graph, model, 'saturate')
  const report = reportOn(samples.map(compare))
  return { onnx, shapes, graph, scheme, visibility, model, circuit, report }
}

/**
 * The graph of a file as the pipeline works on it: simplified, but a quantised model keeps its QuantizeLinear and
 * DequantizeLinear. `constants` are inputs that are fixed. Throws as `importOnnx` does.
 */
export function importGraph(
  onnx: Uint8Array,
  shapes: Readonly<Record<string, Shape>> = {},
  constants: Readonly<Record<string, Tensor>> = {},
): Graph {
  const graph = importOnnx(onnx, { shapes, constants })
  return isQuantised(graph) ? removeDead(dropNoOps(graph)) : simplify(graph)
}
