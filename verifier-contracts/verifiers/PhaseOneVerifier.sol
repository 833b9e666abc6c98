// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {KeyVerifier} from "./KeyVerifier.sol";

/// @title Groth16 verifier for every key of one ceremony's phase 1
/// @notice alpha, beta and gamma are the same for all keys made from one file of powers of tau. They are fixed here, so
/// that a key of another ceremony can't be stored, a model costs 73,000 gas less to add than in UniversalVerifier,
/// and proofs of different models can be verified in one batch.
contract PhaseOneVerifier is KeyVerifier {
    /// @notice Name of the phase 1, for people; what counts are the points.
    string public PHASE_ONE_NAME;

    /// @notice Keccak-256 of alpha, beta, gamma: ten words, G2 as x1, x0, y1, y0.
    bytes32 public immutable PHASE_ONE_HASH;

    // alpha, beta and gamma
    uint256 private immutable W0;
    uint256 private immutable W1;
    uint256 private immutable W2;
    uint256 private immutable W3;
    uint256 private immutable W4;
    uint256 private immutable W5;
    uint256 private immutable W6;
    uint256 private immutable W7;
    uint256 private immutable W8;
    uint256 private immutable W9;

    /// @param phaseOneName For people, such as the file's name.
    /// @param words alpha, beta, gamma, G2 as x1, x0, y1, y0.
    /// @param precompileGasFactor Price of the chain's BN254 precompiles relative to EIP-1108, rounded up: 1 on Ethereum.
    constructor(string memory phaseOneName, uint256[10] memory words, uint256 precompileGasFactor)
        KeyVerifier(precompileGasFactor)
    {
        PHASE_ONE_NAME = phaseOneName;
        PHASE_ONE_HASH = keccak256(abi.encode(words));
        uint256 pointer;
        assembly ("memory-safe") {
            pointer := words
        }
        _requireSafePhase(pointer);
        (W0, W1, W2, W3, W4) = (words[0], words[1], words[2], words[3], words[4]);
        (W5, W6, W7, W8, W9) = (words[5], words[6], words[7], words[8], words[9]);
    }

    /// @notice Stores a key of this phase 1. Stored again, it stays as it is.
    /// @param words What the key adds to the phase 1: delta, IC_0 … IC_n, G2 as x1, x0, y1, y0; 6 + 2n words, n from 1.
    /// @return vkHash Hash of the whole key: Keccak-256 of alpha, beta, gamma, delta, IC_0 … IC_n.
    function store(uint256[] calldata words) external returns (bytes32 vkHash) {
        if (words.length < 8 || words.length % 2 != 0) revert UnsafeKey();
        unchecked {
            uint256 length = 32 * words.length;
            uint256 n = (words.length - 6) / 2;
            uint256 key = _allocate(0x140 + length);
            _writePhase(key);
            assembly ("memory-safe") {
                calldatacopy(add(key, 0x140), words.offset, length)
                vkHash := keccak256(key, add(0x140, length))
            }
            _requireSafe(key, n);
            _store(vkHash, key + 0x140, length, n);
        }
    }

    /// @notice Whether every one of several proofs under several keys holds, in one equation with random coefficients:
    /// p + k + 2 pairings for p proofs under k keys. False tells nothing about which proof is bad.
    /// @param vkHashes Hashes of stored keys.
    /// @param counts How many proofs there are under each of them, at least one.
    /// @param proofs The proofs, those under the first key first.
    /// @param input Public signals of all proofs, one proof after the other.
    function verifyMixedBatch(
        bytes32[] calldata vkHashes,
        uint256[] calldata counts,
        uint256[8][] calldata proofs,
        uint256[] calldata input
    ) external view returns (bool) {
        if (vkHashes.length != counts.length) revert MalformedBatch();
        return _checkBatch(vkHashes, counts, proofs, input);
    }

    function _phaseBytes() internal pure override returns (uint256) {
        return 0;
    }

    function _writePhase(uint256 key) internal view override {
        (uint256 a, uint256 b, uint256 c, uint256 d, uint256 e) = (W0, W1, W2, W3, W4);
        assembly ("memory-safe") {
            mstore(key, a)
            mstore(add(key, 0x20), b)
            mstore(add(key, 0x40), c)
            mstore(add(key, 0x60), d)
            mstore(add(key, 0x80), e)
        }
        (a, b, c, d, e) = (W5, W6, W7, W8, W9);
        assembly ("memory-safe") {
            mstore(add(key, 0xa0), a)
            mstore(add(key, 0xc0), b)
            mstore(add(key, 0xe0), c)
            mstore(add(key, 0x100), d)
            mstore(add(key, 0x120), e)
        }
    }
}
