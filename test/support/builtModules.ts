import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inject } from 'vitest'

export { loaderOf } from '../../src/workers/modules.ts'

/** The bundle that `built.ts` has made of a module, by its path without extension. */
export const bundleOf = (path: string): URL => pathToFileURL(join(inject('built'), `${path}.mjs`))

/** In place of the same function of `src/workers/modules.ts`. */
export const moduleOf = (name: string): URL => bundleOf(`src/workers/${name}`)
