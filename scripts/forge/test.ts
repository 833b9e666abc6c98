/**
 * Everything about verifier-contracts: format, lint, sizes, tests, gas snapshots. Makes what the tests need first, and counts
 * the tests that ran.
 *
 *     npm run test:contracts
 *     npm run test:contracts -- --update-gas                          rewrite verifier-contracts/snapshots
 *     npm run test:contracts -- --match-path 'test/Batch.t.sol' …     tests alone; arguments go to `forge test`
 */
import { spawnSync } from 'node:child_process'
import { writeFixtures } from './fixtures.ts'
import { findForge } from './forge.ts'

/** Below this, a fuzz test counts as an example. */
const FUZZ_RUNS = 1000

const { forge, cwd } = findForge()
const updateGas = process.argv.includes('--update-gas')
const given = process.argv.slice(2).filter((word) => word !== '--update-gas')

/** What forge printed, which is passed on. */
function run(...words: string[]): string {
  const env = { ...process.env, FORGE_SNAPSHOT_CHECK: String(!updateGas) }
  const { stdout, status, signal, error } = spawnSync(forge, words, {
    ...{ cwd, env, encoding: 'utf8', stdio: ['inherit', 'pipe', 'inherit'], maxBuffer: 2 ** 26 },
  })
  process.stdout.write(stdout ?? '')
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? (signal === null ? 1 : 130))
  return stdout
}

writeFixtures()
if (given.length === 0) {
  run('fmt', '--check')
  run('lint', '-D', 'warnings')
  // every contract but those of the tests within EIP-170 and EIP-3860; apart, or the tests would not be built
  const apart = '../node_modules/.cache/forge/sizes'
  run('build', '--sizes', '--skip', 'test', '--out', apart, '--cache-path', `${apart}-cache`)
}
const passed = [...run('test', ...given).matchAll(/^\[PASS\] (\w+)\(.*\(runs: (\d+)|^\[PASS\] (\w+)\(/gm)]
const names = passed.map(([, random, runs, plain]) => ({ name: random ?? plain!, runs: Number(runs ?? 1) }))
const count = (prefix: string, runs = 1): number =>
  names.filter((test) => test.name.startsWith(prefix) && test.runs >= runs).length
const [fuzz, invariants] = [count('testFuzz', FUZZ_RUNS), count('invariant')]
console.log(`${names.length} tests: ${fuzz} fuzz tests of ${FUZZ_RUNS} runs and more, ${invariants} invariants`)
if (given.length === 0 && (names.length < 60 || fuzz < 10 || invariants < 3)) {
  console.error('fewer than the 60 tests, 10 fuzz tests and 3 invariants that there shall be')
  process.exitCode = 1
}
