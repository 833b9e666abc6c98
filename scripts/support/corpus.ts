import { join } from 'node:path'
import { packageRoot } from '../../src/packageRoot.ts'

/** Folder of real models and data: VERITENSOR_CORPUS, else ../shared/corpus beside the repository. It may not exist. */
export const corpus = process.env.VERITENSOR_CORPUS ?? join(packageRoot, '..', 'shared', 'corpus')
