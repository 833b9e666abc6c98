/**
 * Everything about verifier-contracts: format, lint, sizes, tests, gas snapshots. Makes what the tests need first.
 *
 *     npm run test:contracts
 *     npm run test:contracts -- --update-gas                          rewrite verifier-contracts/snapshots
 *     npm run test:contracts -- --match-path 'test/Batch.t.sol' …     tests alone; arguments go to `forge test`
 */
import { spawnSync } from 'node:child_process'
import { writeFixtures } from './fixtures.ts'
import { findForge } from './forge.ts'

const { forge, cwd } = findForge()
const updateGas = process.argv.includes('--update-gas')
const given = process.argv.slice(2).filter((word) => word !== '--update-gas')

function run(...words: string[]): void {
  const env = { ...process.env, FORGE_SNAPSHOT_CHECK: String(!updateGas) }
  const { status, signal, error } = spawnSync(forge, words, { cwd, stdio: 'inherit', env })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? (signal === null ? 1 : 130))
}

writeFixtures()
if (given.length === 0) {
  run('fmt', '--check')
  run('lint', '-D', 'warnings')
  // every contract but those of the tests within EIP-170 and EIP-3860; apart, or the tests would not be built
  const apart = '../node_modules/.cache/forge/sizes'
  run('build', '--sizes', '--skip', 'test', '--out', apart, '--cache-path', `${apart}-cache`)
}
run('test', ...given)
