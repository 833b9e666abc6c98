import type { Circuit } from '../../circuits/circuit.ts'
import { compile } from '../compile.ts'
import { VeritensorError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { importOnnx } from '../graph/import.ts'
import { dropNoOps, removeDead, simplify } from '../graph/simplify.ts'
import { analyse, type IntegerModel, weightsOf } from '../model/model.ts'
import type { Scheme } from '../ops/lowering.ts'
import { UnsupportedError } from '../ops/unsupported.ts'
import { calibrate } from '../quantise/calibrate.ts'
import { quantiseWithin } from '../quantise/chooseBits.ts'
import { isQuantised, quantiseExactly } from '../quantise/exact.ts'
import { envelope } from '../quantise/openWeights.ts'
import { quantise, schemeOf } from '../quantise/quantise.ts'
import { comparer, type Report, reportOn } from '../quantise/report.ts'
import type { Sample } from '../samples/samples.ts'
import { type Shape, sizeOf, type Tensor } from '../tensor.ts'
import { checkVisibility, inputVisibility, outputVisibility, type Visibility, weightVisibility } from '../visibility.ts'
import { type WeightSet, weightSetOfGraph } from './weights.ts'

/** Share of an output's range that the default choice of bits keeps errors within. */
export const DEFAULT_TOLERANCE = 0.01

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
  /** The weights of the file, where the circuit serves those of other files too. */
  readonly weights?: WeightSet
  readonly circuit: Circuit
  readonly report: Report
}

export type CompileModelOptions = {
  /**
   * Typical inputs, at least one: they fix the scales. Or a function of the imported graph that yields them. A quantised model
   * has its scales, needs none, and uses them for the report only.
   */
  readonly calibration?: Iterable<Sample> | ((graph: Graph) => Iterable<Sample>)
  /** Bits of activations; by default the fewest from 8 to 16 that `tolerance` allows. */
  readonly bits?: number
  /** Largest error on the calibration samples, in shares of an output's range, that the choice of bits allows; default 0.01. */
  readonly tolerance?: number
  /** Most bits of an integer weight; by default 8 more than activations have, at most 24. */
  readonly weightBits?: number
  /** Who sees inputs and outputs; default: private inputs, public outputs. `inputs` and `outputs` are exceptions by name. */
  readonly input?: Visibility['input']
  readonly output?: Visibility['output']
  readonly inputs?: Visibility['inputs']
  readonly outputs?: Visibility['outputs']
  /** How a verifier knows the weights; default: they are fixed. Open ones have exactly `weightBits` bits, 8 by default. */
  readonly weights?: Visibility['weights']
  /** ONNX files of the same architecture with other weights, which the scales of open weights shall suit as well. */
  readonly fit?: readonly Uint8Array[]
  /** Salt of the digest of private weights, in [0, r); default: drawn here. */
  readonly weightsSalt?: bigint
  /**
   * Whether public tensors are compressed (docs/input-compression.md): a proof then has three public signals besides digests,
   * and is made for one contract on one chain. Default: where more than 8 elements are public.
   */
  readonly compress?: boolean
  /** Commit to inputs without salts, so that digests can be compared but don't hide what can be guessed. */
  readonly unsalted?: boolean
  readonly shapes?: Readonly<Record<string, Shape>>
  /** What a model may ask for: `limit/elements` and `limit/rows` tell that it asks for more. */
  readonly limits?: {
    /** Elements of the inputs and of what nodes make of them, in all; default 2²⁶. */
    readonly elements?: number
    /** Rows of the circuit; default 2²⁸. */
    readonly rows?: number
  }
  /** Phases in order, each with its share done. */
  readonly onProgress?: (phase: 'import' | 'calibrate' | 'quantise' | 'compile' | 'report', fraction: number) => void
}

/**
 * ONNX bytes to circuit: import, calibrate, quantise, compile, and compare the integers with the floats. A quantised model is
 * not calibrated: its own integers are proved.
 *
 * Throws VeritensorError of the categories `model`, `input`, `limit` and `usage`, and CircuitError.
 */
export function compileModel(onnx: Uint8Array, options: CompileModelOptions): Compiled {
  const { onProgress } = options
  const shapes = options.shapes ?? {}
  const openWeights = (options.weights ?? 'fixed') !== 'fixed'
  const { tolerance = DEFAULT_TOLERANCE } = options
  if (!(tolerance > 0))
    throw new VeritensorError('usage/tolerance', `a tolerance of ${tolerance} is not supported (positive numbers are)`)
  const wanted: Visibility = {
    input: options.input ?? 'private',
    output: options.output ?? 'public',
    ...(options.inputs === undefined ? {} : { inputs: options.inputs }),
    ...(options.outputs === undefined ? {} : { outputs: options.outputs }),
    ...(openWeights ? { weights: options.weights! } : {}),
    ...(options.unsalted ? { unsalted: true } : {}),
  }
  onProgress?.('import', 0)
  const { limits = {} } = options
  const graph = importGraph(onnx, shapes, {}, limits.elements)
  checkVisibility(wanted, { inputs: graph.inputs, outputs: graph.outputs.map((name) => ({ name })) })
  const { calibration = [] } = options
  const samples = [...(typeof calibration === 'function' ? calibration(graph) : calibration)]
  const exact = isQuantised(graph)
  if (exact && openWeights) refuseQuantised(graph, options.weights!)
  if (!exact) onProgress?.('calibrate', 0)
  const fit = (options.fit ?? []).map((bytes) => importGraph(bytes, shapes))
  if (fit.length > 0 && !openWeights)
    throw new VeritensorError('usage/weights', 'fixed weights have scales of their own: there is nothing to fit', {
      fix: 'leave "fit" out, or the weights open',
    })
  const calibrated = exact ? undefined : { graph, ranges: calibrate(graph, samples) }
  const others = fit.map((other) => ({ graph: other, ranges: calibrate(other, samples) }))
  onProgress?.('quantise', 0)
  const room = calibrated && envelope(calibrated, others)
  const weightBits = options.weightBits ?? (openWeights ? OPEN_WEIGHT_BITS : undefined)
  // the roundings of open weights outweigh those of activations: more bits of these would not bring outputs nearer
  const bits = options.bits ?? (room === undefined || openWeights ? 8 : undefined)
  const schemeFor = (n: number): Scheme => ({ ...schemeOf(n, weightBits), ...(openWeights ? { openWeights } : {}) })
  const { model, scheme } =
    room === undefined
      ? { model: quantiseExactly(graph), scheme: schemeFor(8) }
      : bits === undefined
        ? quantiseWithin(graph, room.ranges, samples, { weightBits, tolerance })
        : { model: quantise(room.graph, room.ranges, schemeFor(bits)), scheme: schemeFor(bits) }
  const compressed = options.compress ?? worthCompressing(wanted, model)
  const visibility: Visibility = compressed ? { ...wanted, compressed: true } : wanted
  checkVisibility(visibility, model)
  const weights = openWeights ? weightSetOfGraph({ model, visibility }, graph, options.weightsSalt) : undefined
  onProgress?.('compile', 0)
  const circuit = compile(model, visibility, {
    ...(limits.rows === undefined ? {} : { maxRows: limits.rows }),
    onProgress: (fraction) => onProgress?.('compile', fraction),
  })
  onProgress?.('report', 0)
  const compare = comparer(graph, model, 'saturate', weights?.integers)
  const report = reportOn(samples.map(compare))
  return {
    onnx,
    shapes,
    graph,
    scheme,
    visibility,
    model,
    circuit,
    report,
    ...(weights === undefined ? {} : { weights }),
  }
}

/**
 * The weights of another ONNX file of a compiled model's architecture, to prove with (`ProveOptions.weights`). The salt of
 * private weights is drawn where it is not given: keep the set, or the digest that is known to others can't be proved for.
 *
 * Throws as importing, `weightsOfGraph` and `weightSetOf`.
 */
export const weightSet = (
  compiled: Pick<Compiled, 'model' | 'visibility' | 'shapes'>,
  onnx: Uint8Array,
  salt?: bigint,
): WeightSet => weightSetOfGraph(compiled, importGraph(onnx, compiled.shapes), salt)

/** Bits of weights that are open: each costs a row per weight. */
const OPEN_WEIGHT_BITS = 8

/** Throws UnsupportedError: the scales of a quantised model are constants that belong to its weights. */
function refuseQuantised(graph: Graph, weights: string): never {
  const { name, op } = graph.nodes.find((node) => isQuantised({ ...graph, nodes: [node] }))!
  const supported = 'fixed, in a model that is quantised already'
  throw new UnsupportedError({ node: name, op, attribute: 'weights', got: weights, supported })
}

/** Public elements up to which each is a public signal by default. */
const FEW_SIGNALS = 8

/** Whether public tensors are compressed by default: more elements than `FEW_SIGNALS`, all within bounds that bytes can hold. */
function worthCompressing(visibility: Visibility, model: IntegerModel): boolean {
  const infos = analyse(model)
  const open = [
    ...model.outputs
      .filter((port) => outputVisibility(visibility, port) === 'public')
      .map(({ shape, value }) => ({ shape, lo: infos[value]!.lo, hi: infos[value]!.hi })),
    ...model.inputs.filter((port) => inputVisibility(visibility, port) === 'public'),
    ...(weightVisibility(visibility) === 'public' ? weightsOf(model) : []),
  ]
  const elements = open.reduce((n, { shape }) => n + sizeOf(shape), 0)
  return elements > FEW_SIGNALS && open.every(({ lo, hi }) => Number.isSafeInteger(lo) && Number.isSafeInteger(hi))
}

/**
 * The graph of a file as the pipeline works on it: simplified, but a quantised model keeps its QuantizeLinear and
 * DequantizeLinear. `constants` are inputs that are fixed. Throws as `importOnnx` does.
 */
export function importGraph(
  onnx: Uint8Array,
  shapes: Readonly<Record<string, Shape>> = {},
  constants: Readonly<Record<string, Tensor>> = {},
  maxElements?: number,
): Graph {
  const graph = importOnnx(onnx, { shapes, constants, ...(maxElements === undefined ? {} : { maxElements }) })
  return isQuantised(graph) ? removeDead(dropNoOps(graph)) : simplify(graph)
}
