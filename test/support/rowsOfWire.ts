import type { Circuit } from '../../circuits/circuit.ts'

/** Rows that each wire occurs in. */
export function rowsOfWires(circuit: Circuit): readonly (readonly number[])[] {
  const rows: number[][] = Array.from({ length: circuit.wires }, () => [])
  for (let r = 0; r < circuit.rows; r++)
    for (let side = 0; side < 3; side++) {
      const lc = circuit.rowLC[3 * r + side]!
      for (let i = circuit.lcStart[lc]!; i < circuit.lcStart[lc + 1]!; i++) {
        const found = rows[circuit.lcWire[i]!]!
        if (found.at(-1) !== r) found.push(r)
      }
    }
  return rows
}
