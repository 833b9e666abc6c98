/**
 * Solidity for one verifying key. The template is our own and MIT-licensed, as is everything that it generates.
 *
 * Rules that it keeps, with the reason beside each in the generated text or below:
 * public signals below r · proof words untouched, negations in the key · InsufficientGas instead of false · bounded gas
 * for the precompiles · values are returned, never by assembly `return`, so that inheriting is safe · the pairing's
 * answer is compared with 1 · unsafe keys are refused here, development keys by the contract off development chains.
 * @module
 */
import { keccak256 } from 'ethers/crypto'
import { VeritensorError } from '../errors.ts'
import { Q, R } from '../groth16/bn254.ts'
import { checkVerifyingKey, type G2, type VerifyingKey } from '../groth16/keys.ts'
import { g1Words, g2Words, wordHex } from './calldata.ts'
import { compressedForm } from './compressedForm.ts'
import { keyDataParts } from './keyData.ts'
import { keyWords } from './keyWords.ts'

/** Chain ids of local development nodes (anvil and hardhat; geth --dev and ganache), the only homes of a dev key. */
export const DEV_CHAIN_IDS: readonly bigint[] = [31337n, 1337n]

/**
 * Most public inputs whose verifier stays within EIP-170's 24,576 bytes with solc 0.8.37, optimiser on, any runs, not via
 * IR: 64 bytes per input besides the fixed part. With more, the key's points are code of data contracts (keyData.ts).
 * The limit itself is tested.
 */
export const MAX_INPUTS_IN_CODE = 348

/**
 * Most public inputs whose verifier can be deployed: constructor, verifier and data contracts together must stay within
 * EIP-3860's 49,152 bytes of init code, compiled as above. Deploying (10.7 million gas) and verifying (5.4 million at
 * Ethereum's prices) then are well below EIP-7825's 16,777,216 gas per transaction. The limit itself is tested.
 */
export const MAX_PUBLIC_INPUTS = 723

/**
 * Most public signals, y, r and e among them, where public tensors are compressed: such a verifier has its key in its code, and
 * computes challenges besides. The limit itself is tested.
 */
export const MAX_COMPRESSED_INPUTS = 339

/** Most bytes of compressed public tensors: a transaction of 128 kB, the most that nodes pass on, holds no more. */
export const MAX_COMPRESSED_BYTES = 130_000

/** Up to here the key's points are constants in straight code; above, a loop over a data blob is far cheaper to deploy. */
const UNROLLED_INPUTS = 8

export type VerifierOptions = {
  /**
   * Identifier of the contract, default `Verifier`; the internal library is called so with `Lib` behind it. There is no
   * library with more than {@link MAX_INPUTS_IN_CODE} inputs.
   */
  readonly contractName?: string
  /** Label of the model; anything but printable ASCII is replaced and only the first 64 characters are kept. */
  readonly modelName: string
  /** SHA-256 of the model file, 64 hexadecimal digits, `0x` or not. */
  readonly modelDigest: string
  /** SHA-256 of the circuit, likewise. */
  readonly circuitDigest: string
  /** What the key's ceremony is known by (ptau name, transcript digest), for the comments; label rules as above. */
  readonly ceremony?: string
  /**
   * Price of the chain's BN254 precompiles relative to EIP-1108, rounded up; 1 on Ethereum. The gas that a call may burn
   * and the gas demanded up front scale with it.
   */
  readonly precompileGasFactor?: number
  /**
   * For circuits with input compression (docs/input-compression.md): the number of bytes that their public tensors take.
   * The contract then satisfies `verifier-contracts/interfaces/ICompressedVerifier.sol` instead, and takes these bytes.
   */
  readonly compressedBytes?: number
}

/** An option of the generator is unusable. */
export class VerifierOptionError extends VeritensorError {
  constructor(option: string, value: unknown, expected: string) {
    super('usage/verifier-option', `verifier option ${option}: ${JSON.stringify(value)} is not ${expected}`, {
      details: { option, expected },
      fix: `Pass ${expected}.`,
    })
  }
}

/** The circuit has more public signals than a verifier can be deployed for, or none at all. */
export class PublicInputCountError extends VeritensorError {
  constructor(count: number, maximum = MAX_PUBLIC_INPUTS) {
    const none = count < 1
    super(
      none ? 'circuit/no-public-signals' : 'limit/public-inputs',
      none
        ? 'the circuit has no public signals, so a proof on chain would state nothing'
        : `${count} public signals are more than a verifier ${maximum === MAX_PUBLIC_INPUTS ? '' : 'of compressed tensors '}can be deployed for in one transaction (at most ${maximum} signals)`,
      {
        details: { count, maximum },
        fix: none
          ? 'Make the output (or the input) public when compiling the model.'
          : 'Make the larger of the public tensors private when compiling the model (--input private or --output private).',
      },
    )
  }
}

/** Words of the contract's reserved vocabulary and of Solidity itself that would not compile as a contract's name. */
const RESERVED = new Set(
  (
    'abstract address after alias anonymous apply as assembly auto bool break byte bytes calldata case catch constant ' +
    'constructor continue contract copyof days default define delete do else emit enum ether event external fallback ' +
    'false final fixed for function gwei hex hours if immutable implements import in indexed inline int interface ' +
    'internal is let library macro mapping match memory minutes modifier mutable new null of override partial payable ' +
    'pragma private promise public pure receive reference relocatable return returns sealed seconds sizeof static ' +
    'storage string struct supports switch this throw true try type typedef typeof uint ufixed unchecked unicode using ' +
    'var view virtual weeks wei while years'
  ).split(' '),
)

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
const offset = (bytes: number): string => `0x${bytes.toString(16).padStart(3, '0')}`

/** -P: the pairing equation needs three negated points; they sit in the key, where no input can make them wrap. */
const negate = ({ x, y }: G2): G2 => ({ x, y: [(Q - y[0]) % Q, (Q - y[1]) % Q] })

/** Text from outside that ends in a comment or a string: printable ASCII without quotes, escapes, tags, comment ends. */
function label(text: string): string {
  const safe = text.replace(/[^\x20-\x7e]/gu, '?').replace(/["\\@*/]/g, '_')
  return safe.length > 64 ? `${safe.slice(0, 61)}...` : safe
}

function digest(option: string, text: string): string {
  const hex = /^(?:0x)?([0-9a-fA-F]{64})$/.exec(text)?.[1]
  if (hex === undefined) throw new VerifierOptionError(option, text, 'a SHA-256 digest of 64 hexadecimal digits')
  return `0x${hex.toLowerCase()}`
}

function identifier(text: string): string {
  if (
    !/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(text) ||
    RESERVED.has(text) ||
    /^u?int\d+$|^bytes\d+$|^u?fixed\d/.test(text)
  )
    throw new VerifierOptionError('contractName', text, 'a Solidity identifier of at most 64 characters')
  return text
}

/**
 * Name of a key on chain: Keccak-256 of its words alpha, beta, gamma, delta, IC, G2 as x1, x0, y1, y0; `0x` and 64
 * hexadecimal digits. The contract's `VK_DIGEST`.
 */
export const verifyingKeyDigest = (vk: VerifyingKey): string =>
  keccak256(
    `0x${keyWords(vk)
      .map((word) => wordHex(word).slice(2))
      .join('')}`,
  )

/**
 * Gas that must be left for a verification with n public inputs to end by its own decision: EIP-1108's prices times
 * `factor`, the code around them, and the 1/64 that a call may not use (EIP-150), with a margin. Code takes about 300 per
 * input; reading data contracts takes 2,700 each and 25 per input, which the 450 have room for. Compressed bytes are copied,
 * hashed and evaluated, some 3 for each, and take memory.
 */
export function requiredGas(n: number, factor = 1, compressedBytes = 0): number {
  const precompiles = factor * (45_000 + 4 * 34_000 + n * (6_000 + 150))
  const code = 3_000 + n * 450 + 5 * compressedBytes
  return Math.ceil(((precompiles + code) * 64) / 63) + 4_000
}

/**
 * Solidity source of the verifier for `vk`: a library with internal functions and a contract around it that satisfies
 * `verifier-contracts/interfaces/IGroth16Verifier.sol`, or ICompressedVerifier.sol. Self-contained, one file, deterministic.
 *
 * With more than {@link MAX_INPUTS_IN_CODE} inputs there is the contract alone: its constructor creates data contracts
 * for the key, and a library would have to be told their addresses, hence could be told wrong ones.
 *
 * @throws PublicInputCountError if the key has no public inputs or more than {@link MAX_PUBLIC_INPUTS}
 * @throws VerifierOptionError if an option is malformed
 * @throws VeritensorError `key/…` if the key is unsafe (see checkVerifyingKey)
 */
export function generateVerifier(vk: VerifyingKey, options: VerifierOptions): string {
  const n = vk.nPublic
  if (!(n >= 1 && n <= MAX_PUBLIC_INPUTS)) throw new PublicInputCountError(n)
  checkVerifyingKey(vk)
  const name = identifier(options.contractName ?? 'Verifier')
  const lib = `${name}Lib`
  const factor = options.precompileGasFactor ?? 1
  if (!Number.isInteger(factor) || factor < 1 || factor > 1000)
    throw new VerifierOptionError('precompileGasFactor', factor, 'an integer in [1, 1000]')
  const { compressedBytes } = options
  if (compressedBytes !== undefined) {
    if (!Number.isSafeInteger(compressedBytes) || compressedBytes < 1 || compressedBytes > MAX_COMPRESSED_BYTES)
      throw new VerifierOptionError('compressedBytes', compressedBytes, `an integer in [1, ${MAX_COMPRESSED_BYTES}]`)
    if (n < 3) throw new VerifierOptionError('compressedBytes', compressedBytes, 'for a key with y, r and e')
    if (n > MAX_COMPRESSED_INPUTS) throw new PublicInputCountError(n, MAX_COMPRESSED_INPUTS)
  }
  const model = label(options.modelName)
  const digests = {
    model: digest('modelDigest', options.modelDigest),
    circuit: digest('circuitDigest', options.circuitDigest),
    vk: verifyingKeyDigest(vk),
  }

  // A call may burn at most twice its price: a point off the curve makes the precompile take all gas that it was given.
  const [addGas, mulGas, pairingGas] = [500, 12_000, 362_000].map((gas) => gas * factor) as [number, number, number]
  const store = (at: number, words: readonly bigint[]): string =>
    words.map((word, i) => `            mstore(add(m, ${offset(at + 32 * i)}), ${wordHex(word)})`).join('\n')

  // Compressed inputs are computed to memory.
  const read = compressedBytes === undefined ? 'calldataload' : 'mload'
  const multiplyAdd = [
    `calls := and(calls, staticcall(${mulGas}, 7, add(m, 0x280), 0x60, add(m, 0x280), 0x40)) // s · IC_i`,
    `calls := and(calls, staticcall(${addGas}, 6, add(m, 0x240), 0x80, add(m, 0x240), 0x40)) // add to X`,
  ]
  const unrolled = range(n)
    .map((i) =>
      [
        store(0x280, g1Words(vk.ic[i + 1]!)),
        `            s := ${read}(${i === 0 ? 'x' : `add(x, ${offset(32 * i)})`})`,
        '            ok := and(ok, lt(s, R))',
        '            mstore(add(m, 0x2c0), s)',
        ...multiplyAdd.map((line) => `            ${line}`),
      ].join('\n'),
    )
    .join('\n')
  const looped = [
    `            for { let end := add(x, ${offset(32 * n)}) } lt(x, end) { x := add(x, 0x20) key := add(key, 0x40) } {`,
    '                mstore(add(m, 0x280), mload(key))',
    '                mstore(add(m, 0x2a0), mload(add(key, 0x20)))',
    `                let s := ${read}(x)`,
    '                ok := and(ok, lt(s, R))',
    '                mstore(add(m, 0x2c0), s)',
    ...multiplyAdd.map((line) => `                ${line}`),
    '            }',
  ].join('\n')
  const points = vk.ic.slice(1)
  const hex = points.flatMap((point) => g1Words(point).map((word) => wordHex(word).slice(2)))
  const keyData = n > MAX_INPUTS_IN_CODE ? keyDataParts(points) : undefined
  // Where the points come from, and the sum over them.
  const form =
    n <= UNROLLED_INPUTS
      ? { load: '', local: '            let s\n', sum: unrolled }
      : keyData !== undefined
        ? {
            load: `
        uint256 key = keyPoints();`,
            local: '',
            sum: looped,
          }
        : {
            load: `
        // IC_1 to IC_${n}, x and y of each.
        bytes memory ic =
            hex"${hex.join('"\n            hex"')}";`,
            local: '            let key := add(ic, 0x20)\n',
            sum: looped,
          }

  const unsafe = vk.dev
    ? `
/// UNSAFE: made with a development key. Whoever made the key can forge a proof of anything, so this code refuses to
/// work off chain ids ${DEV_CHAIN_IDS.join(' and ')}. Make a production key (setup --ptau) before trusting any answer.`
    : ''
  const warning = vk.dev ? 'UNSAFE, DEVELOPMENT KEY: ' : ''
  const about = `/// @notice Model: ${model} (SHA-256 ${digests.model.slice(2)}).
/// Circuit: SHA-256 ${digests.circuit.slice(2)}.
/// Verifying key: Keccak-256 ${digests.vk.slice(2)}.
/// Ceremony: ${vk.dev ? 'none, development key' : label(options.ceremony ?? 'not stated')}.
/// Public inputs: ${n}.`
  const devError = vk.dev
    ? `

    /// @notice The key was made for development: whoever made it can forge proofs.
    error UnsafeDevelopmentKey(uint256 chainId);`
    : ''
  const devCheck = vk.dev
    ? `
    /// @dev Development keys work on development chains only.
    function requireDevelopmentChain() ${keyData === undefined ? 'internal' : 'private'} view {
        if (${DEV_CHAIN_IDS.map((id) => `block.chainid != ${id}`).join(' && ')}) revert UnsafeDevelopmentKey(block.chainid);
    }
`
    : ''

  const compressed = compressedBytes === undefined ? undefined : compressedForm(lib, n, compressedBytes, digests.vk)
  const errors = `    /// @notice Less gas is left than a verification may need. Nothing was decided about the proof.
    error InsufficientGas();

    /// @notice The number of public inputs is not the key's.
    error WrongInputCount(uint256 given, uint256 expected);${compressed?.errors ?? ''}${devError}`
  const order = `    /// @dev Order of BN254's scalar field. A larger input would stand for a second, equal value: it is refused.
    uint256 private constant R = ${wordHex(R)};`
  const title = `/// @title ${warning}Groth16 verifier for one model
${about}
/// Act on true only: false says that the words are no proof of the statement, not that the statement is wrong.
/// Proof bytes are no identity, anyone can turn a valid proof into others; key replay protection on the inputs.
/// A proof in the mempool can be sent by anyone; where that matters ${compressed ? 'ctx' : 'an input'} must name the beneficiary.`
  const identity = `    /// @notice Label of the model, for people; the identity is MODEL_DIGEST.
    string public constant MODEL_NAME = "${model}";

    /// @notice SHA-256 of the model file that was compiled.
    bytes32 public constant MODEL_DIGEST = ${digests.model};

    /// @notice SHA-256 of the compiled circuit.
    bytes32 public constant CIRCUIT_DIGEST = ${digests.circuit};

    /// @notice Keccak-256 of the verifying key's words alpha, beta, gamma, delta, IC (G2 as x1, x0, y1, y0).
    bytes32 public constant VK_DIGEST = ${digests.vk};

    /// @notice Number of public inputs.
    uint256 public constant PUBLIC_INPUTS = ${n};
${compressed?.identity ?? ''}
    /// @notice True if the key's secrets were known to whoever made it: its proofs prove nothing.
    bool public constant DEVELOPMENT_KEY = ${vk.dev};
`
  // What each overload does with its arguments: `check` wants to know where in calldata they are.
  const located = {
    words: `        (uint256 p, uint256 x) = (0, 0);
        assembly ("memory-safe") {
            p := proof
            x := input
        }
        unchecked {
            return check(p, p + 0x40, p + 0xc0, x);
        }`,
    points: `        (uint256 atA, uint256 atB, uint256 atC, uint256 x) = (0, 0, 0, 0);
        assembly ("memory-safe") {
            atA := a
            atB := b
            atC := c
            x := input
        }
        return check(atA, atB, atC, x);`,
    list: `        if (input.length != ${n}) revert WrongInputCount(input.length, ${n});
        (uint256 p, uint256 x) = (0, 0);
        assembly ("memory-safe") {
            p := proof
            x := input.offset
        }
        unchecked {
            return check(p, p + 0x40, p + 0xc0, x);
        }`,
  }
  const delegated = {
    words: `        return ${lib}.verify(proof, input);`,
    points: `        return ${lib}.verify(a, b, c, input);`,
    list: `        return ${lib}.verify(proof, input);`,
  }
  const overloads = (bodies: typeof located): string => `    /// @notice Whether the proof holds for the inputs.
    /// @param proof A.x, A.y, B.x1, B.x0, B.y1, B.y0, C.x, C.y.
    /// @param input Public signals in wire order, each below r.
    function verifyProof(uint256[8] calldata proof, uint256[${n}] calldata input) public view returns (bool) {
${bodies.words}
    }

    /// @notice The same with the points apart: a = (A.x, A.y), b = ((B.x1, B.x0), (B.y1, B.y0)), c = (C.x, C.y).
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[${n}] calldata input
    ) public view returns (bool) {
${bodies.points}
    }

    /// @notice The same with a list of inputs, for callers that serve verifiers of any size.
    function verify(uint256[8] calldata proof, uint256[] calldata input) public view returns (bool) {
${bodies.list}
    }
`
  const check = `    /// @dev a, b, c, x: where in calldata A, B, C and ${compressed ? 'where in memory ' : ''}the inputs begin.
    function check(uint256 a, uint256 b, uint256 c, uint256 x) private view returns (bool ok) {${
      vk.dev ? '\n        requireDevelopmentChain();' : ''
    }
        // Running dry inside a precompile looks like a bad proof, so a call that could is turned away first.
        if (gasleft() < ${requiredGas(n, factor, compressedBytes)}) revert InsufficientGas();${form.load}
        assembly ("memory-safe") {
            // m: A | B | C | -delta | alpha | -beta | X | -gamma; the last 0x60 bytes first hold IC_i and its factor
            let m := mload(0x40)
            let calls := 1
${form.local}            ok := 1
${store(0x240, g1Words(vk.ic[0]!))} // X = IC_0
${form.sum}
            calldatacopy(m, a, 0x40)
            calldatacopy(add(m, 0x40), b, 0x80)
            calldatacopy(add(m, 0xc0), c, 0x40)
${store(0x100, g2Words(negate(vk.delta)))}
${store(0x180, g1Words(vk.alpha))}
${store(0x1c0, g2Words(negate(vk.beta)))}
${store(0x280, g2Words(negate(vk.gamma)))}
            // The precompile refuses coordinates of q or more, points off the curve and, for B, outside the subgroup.
            calls := and(calls, staticcall(${pairingGas}, 8, m, 0x300, m, 0x20))
            ok := and(and(ok, calls), eq(mload(m), 1))
        }
    }
`

  const preamble = `// SPDX-License-Identifier: MIT
// Generated by Veritensor from a verifying key; generate again instead of editing.
// Compile with solc's optimiser on and viaIR off: the IR repeats the key's data and may exceed the size limit.
pragma solidity ^0.8.24;

`
  if (keyData !== undefined)
    return `${preamble}${title}
/// @dev Satisfies IGroth16Verifier. Checks
/// e(A, B) · e(C, -delta) · e(alpha, -beta) · e(X, -gamma) = 1 with X = IC_0 + sum of input_i · IC_(i+1).
/// The IC points are too many for this contract's own code: its constructor creates data contracts for them. Hence there
/// is no library form, which would have to be told addresses and could be told wrong ones; inherit this contract to
/// verify in other code, whose init code then has this one's size besides its own (EIP-3860 allows 49,152 bytes). Every
/// function returns its value, so inheriting is safe.${unsafe}
contract ${name} {
${errors}

    /// @notice A data contract with points of the key could not be created or is not there.
    error KeyDataMissing();

${order}

${identity}${keyData.state}

    constructor() {${vk.dev ? '\n        requireDevelopmentChain();' : ''}${keyData.construct}
    }

${overloads(located)}${devCheck}
${keyData.functions}
${check}}
`

  const internal =
    compressed?.internal ??
    `    /// @notice Whether the proof holds for the inputs.
    /// @param proof A.x, A.y, B.x1, B.x0, B.y1, B.y0, C.x, C.y.
    /// @param input Public signals in wire order, each below R.
    function verify(uint256[8] calldata proof, uint256[${n}] calldata input) internal view returns (bool) {
${located.words}
    }

    /// @notice The same with the points apart: a = (A.x, A.y), b = ((B.x1, B.x0), (B.y1, B.y0)), c = (C.x, C.y).
    function verify(uint256[2] calldata a, uint256[2][2] calldata b, uint256[2] calldata c, uint256[${n}] calldata input)
        internal
        view
        returns (bool)
    {
${located.points}
    }

    /// @notice The same with a list of inputs, which must have ${n} element${n === 1 ? '' : 's'}.
    function verify(uint256[8] calldata proof, uint256[] calldata input) internal view returns (bool) {
${located.list}
    }
`
  return `${preamble}${compressed?.compression ?? ''}/// @title ${warning}Groth16 verification for one model, as a library of internal functions
${about}
/// @dev For contracts that verify in their own code, also for several models at once. Checks
/// e(A, B) · e(C, -delta) · e(alpha, -beta) · e(X, -gamma) = 1 with X = IC_0 + sum of input_i · IC_(i+1).${unsafe}
library ${lib} {
${errors}

${order}
${devCheck}
${internal}
${check}}

${title}
/// @dev Satisfies ${compressed ? 'ICompressedVerifier' : 'IGroth16Verifier'}. Every function returns its value, so inheriting this contract is safe.${unsafe}
contract ${name} {
${identity}${
  vk.dev
    ? `
    constructor() {
        ${lib}.requireDevelopmentChain();
    }
`
    : ''
}
${compressed?.external ?? overloads(delegated)}}
`
}
