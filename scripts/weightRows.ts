/**
 * The rows of a dense network with open weights, part by part: as the circuit has them, and by the formulas of the gadgets'
 * docstrings.
 * @module
 */

import { rowsByScope } from '../circuits/circuit.ts'
import { elementBits, elementsPerWord } from '../circuits/commitment.ts'
import { PARTIAL_ROUNDS } from '../circuits/gadgets/poseidonConstants.ts'
import { requantiseWindow } from '../circuits/gadgets/requantise.ts'
import { bitLength } from '../circuits/lc.ts'
import { chooseBlock, productRows } from '../circuits/productMap.ts'
import { weightsForm } from '../src/compile.ts'
import { arrange } from '../src/model/arrange.ts'
import { product } from '../src/model/layers/product.ts'
import { analyse, weightsOf } from '../src/model/model.ts'
import type { Compiled } from '../src/pipeline/compileModel.ts'
import { sizeOf } from '../src/tensor.ts'

/** Rows of a part: counted in the circuit, and what the formula gives. */
export type Part = { readonly rows: number; readonly formula: number; readonly how: string }

const sum = (values: Iterable<number>): number => [...values].reduce((n, v) => n + v, 0)

/** The parts of a chain of dense layers with one row of inputs, committed weights, private inputs and public outputs. */
export function weightRows({ model, visibility, circuit }: Compiled): Readonly<Record<string, Part>> {
  const scopes = rowsByScope(circuit)
  const counted = (matches: (scope: string) => boolean): number =>
    sum([...scopes].filter(([scope]) => matches(scope)).map(([, rows]) => rows))
  const tensors = weightsOf(model)
  const bits = tensors.map(elementBits)
  const counts = tensors.map(({ shape }) => sizeOf(shape))
  const { salted } = weightsForm(model, visibility)

  // words, one constant before each tensor, the salt; in blocks of 15 after the running digest
  const words = tensors.map((tensor, t) => Math.ceil(counts[t]! / elementsPerWord(tensor)))
  const isConstant = [...(salted ? [false] : []), ...words.flatMap((n) => [true, ...new Array<boolean>(n).fill(false)])]
  let hash = 0
  for (let from = 0; from < isConstant.length; from += 15) {
    const block = isConstant.slice(from, from + 15)
    const constants = block.filter(Boolean).length + (from === 0 ? 1 : 0)
    hash += 3 * (8 * (block.length + 2) + PARTIAL_ROUNDS[block.length]! - 1 - constants)
  }

  const arranged = arrange(model)
  const infos = analyse(arranged)
  const parts: Record<string, Part> = {}
  const inputs = model.inputs[0]!
  const inputBits = bitLength(BigInt(inputs.hi - inputs.lo))
  parts['range of the inputs'] = {
    rows: counted((scope) => scope.endsWith('/input range')),
    formula: sizeOf(inputs.shape) * (inputBits + 1),
    how: `${sizeOf(inputs.shape)} · (${inputBits} + 1)`,
  }
  parts['bits of the weights'] = {
    rows: counted((scope) => scope.endsWith('/weights')),
    formula: sum(counts.map((n, t) => n * bits[t]!)),
    how: counts.map((n, t) => `${n} · ${bits[t]}`).join(' + '),
  }
  parts['digest of the weights'] = {
    rows: counted((scope) => scope === 'weights/commitment'),
    formula: sum(words) + hash + 1,
    how: `${sum(words)} words + ${Math.ceil(isConstant.length / 15)} permutations of Poseidon (${hash}) + 1`,
  }
  for (const layer of arranged.layers) {
    if (layer.kind !== 'product' || layer.map.type !== 'matMul') continue
    const { rounding: given, ...unrounded } = layer
    const { lo, hi } = product.bounds(
      unrounded,
      layer.inputs.map((id) => infos[id]!),
    )
    const range = { lo: BigInt(lo), hi: BigInt(hi) }
    const rounding = given && { shift: given.shift, lo: BigInt(given.lo), hi: BigInt(given.hi) }
    const width = rounding === undefined ? bitLength(range.hi - range.lo) : requantiseWindow(range, rounding).width
    const { rows: m, inner: k, columns: n } = layer.map
    const block = chooseBlock(layer.map, Math.floor(252 / width), width)
    // [no bit above the window] by isZero, and the product that clamps
    const clamp = rounding === undefined ? 0 : 4 * m * n
    parts[`product ${k} · ${n}`] = {
      rows: counted((scope) => scope === `${layer.name}/product`),
      formula: productRows(layer.map, block, width) + m * n * width + clamp,
      how: `${Math.ceil(n / block.columns)} · (${k} products + ${k} words + 1) + ${m * n} · ${width} bits${
        clamp > 0 ? ` + ${m * n} · 4` : ''
      }`,
    }
  }
  parts.outputs = {
    rows: counted((scope) => scope.endsWith('/output')),
    formula: sizeOf(model.outputs[0]!.shape),
    how: `${sizeOf(model.outputs[0]!.shape)}`,
  }
  return parts
}
