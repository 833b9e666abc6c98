import type { Parameter } from './layers.ts'

/** Takes the summed gradients of a batch, moves the parameters, clears the gradients. */
export type Optimiser = { readonly step: (rate: number, batchSize: number) => void }

/**
 * Adam with decoupled weight decay (Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithm 2), the
 * decay on weights only: a parameter with one axis is a bias and is left alone.
 */
export function createAdam(parameters: readonly Parameter[], decay: number): Optimiser {
  const beta1 = 0.9
  const beta2 = 0.999
  const epsilon = 1e-8
  const moments = parameters.map(({ value }) => ({
    first: new Float64Array(value.length),
    second: new Float64Array(value.length),
  }))
  let steps = 0
  return {
    step(rate, batchSize) {
      steps++
      const correct1 = 1 - beta1 ** steps
      const correct2 = 1 - beta2 ** steps
      parameters.forEach(({ shape, value, gradient }, p) => {
        const { first, second } = moments[p]!
        const shrink = shape.length > 1 ? 1 - rate * decay : 1
        for (let i = 0; i < value.length; i++) {
          const g = gradient[i]! / batchSize
          first[i] = beta1 * first[i]! + (1 - beta1) * g
          second[i] = beta2 * second[i]! + (1 - beta2) * g * g
          const move = first[i]! / correct1 / (Math.sqrt(second[i]! / correct2) + epsilon)
          value[i] = value[i]! * shrink - rate * move
        }
        gradient.fill(0)
      })
    },
  }
}
