import { treeSums } from './regressor.ts'
import { ensembleTrees } from './treeModel.ts'

/** Sums or averages of decision trees, also by set membership. https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html */
export const treeEnsemble = treeSums('TreeEnsemble', [5, 5], ensembleTrees)
