/**
 * Bundles what threads and processes run, once for all files of tests: they start in a fraction of the time that they take
 * through tsx. Tests name them by `bundleOf`; the library does too, as `builtModules.ts` stands in for `src/workers/modules.ts`.
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

const modules = [
  'src/workers/worker.ts',
  'src/workers/phase2Child.ts',
  'scripts/fuzz/child.ts',
  'test/scripts/misbehaving.ts',
]

export default async function setup(project: TestProject): Promise<() => void> {
  // within the package, so that its dependencies are found
  const cache = join(packageRoot, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'veritensor-threads-'))
  const bundle = () =>
    build({
      entryPoints: modules.map((path) => join(packageRoot, path)),
      ...{ bundle: true, packages: 'external', platform: 'node', format: 'esm', target: 'es2023' },
      ...{ outdir: folder, outbase: packageRoot, outExtension: { '.js': '.mjs' }, logLevel: 'warning' },
    })
  await bundle()
  project.onTestsRerun(async () => void (await bundle()))
  project.provide('built', folder)
  return () => rmSync(folder, { recursive: true, force: true })
}
