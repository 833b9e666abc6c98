/**
 * Runs forge on verifier-contracts, after making what its tests need. Arguments go to forge.
 *
 *     npm run test:contracts [-- --match-path 'test/Batch.t.sol' …]
 */
import { spawnSync } from 'node:child_process'
import { writeFixtures } from './fixtures.ts'
import { findForge } from './forge.ts'

writeFixtures()
const { forge, cwd } = findForge()
const { status } = spawnSync(forge, ['test', ...process.argv.slice(2)], { cwd, stdio: 'inherit' })
process.exitCode = status ?? 1
