import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: {
    alias: [
      // threads start from bundles
      {
        find: './modules.ts',
        replacement: fileURLToPath(new URL('./test/support/builtModules.ts', import.meta.url)),
      },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/slow/**', 'node_modules/**'],
    globalSetup: ['test/support/built.ts'],
    pool: 'forks',
    // vitest leaves one processor to itself, which is half of two
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
