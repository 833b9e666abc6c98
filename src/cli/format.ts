/** Rows as aligned columns; numbers (cells that begin with a digit) are set right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows]
  const widths = header.map((_, c) => Math.max(...all.map((row) => width(row[c] ?? ''))))
  const right = header.map(
    (_, c) => rows.length > 0 && rows.every((row) => /^[-–]?[\d.,]*[\d%–-]?( \w+)?$/.test(row[c] ?? '')),
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, c) => {
        const pad = ' '.repeat(Math.max(widths[c]! - width(cell), 0))
        return right[c] ? pad + cell : cell + pad
      })
      .join('  ')
      .trimEnd()
  return [line(header), widths.map((w) => '─'.repeat(w)).join('  '), ...rows.map(line)].join('\n')
}

const width = (text: string): number => [...text].length

/** 1,234,567. */
export const thousands = (n: number | bigint): string => n.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',')

/** 12.3 MB, in powers of 1000. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB']
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), 3)
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

/** 1 proof, 1,200 proofs. */
export const counted = (n: number, noun: string, plural = `${noun}s`): string =>
  `${thousands(n)} ${n === 1 ? noun : plural}`

/**
 * Text that is safe to print: names come from files of others, and control characters or marks that turn the direction of
 * writing could rewrite what stands on the terminal. Line breaks stay.
 */
export const printable = (text: string): string =>
  text.replace(/[^\P{Cc}\n]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '�')
