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

/** Pictures side by side, bottoms aligned, as many in a row as `columns` allow; rows are separated by an empty line. */
export function gallery(pictures: readonly Captioned[], columns: number): string {
  const widthOf = ({ lines, caption }: Captioned): number => Math.max(caption.length, ...lines.map((l) => l.length))
  const rows: Captioned[][] = []
  let used = Number.POSITIVE_INFINITY
  for (const picture of pictures) {
    used += GAP + widthOf(picture)
    if (used <= columns) rows.at(-1)!.push(picture)
    else {
      rows.push([picture])
      used = widthOf(picture)
    }
  }
  return rows
    .map((row) => {
      const height = Math.max(...row.map(({ lines }) => lines.length))
      const columnsOf = row.map(({ lines, caption }) => [
        ...Array.from({ length: height - lines.length }, () => ''),
        ...lines,
        caption,
      ])
      return Array.from({ length: height + 1 }, (_, y) =>
        row
          .map((picture, i) => columnsOf[i]![y]!.padEnd(widthOf(picture)))
          .join(' '.repeat(GAP))
          .trimEnd(),
      ).join('\n')
    })
    .join('\n\n')
}
