import { constantOf } from '../doc.ts'
import { treeSums } from './regressor.ts'
import { ensembleTrees } from './treeModel.ts'

/** Sums or averages of decision trees, also by set membership. https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html */
export const treeEnsemble = treeSums('TreeEnsemble', [5, 5], ensembleTrees, {
  tree_roots: [0],
  nodes_featureids: [1],
  nodes_modes: constantOf([1], [0], 'uint8'),
  nodes_splits: constantOf([1], [0.25]),
  nodes_truenodeids: [0],
  nodes_trueleafs: [1],
  nodes_falsenodeids: [1],
  nodes_falseleafs: [1],
  leaf_targetids: [0, 0],
  leaf_weights: constantOf([2], [1, -2]),
  n_targets: 1,
})
