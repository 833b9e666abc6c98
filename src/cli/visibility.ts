import type { TensorVisibility } from '../visibility.ts'
import { UsageError } from './args.ts'

export const VISIBILITIES = ['public', 'private', 'committed'] as const

/** What `--input` or `--output` says: a word for all tensors, and `NAME=word` for single ones. */
export type ParsedVisibility = {
  readonly all?: TensorVisibility
  readonly byName?: Readonly<Record<string, TensorVisibility>>
}

/** Throws UsageError. */
export function parseVisibility(option: string, words: readonly string[]): ParsedVisibility {
  const known = (word: string): TensorVisibility => {
    const found = VISIBILITIES.find((v) => v === word)
    if (found === undefined)
      throw new UsageError(
        `option --${option}: "${word}" is not one of ${VISIBILITIES.join(', ')}, nor NAME=one of them`,
      )
    return found
  }
  const byName = new Map<string, TensorVisibility>()
  let all: TensorVisibility | undefined
  for (const word of words) {
    // names may have an equals sign in them
    const at = word.lastIndexOf('=')
    if (at < 0 ? all !== undefined : byName.has(word.slice(0, at)))
      throw new UsageError(`option --${option}: ${at < 0 ? 'who sees all' : word.slice(0, at)} is given twice`)
    if (at < 0) all = known(word)
    else byName.set(word.slice(0, at), known(word.slice(at + 1)))
  }
  return {
    ...(all === undefined ? {} : { all }),
    ...(byName.size === 0 ? {} : { byName: Object.fromEntries(byName) }),
  }
}
