/**
 * Keys that are too large for the verifier's own code: the points IC_1 to IC_n stand on chain as the code of data
 * contracts, which the verifier's constructor creates and whose addresses are part of the verifier's code.
 * @module
 */
import type { G1 } from '../groth16/keys.ts'
import { g1Words, wordHex } from './calldata.ts'

/** Points in one data contract: 64 bytes each behind one byte, within the 24,576 bytes of EIP-170. */
const POINTS_PER_CONTRACT = 383

/** Bytes of the code that puts a data contract in place, see {@link initCode}. */
const INIT_BYTES = 10

type DataContract = {
  /** The immutable that holds the address. */
  readonly name: string
  /** Number of the first and the last of its points: IC_first to IC_last. */
  readonly first: number
  readonly last: number
  /** Bytes of its code. */
  readonly bytes: number
  /** What creates it, as hexadecimal digits in pieces. */
  readonly init: readonly string[]
}

const hex = (value: number, bytes: number): string => value.toString(16).padStart(2 * bytes, '0')

/**
 * PUSH2 bytes, DUP1, PUSH1 10, RETURNDATASIZE (0 at the start, and known to every EVM), CODECOPY, RETURNDATASIZE,
 * RETURN: what follows becomes the contract's code. It begins with STOP, so no call can ever run the data, which might
 * spell SELFDESTRUCT.
 */
const initCode = (bytes: number): string => `61${hex(bytes, 2)}80600a3d393df3`

function dataContracts(points: readonly G1[]): DataContract[] {
  return Array.from({ length: Math.ceil(points.length / POINTS_PER_CONTRACT) }, (_, i) => {
    const chunk = points.slice(i * POINTS_PER_CONTRACT, (i + 1) * POINTS_PER_CONTRACT)
    const first = i * POINTS_PER_CONTRACT + 1
    const bytes = 1 + 64 * chunk.length
    const words = chunk.flatMap((point) => g1Words(point).map((word) => wordHex(word).slice(2)))
    const init = [`${initCode(bytes)}00`, ...words]
    return { name: `KEY_DATA_${i + 1}`, first, last: first + chunk.length - 1, bytes, init }
  })
}

/** Parts of a contract that keeps points in data contracts. */
export type KeyDataParts = {
  /** The immutables. */
  readonly state: string
  /** Statements of the constructor. */
  readonly construct: string
  /** `createKeyData`, for the constructor, and `keyPoints`, which loads the points to memory and says where. */
  readonly functions: string
}

/** Solidity of these parts for IC_1 to IC_n, indented for a contract's body. */
export function keyDataParts(points: readonly G1[]): KeyDataParts {
  const contracts = dataContracts(points)
  const state = contracts.map(
    ({ name, first, last }) => `
    /// @notice Created by the constructor: its code is STOP and the key's points IC_${first} to IC_${last}, x and y of each.
    address public immutable ${name};`,
  )
  const construct = contracts.map(
    ({ name, init }) => `
        ${name} = createKeyData(
            hex"${init.join('"\n            hex"')}"
        );`,
  )
  const copied = (i: number): string => `data${i + 1}`
  const locals = contracts.map(
    ({ name }, i) => `
        address ${copied(i)} = ${name};`,
  )
  const missing = contracts.map(({ bytes }, i) => `${copied(i)}.code.length != ${bytes}`)
  const copy = contracts.map(({ first, bytes }, i) => {
    const to = i === 0 ? 'key' : `add(key, 0x${(64 * (first - 1)).toString(16)})`
    return `
            extcodecopy(${copied(i)}, ${to}, 1, ${bytes - 1})`
  })
  return {
    state: state.join('\n'),
    construct: construct.join(''),
    functions: `    /// @dev Creates a data contract; ${INIT_BYTES} bytes of what creates it do not stay.
    function createKeyData(bytes memory init) private returns (address data) {
        assembly ("memory-safe") {
            data := create(0, add(init, 0x20), mload(init))
        }
        if (data.code.length + ${INIT_BYTES} != init.length) revert KeyDataMissing();
    }

    /// @dev Loads IC_1 to IC_${points.length}, x and y of each, and says where in memory they begin.
    function keyPoints() private view returns (uint256 key) {${locals.join('')}
        // A copy of code that is not there gives zeros, and inputs times zero would be bound by nothing.
        if (${missing.join(' || ')}) revert KeyDataMissing();
        assembly ("memory-safe") {
            key := mload(0x40)
            mstore(0x40, add(key, ${64 * points.length}))${copy.join('')}
        }
    }
`,
  }
}
