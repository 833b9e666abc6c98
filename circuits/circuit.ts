/**
 * A compiled circuit: R1CS and witness program as flat typed arrays, so that millions of rows fit, cross threads without
 * a copy (the arrays may lie on SharedArrayBuffers) and are saved as they are.
 * @module
 */

/** Index into the witness. Wire 0 always holds 1. */
export type Wire = number

/** Index of a linear combination in the circuit's pool. */
export type LCId = number

/**
 * Rows are ⟨a,w⟩·⟨b,w⟩ = ⟨c,w⟩. Wires are ordered: 0 = one, public outputs, public inputs, private inputs, the rest.
 *
 * Linear combinations live in one pool (compressed rows): combination k is
 * Σ coefficients[lcCoefficient[i]] · wire lcWire[i] for i in [lcStart[k], lcStart[k+1]). Wires ascend within one.
 */
export type Circuit = {
  /** Order of the field. */
  readonly prime: bigint
  readonly wires: number
  readonly publicOutputs: number
  readonly publicInputs: number
  readonly privateInputs: number
  readonly rows: number
  readonly lcStart: Uint32Array
  readonly lcWire: Uint32Array
  readonly lcCoefficient: Uint32Array
  /** 1 for combinations whose every partial sum is exact in doubles for a witness that the program makes. */
  readonly lcSafe: Uint8Array
  /** The coefficients that occur, each once, as signed representatives in (-p/2, p/2]. */
  readonly coefficients: readonly bigint[]
  /** 3 · rows combination ids: a, b, c of row r at 3r, 3r+1, 3r+2. */
  readonly rowLC: Uint32Array
  /** Witness program: see solve.ts for the encoding. */
  readonly program: Int32Array
  /** Integers that hints of the program refer to. */
  readonly tables: readonly (readonly number[])[]
  /** Names of hint functions that the program refers to by index. */
  readonly hintNames: readonly string[]
  /** 1 for wires that may hold any field element; 0 for wires that hold an integer of magnitude below 2⁵³. */
  readonly wideWire: Uint8Array
  /** Smallest and largest value of each input that is no wide wire, at 2i and 2i+1 (public inputs first). */
  readonly inputRanges: Float64Array
  /** Labels of the places in the model that made the rows; `rowScope` maps each row to one. */
  readonly scopes: readonly string[]
  readonly rowScope: Uint32Array
}

/** Number of public signals, without the constant. */
export const publicCount = (circuit: Pick<Circuit, 'publicOutputs' | 'publicInputs'>): number =>
  circuit.publicOutputs + circuit.publicInputs

/** Rows per scope label, in the order in which the labels first occurred. */
export function rowsByScope(circuit: Pick<Circuit, 'scopes' | 'rowScope'>): Map<string, number> {
  const counts = new Float64Array(circuit.scopes.length)
  for (const scope of circuit.rowScope) counts[scope]!++
  return new Map(circuit.scopes.map((label, i) => [label, counts[i]!]))
}
