import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inject } from 'vitest'

export { loaderOf } from '../../src/workers/modules.ts'

/** In place of the same function of `src/workers/modules.ts`: the module as `built.ts` has bundled it. */
export const moduleOf = (name: string): URL => pathToFileURL(join(inject('built'), `${name}.mjs`))
