import type { Shape } from '../tensor.ts'
import { UsageError } from './args.ts'

/** `name=1x3x28x28` words (or with commas) as shapes by input name. Throws UsageError. */
export function parseShapes(words: readonly string[]): Record<string, Shape> {
  const shapes = new Map<string, Shape>()
  for (const word of words) {
    const match = /^(.+)=(\d+(?:[x,]\d+)*)$/.exec(word)
    if (match === null) throw new UsageError(`option --shape: "${word}" is not of the form NAME=1x3x28x28`)
    const [, name, sizes] = match as unknown as [string, string, string]
    if (shapes.has(name)) throw new UsageError(`option --shape: "${name}" is given twice`)
    shapes.set(name, sizes.split(/[x,]/).map(Number))
  }
  return Object.fromEntries(shapes)
}
