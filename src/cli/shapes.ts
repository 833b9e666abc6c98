import type { Shape } from '../tensor.ts'
import { UsageError } from './args.ts'

/** `name=1,3,28,28` words as shapes by input name. Throws UsageError. */
export function parseShapes(words: readonly string[]): Record<string, Shape> {
  return Object.fromEntries(
    words.map((word) => {
      const match = /^(.+)=(\d+(?:,\d+)*)$/.exec(word)
      if (match === null) throw new UsageError(`option --shape: "${word}" is not of the form NAME=1,3,28,28`)
      return [match[1]!, match[2]!.split(',').map(Number)]
    }),
  )
}
