/**
 * Mutation check of the verifiers: changes their sources in small ways, one at a time, and runs the tests that should notice.
 * Prints every mutant that survives; fails if fewer than 95 % are caught. Slow: some seconds for each mutant.
 *
 *     npm run mutate                  a sample, the same every time
 *     npm run mutate -- --all         all mutants
 *     npm run mutate -- --only KeyVerifier [--seed 7] [--sample 40]
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../../src/packageRoot.ts'
import { seeded } from '../../test/support/random.ts'
import { writeFixtures } from './fixtures.ts'
import { findForge } from './forge.ts'
import { type Mutant, mutantsOf } from './mutants.ts'

type Target = {
  readonly name: string
  readonly file: string
  /** Only between these marks. */
  readonly from?: string
  readonly to?: string
  readonly tests: readonly string[]
  /** Mutants of a default run. */
  readonly sample: number
}

const TARGETS: readonly Target[] = [
  { name: 'KeyVerifier', file: 'verifiers/KeyVerifier.sol', tests: ['KeyVerifier', 'Batch', 'Compressed'], sample: 60 },
  { name: 'PhaseOneVerifier', file: 'verifiers/PhaseOneVerifier.sol', tests: ['KeyVerifier', 'Batch'], sample: 15 },
  { name: 'UniversalVerifier', file: 'verifiers/UniversalVerifier.sol', tests: ['KeyVerifier'], sample: 10 },
  { name: 'InputCompression', file: 'libraries/InputCompression.sol', tests: ['Compressed'], sample: 20 },
  { name: 'IntegerCodec', file: 'libraries/IntegerCodec.sol', tests: ['IntegerCodec'], sample: 20 },
  { name: 'InferenceVerifier', file: 'registry/InferenceVerifier.sol', tests: ['InferenceVerifier'], sample: 20 },
  { name: 'ModelRegistry', file: 'registry/ModelRegistry.sol', tests: ['ModelRegistry'], sample: 15 },
  ...['Verifier3', 'Verifier9'].map((name) => ({
    ...{ name, file: `test/generated/${name}.sol`, from: 'function verify(', to: `contract ${name}` },
    ...{ tests: ['Generated'], sample: 25 },
  })),
  {
    ...{
      name: 'CompressedVerifier',
      file: 'test/generated/CompressedVerifier.sol',
      from: 'function verifyCompressed(',
    },
    ...{ to: 'contract CompressedVerifier', tests: ['Compressed'], sample: 15 },
  },
]

/** Mutants that nothing can tell from the original, by what they change. Each is a claim to check when it is added. */
const EQUIVALENT: readonly (readonly [before: RegExp, after: RegExp, why: string, above?: RegExp])[] = [
  [/staticcall\(.*, 0x40\)\)/, /, 0x60\)\)/, 'a precompile returns two words, however much room there is for them'],
  [/lt\(s, R\)/, /^$|or\(|, 1\)/, 'r and e are computed mod r', /s := mload\(add\(x, 0x0[24]0\)\)/],
  [/X = IC_0/, /0x1c0\), 0x60\)/, 'the third word is overwritten by the first factor'],
  [/8, .*, 0x20\)\)/, /, 0x[46]0\)\)/, 'the pairing returns one word, however much room there is for it'],
  [/mcopy\(t, (ic|key), 0x40\)/, /0x60\)/, 'the third word is overwritten by the factor'],
  [/mcopy\(add\(t, 0x40\), (x|sumC), 0x40\)/, /0x60\)/, 'an addition reads four words'],
  [
    /staticcall\(mulGas, 7, t, 0x60, t, 0x40\)/,
    /:= or/,
    'the key is on the curve, and where C is not, the addition behind it fails',
  ],
  [
    /calldatacopy\(t, add\(proof, 0xc0\), 0x40\)/,
    /0x60\)/,
    'the third word is overwritten by the coefficient, or by the sum',
  ],
  [/^n = \(size - 1 - /, /size \+ 1/, 'two bytes more are no signal more: the quotient is rounded down'],
  [
    /calls := and\(calls, staticcall\((mul\(.*?\)|\d+), [67], .*(IC_i|add to X)/,
    /:= or/,
    'the key is on the curve: with gas these never fail',
  ],
]

const { values: options } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    only: { type: 'string' },
    seed: { type: 'string', default: '1' },
    sample: { type: 'string' },
  },
})

const { forge } = findForge()
const contracts = join(packageRoot, 'verifier-contracts')
writeFixtures()

/** A project with the contracts and only those tests. */
function projectFor({ tests }: Target): string {
  const folder = mkdtempSync(join(tmpdir(), 'veritensor-mutants-'))
  cpSync(contracts, folder, {
    recursive: true,
    filter: (path) => !path.endsWith('.t.sol') || tests.some((name) => path.endsWith(`/${name}.t.sol`)),
  })
  // examples and adapters only cost time
  const registry = ['InferenceVerifier', 'ModelRegistry'].some((name) => tests.includes(name))
  if (!registry) rmSync(join(folder, 'registry'), { recursive: true })
  for (const unused of ['adapters', 'consumers', 'snapshots']) rmSync(join(folder, unused), { recursive: true })
  if (!registry) rmSync(join(folder, 'test/support/World.sol'))
  return folder
}

type Fate = 'caught' | 'survived' | 'stillborn'

function tryMutant(folder: string): Fate {
  const env = {
    ...process.env,
    FOUNDRY_SOLC: join(packageRoot, 'scripts/forge/solc.cjs'),
    FOUNDRY_OUT: join(folder, 'out'),
    FOUNDRY_CACHE_PATH: join(folder, 'cache'),
    FOUNDRY_FUZZ_RUNS: '48',
    FOUNDRY_INVARIANT_RUNS: '2',
  }
  const { status, stdout, stderr } = spawnSync(forge, ['test', '--root', folder, '--fail-fast'], {
    ...{ env, encoding: 'utf8', timeout: 300_000 },
  })
  if (status === 0) return 'survived'
  return /Compiler run failed|Compilation failed/.test(stdout + stderr) ? 'stillborn' : 'caught'
}

const count = { caught: 0, survived: 0, stillborn: 0, equivalent: 0 }
for (const target of TARGETS) {
  if (options.only !== undefined && target.name !== options.only) continue
  const folder = projectFor(target)
  try {
    if (tryMutant(folder) !== 'survived') throw new Error(`${target.name}: the tests fail on the original`)
    const path = join(folder, target.file)
    const original = readFileSync(path, 'utf8')
    const random = seeded(Number(options.seed))
    const all = mutantsOf(original, target.from, target.to)
    const wanted = options.all ? all.length : Math.min(Number(options.sample ?? target.sample), all.length)
    // a sample without repetition, in the order of the source
    const chosen: Mutant[] = []
    for (const [i, mutant] of all.entries())
      if (random.unit() * (all.length - i) < wanted - chosen.length) chosen.push(mutant)
    for (const mutant of chosen) {
      const known = EQUIVALENT.some(
        ([before, after, , above]) =>
          before.test(mutant.before) && after.test(mutant.after) && (above?.test(mutant.above) ?? true),
      )
      if (known) {
        count.equivalent++
        continue
      }
      writeFileSync(path, mutant.source)
      const fate = tryMutant(folder)
      count[fate]++
      if (fate === 'survived')
        console.log(
          `SURVIVED ${target.file}:${mutant.line} ${mutant.what}\n    - ${mutant.before}\n    + ${mutant.after}`,
        )
    }
    writeFileSync(path, original)
    console.log(`${target.name}: ${chosen.length} of ${all.length} mutants tried; so far ${JSON.stringify(count)}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
const tried = count.caught + count.survived
const share = tried === 0 ? 1 : count.caught / tried
console.log(JSON.stringify({ ...count, share: Number(share.toFixed(4)) }))
if (share < 0.95) process.exitCode = 1
