/**
 * Gas of generated verifiers beside snarkjs' own, on anvil (hardfork osaka), solc optimiser at 1,000,000 runs, public
 * inputs of full size. snarkjs' template is rendered from the installed package, for the sizes that it can be deployed in.
 *
 * usage: npx tsx scripts/gas.ts [--json]
 *
 * tx = gasUsed of a transaction; exec = tx - 21,000 - calldata; floor = what the precompiles and warm calls cost alone.
 */
import { proofArguments, proofWords } from '../src/solidity/calldata.ts'
import { compileContract } from '../src/solidity/compile.ts'
import { generateVerifier, MAX_INPUTS_IN_CODE, MAX_PUBLIC_INPUTS } from '../src/solidity/verifier.ts'
import { makeFixtures, options } from '../test/solidity/fixtures.ts'
import { startLab } from '../test/solidity/lab.ts'

const sizes = [1, 3, 10, 100]
const large = [MAX_INPUTS_IN_CODE, MAX_INPUTS_IN_CODE + 1, 640, MAX_PUBLIC_INPUTS]
const [fixtures, lab] = await Promise.all([
  makeFixtures({ sizes, simulate: large }),
  startLab({ args: ['--enable-tx-gas-limit'] }),
])
try {
  const rows = []
  for (const n of [...sizes, ...large]) {
    const { vk, proof, publicSignals, theirs } = fixtures[n]!
    const words = [proofWords(proof), publicSignals]
    const points = [...proofArguments(proof), publicSignals]
    const pointsForm = `verifyProof(uint256[2],uint256[2][2],uint256[2],uint256[${n}])`
    for (const [who, source, name, signature, args] of [
      ['ours', generateVerifier(vk, options), 'Verifier', `verifyProof(uint256[8],uint256[${n}])`, words],
      ['ours, a b c', generateVerifier(vk, options), 'Verifier', pointsForm, points],
      ['snarkjs', theirs, 'Groth16Verifier', pointsForm, points],
    ] as const) {
      if (source === '') continue
      const compiled = await compileContract(source, name)
      const contract = await lab.deploy(compiled)
      if ((await lab.ask(contract, signature, args)) !== true) throw new Error(`${who}, n = ${n}: honest proof refused`)
      const { tx, exec } = await lab.measure(contract, signature, args)
      const receipt = await lab.connection.provider.getTransactionReceipt(contract.deploymentTransaction()!.hash)
      const [bytes, initBytes] = [compiled.deployedBytecode, compiled.bytecode].map((code) => code.length / 2 - 1)
      rows.push({ n, who, tx, exec, floor: 181_100 + 6_350 * n, deploy: Number(receipt!.gasUsed), bytes, initBytes })
    }
  }
  if (process.argv.includes('--json')) console.log(JSON.stringify(rows))
  else console.table(rows)
} finally {
  await lab.stop()
}
