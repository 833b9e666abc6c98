import { openRunnable } from '../../artefacts/compiled.ts'
import { comparer, firstLargest, reportOn } from '../../quantise/report.ts'
import { readSamples } from '../../samples/files.ts'
import { one } from '../args.ts'
import { command } from '../command.ts'
import { describeReport, describeValues } from '../describe.ts'
import { counted, table } from '../format.ts'
import { WEIGHTS_HELP } from '../weights.ts'

export const run = command({
  name: 'run',
  arguments: 'DIR',
  summary: 'run the integer model beside the float model',
  details: 'Nothing is proved. The integers are exactly those of the circuit.',
  options: {
    input: { type: 'strings', value: 'FILE', required: true, help: 'inputs: .pb, .npy or .json, several at once' },
    weights: { type: 'string', value: 'FILE', help: WEIGHTS_HELP },
    saturate: { type: 'flag', help: 'clamp values outside the calibrated range instead of refusing them' },
  },
  examples: ['veritensor run artifacts/model --input samples.npy'],
  async run({ options, positionals, progress, blocking }) {
    const directory = one(positionals, 'run takes one DIR')
    const { graph, model, weights } = await openRunnable(directory, options.weights)
    const samples = await readSamples(graph, options.input)
    const compare = comparer(graph, model, options.saturate ? 'saturate' : 'refuse', weights?.integers)
    progress.phase('run')
    const comparisons = blocking(() =>
      samples.map(({ sample }, i) => {
        progress.update(i / samples.length)
        return compare(sample)
      }),
    )
    progress.done(counted(samples.length, 'input'))
    const report = reportOn(comparisons)
    return {
      json: {
        schema: 'veritensor/run@1',
        directory,
        report,
        results: comparisons.map(({ float, integer }, i) => ({
          name: samples[i]!.name,
          float: float.map((t) => [...t.data]),
          integer: integer.map((t) => [...t.data]),
        })),
      },
      text: [
        table(
          ['input', 'output', 'float', 'integer', 'largest'],
          comparisons.flatMap(({ float, integer }, i) =>
            float.map((f, k) => [
              samples[i]!.name,
              model.outputs[k]!.name,
              describeValues(f.data),
              describeValues(integer[k]!.data),
              `${firstLargest(f.data)} / ${firstLargest(integer[k]!.data)}`,
            ]),
          ),
        ),
        ...describeReport(report, 'samples'),
      ].join('\n'),
    }
  },
})
