// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IInferenceVerifier} from "../../interfaces/IInferenceVerifier.sol";
import {IModelRegistry} from "../../interfaces/IModelRegistry.sol";
import {IZKMLRegistry} from "../../interfaces/IZKMLRegistry.sol";
import {InputCompression} from "../../libraries/InputCompression.sol";
import {InferenceVerifier} from "../../registry/InferenceVerifier.sol";
import {ModelRegistry} from "../../registry/ModelRegistry.sol";
import {UniversalVerifier} from "../../verifiers/UniversalVerifier.sol";
import {Simulator} from "./Simulator.sol";
import {Test} from "./Test.sol";

/// @dev A registry with models of simulated keys, and proofs of any of their statements.
abstract contract World is Test {
    using Simulator for Simulator.Key;

    uint256 internal constant R = Simulator.R;
    bytes4 internal constant DIRECT = bytes4(keccak256("groth16-bn254-v1"));
    bytes4 internal constant COMPRESSED = bytes4(keccak256("groth16-bn254-yre-v1"));
    address internal constant OWNER = address(0xA11CE);

    UniversalVerifier internal universal;
    ModelRegistry internal registry;
    InferenceVerifier internal inference;

    /// @dev Output of four elements of 3 bytes, input of 20 bytes; one signal for the output and two for the input;
    /// as the first with two commitments.
    Simulator.Key internal compressedKey = Simulator.Key(0, 3, 11);
    Simulator.Key internal directKey = Simulator.Key(1, 3, 12);
    Simulator.Key internal committedKey = Simulator.Key(2, 5, 13);
    uint256 internal compressedModel;
    uint256 internal directModel;
    uint256 internal committedModel;

    function setUp() public virtual {
        universal = new UniversalVerifier(1);
        registry = new ModelRegistry();
        inference = new InferenceVerifier(registry, universal);
        vm.startPrank(OWNER);
        compressedModel = register(compressedKey, COMPRESSED, 12, 20, 0);
        directModel = register(directKey, DIRECT, 32, 64, 0);
        committedModel = register(committedKey, COMPRESSED, 12, 20, 2);
        vm.stopPrank();
    }

    function register(
        Simulator.Key memory key,
        bytes4 system,
        uint32 outputBytes,
        uint32 inputBytes,
        uint16 commitments
    ) internal returns (uint256) {
        bytes32 vkHash = universal.store(key.words());
        return registry.registerModelWithDetails(
            commitmentOf(vkHash, system), detailsOf(outputBytes, inputBytes, commitments)
        );
    }

    function commitmentOf(bytes32 vkHash, bytes4 system) internal pure returns (IZKMLRegistry.ModelCommitment memory) {
        return IZKMLRegistry.ModelCommitment(keccak256("model"), keccak256("circuit"), vkHash, system, "ipfs://model");
    }

    function detailsOf(uint32 outputBytes, uint32 inputBytes, uint16 commitments)
        internal
        pure
        returns (IModelRegistry.ModelDetails memory)
    {
        return IModelRegistry.ModelDetails(
            keccak256("manifest"), "pot16.ptau", false, outputBytes, inputBytes, commitments, 0, 0, 0
        );
    }

    function pattern(uint256 length, uint256 seed) internal pure returns (bytes memory x) {
        x = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            x[i] = bytes1(uint8(uint256(keccak256(abi.encode(seed, i)))));
        }
    }

    /// @dev An honest proof of a compressed statement.
    function proveCompressed(
        Simulator.Key memory key,
        bytes32 ctx,
        uint256[] memory commitments,
        bytes memory output,
        bytes memory input
    ) internal view returns (IInferenceVerifier.InferenceProof memory proof) {
        bytes memory x = bytes.concat(output, input);
        bytes32 domain = InputCompression.domain(key.hash(), block.chainid, address(inference), x.length);
        proof.y = uint256(keccak256(x)) % R;
        (proof.ctx, proof.commitments, proof.input) = (ctx, commitments, input);
        uint256[] memory signals = new uint256[](3 + commitments.length);
        signals[0] = proof.y;
        (signals[1], signals[2]) = this.challengeOf(domain, ctx, proof.y, x);
        for (uint256 i = 0; i < commitments.length; i++) {
            signals[3 + i] = commitments[i];
        }
        proof.points = key.prove(signals, 1);
    }

    /// @dev For calldata.
    function challengeOf(bytes32 domain, bytes32 ctx, uint256 y, bytes calldata x)
        external
        pure
        returns (uint256, uint256)
    {
        return InputCompression.challenge(domain, ctx, y, x, x[x.length:]);
    }

    /// @dev An honest proof of a statement of words.
    function proveDirect(Simulator.Key memory key, bytes memory output, bytes memory input)
        internal
        view
        returns (IInferenceVerifier.InferenceProof memory proof)
    {
        bytes memory words = bytes.concat(output, input);
        uint256[] memory signals = new uint256[](words.length / 32);
        for (uint256 i = 0; i < signals.length; i++) {
            assembly {
                mstore(add(add(signals, 0x20), mul(i, 0x20)), mload(add(add(words, 0x20), mul(i, 0x20))))
            }
        }
        proof.input = input;
        proof.points = key.prove(signals, 1);
    }

    function none() internal pure returns (uint256[] memory) {
        return new uint256[](0);
    }

    /// @dev Another proof of the same statement: A' = 3A, B' = B/3 can't be computed without pairings' exponents, but
    /// (-A, -B, C) can.
    function rerandomised(uint256[8] memory p) internal pure returns (uint256[8] memory q) {
        q = p;
        q[1] = Simulator.Q - p[1];
        (q[4], q[5]) = (Simulator.Q - p[4], (Simulator.Q - p[5]) % Simulator.Q);
    }
}
