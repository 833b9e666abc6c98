import { treeSums } from './regressor.ts'
import { exampleTree, regressorTrees } from './treeModel.ts'

/**
 * Sums or averages of decision trees, compared as in TreeEnsembleClassifier.
 * https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html
 */
export const treeEnsembleRegressor = treeSums('TreeEnsembleRegressor', [1, 5], regressorTrees, {
  ...exampleTree,
  target_treeids: [0, 0],
  target_nodeids: [1, 2],
  target_ids: [0, 0],
  target_weights: [1, -2],
  n_targets: 1,
})
