/** Made-up int8 inputs. */
export const inputsOf = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => ((i * 89 + 31) % 256) - 128)
