// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title Input compression: many public values of a proof as three field elements
/// @notice The public values of an inference are the bytes X. The proof has the public signals y, r, e instead: y is the
/// circuit's Poseidon commitment to X, r a challenge that depends on both, and e the polynomial whose coefficients are
/// the length of X and X's words of 31 bytes, at r. docs/input-compression.md states what that proves, and why.
/// @dev Whoever verifies computes r and e here and never takes them from a caller: a prover who chose r, or who knew it
/// before y, could prove a statement about one X and have it accepted for another.
library InputCompression {
    /// @dev Order of BN254's scalar field.
    uint256 internal constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    /// @dev Names this transcript and its version.
    bytes32 internal constant TAG = keccak256("veritensor/input-compression/v1");

    /// @notice What a challenge is bound to besides the statement: a proof made for one domain is worth nothing in any
    /// other. `chainId` and `verifier` are `block.chainid` and the address of the contract that computes the challenge.
    /// Proofs that are verified off the chain alone have 0 for both.
    /// @param vkHash Keccak-256 of the verifying key's words alpha, beta, gamma, delta, IC (G2 as x1, x0, y1, y0).
    /// @param length Number of bytes of X.
    function domain(bytes32 vkHash, uint256 chainId, address verifier, uint256 length) internal pure returns (bytes32) {
        return keccak256(abi.encode(TAG, vkHash, chainId, verifier, length));
    }

    /// @notice Challenge and evaluation for X = head ‖ tail.
    /// r = keccak256(domain ‖ ctx ‖ y ‖ X) mod R. With W words w_0 … of 31 bytes each, big-endian, the last one filled with
    /// zeros on the right: e = length · r^W + w_0 · r^(W - 1) + … + w_(W - 1) mod R.
    /// @param domain_ From {domain}, for the length of X.
    /// @param ctx Whatever else the proof shall be bound to: the prover, a request, a nonce.
    /// @param y Commitment to X. Not checked to be below R: the verifier does, as for every signal.
    function challenge(bytes32 domain_, bytes32 ctx, uint256 y, bytes calldata head, bytes calldata tail)
        internal
        pure
        returns (uint256 r, uint256 e)
    {
        assembly ("memory-safe") {
            let m := mload(0x40)
            let from := add(m, 0x60)
            mstore(m, domain_)
            mstore(add(m, 0x20), ctx)
            mstore(add(m, 0x40), y)
            calldatacopy(from, head.offset, head.length)
            calldatacopy(add(from, head.length), tail.offset, tail.length)
            e := add(head.length, tail.length)
            let rest := mod(e, 31)
            let end := add(from, e)
            r := mod(keccak256(m, sub(end, m)), R)
            let full := sub(end, rest)
            for {} lt(from, full) { from := add(from, 31) } {
                e := addmod(mulmod(e, r, R), shr(8, mload(from)), R)
            }
            // The last word: what lies behind X in memory is cut off.
            if rest {
                let surplus := shl(3, sub(32, rest))
                e := addmod(mulmod(e, r, R), shr(8, shl(surplus, shr(surplus, mload(from)))), R)
            }
        }
    }
}
