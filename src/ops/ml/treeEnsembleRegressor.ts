import { treeSums } from './regressor.ts'
import { regressorTrees } from './treeModel.ts'

/**
 * Sums or averages of decision trees, compared as in TreeEnsembleClassifier.
 * https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html
 */
export const treeEnsembleRegressor = treeSums('TreeEnsembleRegressor', [1, 5], regressorTrees)
