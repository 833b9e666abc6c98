import { rowsByScope } from '../../../circuits/circuit.ts'
import { saveCompiled } from '../../artefacts/compiled.ts'
import { FILES } from '../../artefacts/directory.ts'
import { AbortedError } from '../../errors.ts'
import { estimateCircuit } from '../../estimate.ts'
import { readRegular } from '../../files.ts'
import { compileModel, importGraph } from '../../pipeline/compileModel.ts'
import { isQuantised } from '../../quantise/exact.ts'
import { SampleError } from '../../samples/error.ts'
import { readSamples } from '../../samples/files.ts'
import type { WeightVisibility } from '../../visibility.ts'
import { one, UsageError } from '../args.ts'
import { command } from '../command.ts'
import { describeEstimate, describeReport } from '../describe.ts'
import { thousands } from '../format.ts'
import { parseShapes } from '../shapes.ts'
import { parseVisibility } from '../visibility.ts'

export const compile = command({
  name: 'compile',
  arguments: 'MODEL.onnx',
  summary: 'turn an ONNX model into a circuit',
  details:
    'Runs the model in floating point on the calibration samples to choose scales, rounds it to integers, and writes the\n' +
    'circuit with everything the later commands need into DIR. An artefact directory that is there already is replaced: files\n' +
    'of others stay in it, and so does its key if the circuit is the same.\n' +
    'A model that is quantised already (QuantizeLinear, QLinearConv …) is proved as it is, and needs no samples.\n' +
    'Weights are constants of the circuit unless --weights says otherwise: then one key serves every model of the\n' +
    'architecture, and a public signal tells which one it was (committed: a digest; private: a digest with a salt, so that\n' +
    'nobody can check a guess; public: the weights). Each bit of a weight costs a row. The only file in DIR that tells\n' +
    'weights is weights.vtb, which has the ONNX file in it: publish the others.\n' +
    'Compressed, public tensors cost a verifier on chain little more than their bytes, but a proof is made for one contract\n' +
    '(see prove --for).',
  options: {
    output: {
      type: 'strings',
      value: 'WHO|NAME=WHO…',
      help: 'public, private or committed (a digest, which hides no guess); default public',
    },
    input: {
      type: 'strings',
      value: 'WHO|NAME=WHO…',
      help: 'public, private or committed (a digest with a salt); default private',
    },
    weights: {
      type: 'string',
      choices: ['fixed', 'public', 'private', 'committed'],
      help: 'how verifiers know the weights (default fixed)',
    },
    fit: {
      type: 'strings',
      value: 'FILE',
      help: 'other .onnx files of the architecture that open weights must suit too',
    },
    compress: {
      type: 'string',
      choices: ['auto', 'on', 'off'],
      help: 'pass public tensors as bytes behind three signals (default auto: above 8 public elements)',
    },
    unsalted: { type: 'flag', help: 'commit to inputs without a salt: anybody can check a guess' },
    calibrate: {
      type: 'strings',
      value: 'PATH',
      help: 'typical inputs: .pb, .npy or .json files, or folders of such; a model of floats needs them',
    },
    bits: { type: 'integer', value: 'N', min: 2, max: 16, help: 'bits of activations (default: see --tolerance)' },
    tolerance: {
      type: 'number',
      min: 0.001,
      max: 100,
      value: 'PERCENT',
      help: 'without --bits, the fewest from 8 on with which outputs stay so near the float model (default 1)',
    },
    'weight-bits': {
      type: 'integer',
      value: 'N',
      min: 2,
      max: 24,
      help: 'most bits of a weight (default: 8 more than activations); if not fixed, all bits (default 8)',
    },
    shape: { type: 'strings', value: 'NAME=DxDx…', help: 'sizes of an input whose shape is symbolic' },
    directory: { type: 'string', short: 'o', value: 'DIR', required: true, help: 'where the artefacts go' },
  },
  examples: [
    'veritensor compile model.onnx -o artifacts/model --calibrate samples.npy',
    'veritensor compile model.onnx -o out --calibrate a.pb b.pb --bits 10 --input public',
    'veritensor compile model.onnx -o out --calibrate a.pb --output private class=public',
    'veritensor compile model.onnx -o out --calibrate a.pb --weights private --fit retrained.onnx',
  ],
  async run({ options, positionals, progress, signal, blocking }) {
    const path = one(positionals, 'compile takes one MODEL.onnx')
    const read = (file: string): Promise<Uint8Array> =>
      readRegular(file).catch((cause) => {
        throw new SampleError('input/unreadable', `${file} can't be read: ${(cause as Error).message}`, { cause })
      })
    const [onnx, fit] = [await read(path), await Promise.all(options.fit.map(read))]
    const shapes = parseShapes(options.shape)
    const input = parseVisibility('input', options.input)
    const output = parseVisibility('output', options.output)
    progress.phase('import')
    const graph = blocking(() => importGraph(onnx, shapes))
    const given = (['bits', 'tolerance', 'weight-bits'] as const).find((name) => options[name] !== undefined)
    if (isQuantised(graph) && given !== undefined)
      throw new UsageError(`--${given} has no meaning for a model that is quantised already`)
    if (options.bits !== undefined && options.tolerance !== undefined)
      throw new UsageError('--bits gives the bits that --tolerance would choose', 'leave one of the two out')
    const samples = options.calibrate.length === 0 ? [] : await readSamples(graph, options.calibrate)
    let phase = 'import'
    const compiled = blocking(() =>
      compileModel(onnx, {
        calibration: samples.map((s) => s.sample),
        shapes,
        ...(options.bits === undefined ? {} : { bits: options.bits }),
        ...(options.tolerance === undefined ? {} : { tolerance: options.tolerance / 100 }),
        ...(options['weight-bits'] === undefined ? {} : { weightBits: options['weight-bits'] }),
        ...(input.all === undefined ? {} : { input: input.all }),
        ...(input.byName === undefined ? {} : { inputs: input.byName }),
        ...(output.all === undefined ? {} : { output: output.all }),
        ...(output.byName === undefined ? {} : { outputs: output.byName }),
        ...(options.weights === undefined ? {} : { weights: options.weights as WeightVisibility }),
        ...(options.compress === 'on' || options.compress === 'off' ? { compress: options.compress === 'on' } : {}),
        fit,
        unsalted: options.unsalted,
        onProgress(next, fraction) {
          if (next !== phase) {
            progress.done()
            progress.phase(next)
            phase = next
          }
          progress.update(fraction)
        },
      }),
    )
    progress.done()
    if (signal.aborted) throw new AbortedError('compile')
    progress.phase('write')
    const manifest = await saveCompiled(options.directory!, compiled)
    progress.done()
    const estimate = estimateCircuit(compiled.circuit)
    const gadgets = [...rowsByScope(compiled.circuit)].filter(([, rows]) => rows > 0)
    return {
      json: {
        schema: 'veritensor/compile@1',
        directory: options.directory,
        name: manifest.name,
        rows: manifest.rows,
        wires: manifest.wires,
        inputs: manifest.inputs,
        outputs: manifest.outputs,
        notices: compiled.graph.notices ?? [],
        signals: manifest.signals,
        scheme: manifest.scheme,
        visibility: manifest.visibility,
        weights: manifest.weights ?? null,
        report: manifest.report,
        estimate,
        rowsByScope: Object.fromEntries(gadgets),
      },
      text: [
        `${manifest.name} → ${options.directory}`,
        `  rows        ${thousands(manifest.rows)} (${thousands(manifest.wires)} wires)`,
        ...manifest.signals.map(({ kind, name, shape, count, commitment: c, bytes }) =>
          c === undefined
            ? `  public      ${kind} "${name}" [${shape.join(', ')}]: ${
                bytes === undefined ? `${thousands(count)} signals` : `${thousands(bytes.count)} bytes, compressed`
              }`
            : `  committed   ${kind} "${name}" [${shape.join(', ')}]: a digest ${c.salted ? 'with' : 'without'} salt`,
        ),
        ...(manifest.weights === undefined
          ? []
          : [
              `  weights     ${manifest.weights.digest}`,
              ...(manifest.visibility.weights === 'public'
                ? []
                : [`  secret      ${options.directory}/${FILES.weights}: publish the other files only`]),
            ]),
        ...(compiled.graph.notices ?? []).map((notice) => `  notice      ${notice}`),
        ...(isQuantised(graph) ? [] : [`  bits        ${manifest.scheme.bits} of activations`]),
        ...describeReport(manifest.report),
        ...describeEstimate(estimate),
        `  next        veritensor setup ${options.directory} --dev`,
      ].join('\n'),
    }
  },
})
