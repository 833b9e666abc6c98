import type { Classifier } from './evaluate.ts'
import { forward } from './network.ts'
import { decodeNetwork } from './onnx.ts'

/** Makes a classifier from the bytes of a committed model and of its calibration samples. */
export type Engine = (model: Uint8Array, calibration: Uint8Array) => Classifier

/** The ways to run an example model whose accuracy is compared; another one is another line. */
export const engines: Readonly<Record<string, Engine>> = {
  float: (model) => {
    const network = decodeNetwork(model)
    return (input) => forward(network, input)
  },
}
