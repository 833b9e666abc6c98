/**
 * Bundles what threads and processes of the library run, once for all files of tests: they start in a quarter of the time that
 * they take through tsx. Files read them through `builtModules.ts`, which stands in for `src/workers/modules.ts`.
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { TestProject } from 'vitest/node'
import { packageRoot } from '../../src/packageRoot.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the bundles. */
    readonly built: string
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  // within the package, so that its dependencies are found
  const cache = join(packageRoot, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'veritensor-threads-'))
  const bundle = () =>
    build({
      entryPoints: ['worker', 'phase2Child'].map((name) => join(packageRoot, 'src/workers', `${name}.ts`)),
      ...{ bundle: true, packages: 'external', platform: 'node', format: 'esm', target: 'es2023' },
      ...{ outdir: folder, outExtension: { '.js': '.mjs' }, logLevel: 'warning' },
    })
  await bundle()
  project.onTestsRerun(async () => void (await bundle()))
  project.provide('built', folder)
  return () => rmSync(folder, { recursive: true, force: true })
}
