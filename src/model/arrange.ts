import type { IntegerModel } from './model.ts'
import { mergeClamps } from './rewrites/clamps.ts'
import { orderMaxima } from './rewrites/maxima.ts'
import { mergeMaxima, mergeMoves } from './rewrites/moves.ts'
import { fuseRounding } from './rewrites/products.ts'
import { shareElements, shareLayers } from './rewrites/share.ts'
import { shortenShifts } from './rewrites/shifts.ts'
import { mergeIntoTables, mergeRoundings, shareIndices, tablesToComparisons } from './rewrites/tables.ts'
import { removeUnusedElements, removeUnusedLayers } from './rewrites/unused.ts'

/** A step of the arrangement: the same function of the inputs, in layers that take fewer rows. */
export type Rewrite = (model: IntegerModel) => IntegerModel

/** All rewrites in order; each makes the next ones see more. */
export const rewrites: Readonly<Record<string, Rewrite>> = {
  mergeMoves,
  shareLayers,
  mergeClamps,
  mergeIntoTables,
  tablesToComparisons,
  removeUnusedLayers,
  mergeMaxima,
  orderMaxima,
  shortenShifts,
  shareElements,
  shareIndices,
  mergeRoundings,
  fuseRounding,
  removeUnusedElements,
}

/** The model as it is compiled: the same function, with layers arranged so that they take fewer rows. */
export const arrange = (model: IntegerModel): IntegerModel =>
  removeUnusedLayers(mergeMoves(Object.values(rewrites).reduce((m, rewrite) => rewrite(m), model)))
