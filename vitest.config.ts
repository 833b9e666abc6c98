import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Tests of functions alone, which share a process and what it has imported: they start and change nothing outside of it. */
const pure = [
  'test/{circuits,graph,model,ops,quantise}/**/*.test.ts',
  'test/pipeline/{examples,randomGraphs,signals}.test.ts',
  'test/{artefacts/manifest,attacks/model,examples/training,scripts/operators,solidity/calldata}.test.ts',
  'test/cli/{args,demo,format}.test.ts',
  'test/{layers,tensor}.test.ts',
]
const none = ['test/slow/**', 'node_modules/**']

const common = { pool: 'forks', testTimeout: 60_000, hookTimeout: 120_000 } as const
// threads start from bundles
const built = fileURLToPath(new URL('test/support/builtModules.ts', import.meta.url))

export default defineConfig({
  test: {
    // vitest leaves one processor to itself, which is half of two
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // in order of their names: the many short files last, so that all processors end together
    projects: [
      {
        resolve: { alias: [{ find: './modules.ts', replacement: built }] },
        test: {
          ...{ ...common, name: 'isolated', include: ['test/**/*.test.ts'], exclude: [...none, ...pure] },
          globalSetup: ['test/support/built.ts'],
        },
      },
      { test: { ...common, name: 'pure', include: pure, exclude: none, isolate: false } },
    ],
  },
})
