/**
 * Time and memory of auditing the circuit of a large generated network: more than a million rows.
 *
 * usage: npx tsx scripts/bench-audit.ts [--json]
 *
 * Only the audit counts, not compiling, in CPU seconds. Exit code 1 above `limits`, or if a wire is not determined.
 */
import { audit } from '../circuits/audit/audit.ts'
import { parseArguments } from '../src/cli/args.ts'
import { formatBytes, table, thousands } from '../src/cli/format.ts'
import { compileModel } from '../src/pipeline/compileModel.ts'
import { largeConvNet, sparseImages } from './referenceNets.ts'
import { runScript } from './support/script.ts'

const limits = { seconds: 60, bytes: 3e9 }

/** CPU seconds of this process so far. */
const now = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

await runScript((words) => {
  const { options } = parseArguments(words, { json: { type: 'flag', help: 'print one line of JSON' } })
  const { onnx, shape } = largeConvNet()
  const calibration = sparseImages(2, shape, 9).map((x) => new Map([['x', x]]))
  const { circuit } = compileModel(onnx, { calibration })
  const before = process.memoryUsage().rss
  const start = now()
  const phases: Record<string, number> = {}
  let [phase, since] = ['', start]
  const enter = (next: string): void => {
    const at = now()
    if (phase !== '') phases[phase] = at - since
    ;[phase, since] = [next, at]
  }
  const { determined, clean, undeterminedCount } = audit(circuit, { onPhase: enter })
  enter('end')
  const seconds = now() - start
  const { rows, wires } = circuit
  const terms = circuit.lcWire.length
  const peakBytes = process.resourceUsage().maxRSS * 1024
  const failures = [
    ...(clean ? [] : [`${thousands(undeterminedCount)} wires are not determined, or a row is wrong`]),
    ...(seconds > limits.seconds ? [`more than ${limits.seconds} s`] : []),
    ...(peakBytes > limits.bytes ? [`more than ${formatBytes(limits.bytes)}`] : []),
  ]
  const measured = { rows, wires, terms, seconds, peakBytes, beforeBytes: before }
  if (options.json)
    console.log(
      JSON.stringify({ schema: 'veritensor/bench-audit@1', ...measured, phases, determined, clean, failures }),
    )
  else {
    console.log(
      table(
        ['rows', 'wires', 'terms', 'CPU seconds', 'memory before', 'peak memory'],
        [[...[rows, wires, terms].map(thousands), seconds.toFixed(2), formatBytes(before), formatBytes(peakBytes)]],
      ),
    )
    console.log(
      Object.entries(phases)
        .map(([name, s]) => `${name} ${s.toFixed(2)} s`)
        .join(' · '),
    )
    for (const failure of failures) console.log(`FAILED: ${failure}`)
  }
  return failures.length > 0 ? 1 : 0
})
