import { openGraph, openModel } from '../../artefacts/compiled.ts'
import { readManifest } from '../../artefacts/directory.ts'
import { comparer, firstLargest, reportOn } from '../../quantise/report.ts'
import { readSamples } from '../../samples/files.ts'
import { UsageError } from '../args.ts'
import { command } from '../command.ts'
import { describeReport } from '../describe.ts'
import { table } from '../format.ts'

/** Elements of an output that are printed for people. */
const SHOWN = 6

export const run = command({
  name: 'run',
  arguments: 'DIR',
  summary: 'run the integer model beside the float model',
  details: 'Nothing is proved. The integers are exactly those of the circuit.',
  options: {
    input: { type: 'strings', value: 'FILE', required: true, help: 'inputs: .pb, .npy or .json, several at once' },
    saturate: { type: 'flag', help: 'clamp values outside the calibrated range instead of refusing them' },
  },
  examples: ['veritensor run artifacts/model --input samples.npy'],
  async run({ options, positionals, progress }) {
    const [directory, ...rest] = positionals
    if (directory === undefined || rest.length > 0) throw new UsageError('run takes one DIR')
    const manifest = await readManifest(directory)
    const [graph, model] = await Promise.all([openGraph(directory, manifest), openModel(directory, manifest)])
    const samples = await readSamples(graph, options.input)
    const compare = comparer(graph, model, options.saturate ? 'saturate' : 'refuse')
    progress.phase('run')
    const comparisons = samples.map(({ sample }, i) => {
      progress.update(i / samples.length)
      return compare(sample)
    })
    progress.done(`${samples.length} inputs`)
    const report = reportOn(comparisons)
    const show = (data: ArrayLike<number>): string =>
      Array.from(data)
        .slice(0, SHOWN)
        .map((v) => v.toPrecision(4))
        .join(' ') + (data.length > SHOWN ? ' …' : '')
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
              show(f.data),
              show(integer[k]!.data),
              `${firstLargest(f.data)} / ${firstLargest(integer[k]!.data)}`,
            ]),
          ),
        ),
        ...describeReport(report, 'samples'),
      ].join('\n'),
    }
  },
})
