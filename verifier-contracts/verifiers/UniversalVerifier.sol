// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {KeyVerifier} from "./KeyVerifier.sol";

/// @title Groth16 verifier for every key
/// @notice Deployed once and for all models. A transaction that stores a key of three public signals costs 222,000 gas, and
/// 15,300 for each further signal; a verification costs 5,000 more than by a verifier of the model's own.
/// @dev Anyone may store any key that passes the checks. It says nothing about who made a key: that is for a registry.
contract UniversalVerifier is KeyVerifier {
    /// @param precompileGasFactor Price of the chain's BN254 precompiles relative to EIP-1108, rounded up: 1 on Ethereum.
    constructor(uint256 precompileGasFactor) KeyVerifier(precompileGasFactor) {}

    /// @notice Stores a key. Stored again, it stays as it is.
    /// @param words The key: alpha, beta, gamma, delta, IC_0 … IC_n, G2 as x1, x0, y1, y0; 16 + 2n words, n from 1.
    /// @return vkHash Keccak-256 of the words.
    function store(uint256[] calldata words) external returns (bytes32 vkHash) {
        if (words.length < 18 || words.length % 2 != 0) revert UnsafeKey();
        unchecked {
            uint256 length = 32 * words.length;
            uint256 n = (words.length - 16) / 2;
            uint256 key = _allocate(length);
            assembly ("memory-safe") {
                calldatacopy(key, words.offset, length)
                vkHash := keccak256(key, length)
            }
            _requireSafePhase(key);
            _requireSafe(key, n);
            _store(vkHash, key, length, n);
        }
    }

    function _phaseBytes() internal pure override returns (uint256) {
        return 0x140;
    }

    /// @dev All is in the key's data.
    function _writePhase(uint256 key) internal view override {}
}
