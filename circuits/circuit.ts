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
  /** The coefficients that occur, each once, as signed representatives in (-p/2, p/2]. */
  readonly coefficients: readonly bigint[]
  /** 3 · rows combination ids: a, b, c of row r at 3r, 3r+1, 3r+2. */
  readonly rowLC: Uint32Array
  /** Witness program: see solve.ts for the encoding. */
  readonly program: Int32Array
  /** Tables that steps of the program refer to (lookup tables, constants). */
  readonly tables: readonly (readonly number[])[]
  /** Names of hint functions that the program refers to by index. */
  readonly hintNames: readonly string[]
  /** 1 for wires that may hold any field element; 0 for wires that hold an integer of magnitude below 2⁵³. */
  readonly wideWire: Uint8Array
  /** Labels of the places in the model that made the rows; `rowScope` maps each row to one. */
  readonly scopes: readonly string[]
  readonly rowScope: Uint32Array
}

/** Number of public signals, without the constant. */
export const publicCount = (circuit: Pick<Circuit, 'publicOutputs' | 'publicInputs'>): number =>
  circuit.publicOutputs + circuit.publicInputs
