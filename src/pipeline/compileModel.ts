import type { Circuit } from '../../circuits/circuit.ts'
import { compile, type Visibility } from '../compile.ts'
import type { Graph } from '../graph/graph.ts'
import { importOnnx } from '../graph/import.ts'
import { simplify } from '../graph/simplify.ts'
import type { IntegerModel } from '../model/model.ts'
import type { Scheme } from '../ops/lowering.ts'
import { calibrate } from '../quantise/calibrate.ts'
import { defaultScheme, quantise } from '../quantise/quantise.ts'
import { comparer, type Report, reportOn } from '../quantise/report.ts'
import type { Sample } from '../samples/samples.ts'
import type { Shape } from '../tensor.ts'

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
  /** Typical inputs, at least one: they fix the scales. Or a function of the imported graph that yields them. */
  readonly calibration: Iterable<Sample> | ((graph: Graph) => Iterable<Sample>)
  readonly bits?: number
  readonly weightBits?: number
  /** Default: private input, public output. */
  readonly input?: Visibility['input']
  readonly output?: Visibility['output']
  readonly shapes?: Readonly<Record<string, Shape>>
  /** Phases in order, each with its share done. */
  readonly onProgress?: (phase: 'import' | 'calibrate' | 'quantise' | 'compile' | 'report', fraction: number) => void
}

/**
 * ONNX bytes to circuit: import, calibrate, quantise, compile, and compare the integers with the floats.
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
  const visibility: Visibility = { input: options.input ?? 'private', output: options.output ?? 'public' }
  onProgress?.('import', 0)
  const graph = simplify(importOnnx(onnx, { shapes }))
  const samples = [...(typeof options.calibration === 'function' ? options.calibration(graph) : options.calibration)]
  onProgress?.('calibrate', 0)
  const ranges = calibrate(graph, samples)
  onProgress?.('quantise', 0)
  const model = quantise(graph, ranges, scheme)
  onProgress?.('compile', 0)
  const circuit = compile(model, visibility, { onProgress: (fraction) => onProgress?.('compile', fraction) })
  onProgress?.('report', 0)
  const compare = comparer(graph, model, 'saturate')
  const report = reportOn(samples.map(compare))
  return { onnx, shapes, graph, scheme, visibility, model, circuit, report }
}
