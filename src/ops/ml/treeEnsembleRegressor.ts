import { treeSums } from './regressor.ts'
import { regressorTrees } from './treeModel.ts'

/**
 * Sums or averages of decision trees, compared as in TreeEnsembleClassifier.
 * https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html
 */
export const treeEnsembleRegressor = treeSums('TreeEnsembleRegressor', [1, 5], regressorTrees, {
  nodes_treeids: [0, 0, 0],
  nodes_nodeids: [0, 1, 2],
  nodes_featureids: [1, 0, 0],
  nodes_modes: ['BRANCH_LEQ', 'LEAF', 'LEAF'],
  nodes_values: [0.25, 0, 0],
  nodes_truenodeids: [1, 0, 0],
  nodes_falsenodeids: [2, 0, 0],
  target_treeids: [0, 0],
  target_nodeids: [1, 2],
  target_ids: [0, 0],
  target_weights: [1, -2],
  n_targets: 1,
})
