import type { Op } from '../op.ts'
import { treeEnsemble } from './treeEnsemble.ts'
import { treeEnsembleClassifier } from './treeEnsembleClassifier.ts'
import { treeEnsembleRegressor } from './treeEnsembleRegressor.ts'

/** Operators of ai.onnx.ml. */
export const mlOps: readonly Op[] = [treeEnsemble, treeEnsembleClassifier, treeEnsembleRegressor]
