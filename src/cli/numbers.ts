import { UsageError } from './args.ts'

/** A model's number in a registry. Throws UsageError. */
export function modelNumber(text: string): bigint {
  if (!/^[0-9]{1,78}$/.test(text)) throw new UsageError(`"${text}" is no model's number`)
  return BigInt(text)
}
