/**
 * Grey images as text: two pixels per character, one above the other, which is about square on most terminals.
 * @module
 */

/** Levels from here on are ink. */
const INK = 0.4

/**
 * The inked part of an image as lines of ' ', '▀', '▄' and '█', without colour. Empty margins are cut off at left, right
 * and, in whole characters, at top and bottom; an image without ink is one empty line.
 *
 * @param pixels levels in [0, 1], row by row
 * @param width pixels of a row
 */
export function halfBlocks(pixels: ArrayLike<number>, width: number): string[] {
  const ink = (x: number, y: number): boolean => (pixels[y * width + x] ?? 0) >= INK
  const rows = Math.ceil(pixels.length / width / 2)
  const lines = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: width }, (_, x) => {
      const [upper, lower] = [ink(x, 2 * row), ink(x, 2 * row + 1)]
      return upper ? (lower ? '█' : '▀') : lower ? '▄' : ' '
    }).join(''),
  )
  const inked = lines.filter((line) => line.trim() !== '')
  if (inked.length === 0) return ['']
  const [first, last] = [lines.indexOf(inked[0]!), lines.lastIndexOf(inked.at(-1)!)]
  const left = Math.min(...inked.map((line) => line.length - line.trimStart().length))
  return lines.slice(first, last + 1).map((line) => line.slice(left).trimEnd())
}

/** A picture with a line of text below it. */
export type Captioned = { readonly lines: readonly string[]; readonly caption: string }

/** Blanks between pictures. */
const GAP = 3

/**
 * Pictures side by side, bottoms aligned, in as few rows as `columns` allow and about as many in each; rows are separated
 * by an empty line.
 */
export function gallery(pictures: readonly Captioned[], columns: number): string {
  const widthOf = ({ lines, caption }: Captioned): number => Math.max(caption.length, ...lines.map((l) => l.length))
  const fits = (row: readonly Captioned[]): boolean =>
    row.length < 2 || row.reduce((sum, picture) => sum + GAP + widthOf(picture), -GAP) <= columns
  const split = (most: number): Captioned[][] => {
    const rows: Captioned[][] = [[]]
    for (const picture of pictures) {
      const row = rows.at(-1)!
      if (row.length < most && fits([...row, picture])) row.push(picture)
      else rows.push([picture])
    }
    return rows
  }
  const fewest = split(pictures.length)
  const even = split(Math.ceil(pictures.length / fewest.length))
  const rows = even.length === fewest.length ? even : fewest
  return rows
    .map((row) => {
      const height = Math.max(...row.map(({ lines }) => lines.length))
      const line = (y: number): string =>
        row
          .map((picture) => {
            const { lines, caption } = picture
            const text = y === height ? caption : (lines[y - height + lines.length] ?? '')
            return text.padEnd(widthOf(picture))
          })
          .join(' '.repeat(GAP))
      return Array.from({ length: height + 1 }, (_, y) => line(y).trimEnd()).join('\n')
    })
    .join('\n\n')
}
