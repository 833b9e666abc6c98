import type { Circuit } from '../../circuits/circuit.ts'
import { createField } from '../../circuits/field.ts'
import { evaluateLC } from './interpret.ts'

/**
 * Wires that the rows leave room to move, to first order, at a satisfying witness: those without a pivot in the
 * Jacobian of the rows in all wires but the inputs. Blind to discrete choices; those are for lying hints.
 */
export function looseWires(circuit: Circuit, values: readonly bigint[]): number[] {
  const F = createField(circuit.prime)
  const inputs = circuit.publicInputs + circuit.privateInputs
  const isFixed = (wire: number): boolean =>
    wire === 0 || (wire > circuit.publicOutputs && wire <= circuit.publicOutputs + inputs)
  const pivots = new Map<number, Map<number, bigint>>()
  for (let r = 0; r < circuit.rows; r++) {
    const [a, b, c] = [0, 1, 2].map((side) => circuit.rowLC[3 * r + side]!) as [number, number, number]
    const row = new Map<number, bigint>()
    const add = (lc: number, factor: bigint): void => {
      for (let i = circuit.lcStart[lc]!; i < circuit.lcStart[lc + 1]!; i++) {
        const wire = circuit.lcWire[i]!
        if (isFixed(wire)) continue
        const sum = F.mod((row.get(wire) ?? 0n) + factor * circuit.coefficients[circuit.lcCoefficient[i]!]!)
        if (sum === 0n) row.delete(wire)
        else row.set(wire, sum)
      }
    }
    add(a, evaluateLC(circuit, b, values))
    add(b, evaluateLC(circuit, a, values))
    add(c, -1n)
    while (row.size > 0) {
      const pivot = Math.min(...row.keys())
      const by = pivots.get(pivot)
      if (by === undefined) {
        const scale = F.inv(row.get(pivot)!)
        for (const [column, k] of row) row.set(column, F.mul(k, scale))
        pivots.set(pivot, row)
        break
      }
      const factor = row.get(pivot)!
      for (const [column, k] of by) {
        const sum = F.mod((row.get(column) ?? 0n) - factor * k)
        if (sum === 0n) row.delete(column)
        else row.set(column, sum)
      }
    }
  }
  return Array.from({ length: circuit.wires }, (_, wire) => wire).filter((wire) => !isFixed(wire) && !pivots.has(wire))
}
