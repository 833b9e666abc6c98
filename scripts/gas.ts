/**
 * Prints the gas of contracts as a Markdown table: ours, snarkjs' template for the same key, the floor.
 *
 *     npm run gas
 *     npm run gas -- --json
 *     npm run gas -- --large        verifiers of many public signals too: 348 and 349, 640, 723
 */
import { MAX_INPUTS_IN_CODE, MAX_PUBLIC_INPUTS } from '../src/solidity/verifier.ts'
import { startLab } from '../test/solidity/lab.ts'
import { directGas, type GasRow, gasText, measureGas } from './gasTable.ts'

const rows: GasRow[] = await measureGas()
if (process.argv.includes('--large')) {
  const lab = await startLab({ args: ['--enable-tx-gas-limit'] })
  try {
    for (const n of [MAX_INPUTS_IN_CODE, MAX_INPUTS_IN_CODE + 1, 640, MAX_PUBLIC_INPUTS])
      rows.push(await directGas(lab, n))
  } finally {
    await lab.stop()
  }
}
console.log(process.argv.includes('--json') ? JSON.stringify(rows) : gasText(rows))
