/**
 * Parts of a generated verifier that takes the bytes of public tensors instead of public signals.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../packageRoot.ts'

/** Solidity of these parts, indented for a library's or a contract's body. */
export type CompressedForm = {
  /** The library that computes challenges, under a name of its own. */
  readonly compression: string
  readonly errors: string
  readonly identity: string
  /** Functions of the verifier's library, around `check`. */
  readonly internal: string
  /** Functions of the contract. */
  readonly external: string
}

const statement = `    /// @notice Whether the proof holds for the bytes of the public tensors.
    /// @param proof A.x, A.y, B.x1, B.x0, B.y1, B.y0, C.x, C.y.
    /// @param commitments Digests of committed tensors, each below r.
    /// @param y Commitment to the bytes, from the proof file, below r.
    /// @param ctx What else the proof was made for.
    /// @param x Bytes of the public tensors, outputs before inputs.`
const parameters = `        uint256[8] calldata proof,
        uint256[] calldata commitments,
        uint256 y,
        bytes32 ctx,
        bytes calldata x
    )`

/**
 * @param lib name of the verifier's library
 * @param n number of public signals: y, r, e and commitments
 * @param bytes number of bytes
 * @param vkDigest the key's hash, 0x…
 */
export function compressedForm(lib: string, n: number, bytes: number, vkDigest: string): CompressedForm {
  const compression = `${lib}Compression`
  const shipped = readFileSync(join(packageRoot, 'verifier-contracts', 'libraries', 'InputCompression.sol'), 'utf8')
  const body = shipped.slice(shipped.indexOf('/// @title')).trimEnd()
  return {
    compression: `${body.replace('library InputCompression {', `library ${compression} {`)}\n\n`,
    errors: `

    /// @notice The number of bytes is not that of the model's public tensors.
    error WrongLength(uint256 given, uint256 expected);`,
    identity: `
    /// @notice Number of bytes of the public tensors.
    uint256 public constant PUBLIC_BYTES = ${bytes};
`,
    internal: `${statement}
    function verifyCompressed(
${parameters} internal view returns (bool) {
        if (commitments.length != ${n - 3}) revert WrongInputCount(commitments.length, ${n - 3});
        (uint256 r, uint256 e) = challenge(ctx, y, x);
        (uint256 p, uint256 s) = (0, 0);
        assembly ("memory-safe") {
            p := proof
            s := mload(0x40)
            mstore(0x40, add(s, ${32 * n}))
            mstore(s, y)
            mstore(add(s, 0x20), r)
            mstore(add(s, 0x40), e)
            calldatacopy(add(s, 0x60), commitments.offset, ${32 * (n - 3)})
        }
        unchecked {
            return check(p, p + 0x40, p + 0xc0, s);
        }
    }

    /// @notice Challenge and evaluation for this chain and for the contract that runs this code.
    function challenge(bytes32 ctx, uint256 y, bytes calldata x) internal view returns (uint256 r, uint256 e) {
        if (x.length != ${bytes}) revert WrongLength(x.length, ${bytes});
        bytes32 domain = ${compression}.domain(${vkDigest}, block.chainid, address(this), ${bytes});
        return ${compression}.challenge(domain, ctx, y, x, x[${bytes}:]);
    }
`,
    external: `${statement}
    function verifyCompressed(
${parameters} public view returns (bool) {
        return ${lib}.verifyCompressed(proof, commitments, y, ctx, x);
    }

    /// @notice Challenge and evaluation that verifyCompressed computes: what a prover puts into the proof.
    function challenge(bytes32 ctx, uint256 y, bytes calldata x) public view returns (uint256 r, uint256 e) {
        return ${lib}.challenge(ctx, y, x);
    }
`,
  }
}
