import type { LC } from './lc.ts'

/** Surplus terms over all uses from which on a combination is worth a row and a wire of its own. */
const SURPLUS = 64

/** Whether a combination that `uses` rows have among their factors should be a wire (`cs.materialise`). */
export const worthWire = (x: LC, uses: number): boolean => (x.wires.length - 1) * uses >= SURPLUS
