/**
 * Prints the gas of contracts as a Markdown table: ours, snarkjs' template for the same key, the floor.
 *
 *     npm run gas
 *     npm run gas -- --json
 *     npm run gas -- --large        verifiers of many public signals too: 348 and 349, 640, 723
 */
import { MAX_INPUTS_IN_CODE, MAX_PUBLIC_INPUTS } from '../src/solidity/verifier.ts'
import { startLab } from '../test/solidity/lab.ts'
import { directGas, type GasRow, measureGas } from './gasTable.ts'

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
const cell = (gas: number | null | undefined): string =>
  gas === null ? 'not deployable' : gas === undefined ? '' : gas.toLocaleString('en')
if (process.argv.includes('--json')) console.log(JSON.stringify(rows))
else {
  console.log('| transaction | gas | snarkjs’ template | floor | deployment |\n|---|---|---|---|---|')
  for (const { what, tx, snarkjs, floor, deploy } of rows)
    console.log(`| ${what} | ${[tx, snarkjs, floor, deploy].map(cell).join(' | ')} |`)
}
