import type { Op } from '../op.ts'
import { arrayFeatureExtractor } from './arrayFeatureExtractor.ts'
import { binarizer } from './binarizer.ts'
import { featureVectorizer } from './featureVectorizer.ts'
import { imputer } from './imputer.ts'
import { labelEncoder } from './labelEncoder.ts'
import { linearClassifier } from './linearClassifier.ts'
import { linearRegressor } from './linearRegressor.ts'
import { normalizer } from './normalizer.ts'
import { oneHotEncoder } from './oneHotEncoder.ts'
import { scaler } from './scaler.ts'
import { svmClassifier } from './svmClassifier.ts'
import { svmRegressor } from './svmRegressor.ts'
import { treeEnsemble } from './treeEnsemble.ts'
import { treeEnsembleClassifier } from './treeEnsembleClassifier.ts'
import { treeEnsembleRegressor } from './treeEnsembleRegressor.ts'

/** Operators of ai.onnx.ml. */
export const mlOps: readonly Op[] = [
  arrayFeatureExtractor,
  binarizer,
  featureVectorizer,
  imputer,
  labelEncoder,
  linearClassifier,
  linearRegressor,
  normalizer,
  oneHotEncoder,
  scaler,
  svmClassifier,
  svmRegressor,
  treeEnsemble,
  treeEnsembleClassifier,
  treeEnsembleRegressor,
]
