// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IZKMLVerifier} from "./IZKMLVerifier.sol";

/// @title Verifier of inferences of registered models
/// @notice Two proof systems: "groth16-bn254-v1", public signals as they are, and "groth16-bn254-yre-v1", public tensors as
/// bytes behind input compression (docs/input-compression.md).
///
/// `output` and `input` are the public outputs and the other public values: with compression the parts of the bytes X,
/// else 32 bytes for each public signal in wire order, a residue below r (a negative integer q is r + q).
///
/// inputCommitment = keccak256(abi.encode(keccak256("veritensor/input-commitment/v1"), vkHash, block.chainid, this contract,
/// ctx, keccak256(abi.encodePacked(commitments)), keccak256(input))), which {inputCommitmentOf} computes.
///
/// Where the key leaves the weights open, the version says what commitments or input must tell of them; a proof about other
/// weights is refused with ModelMismatch.
///
/// `proof` is abi.encode of an {InferenceProof}. Without compression y and ctx are zero and there are no commitments: such
/// proofs are bound to nothing but the statement, and are the same for whoever sends them.
interface IInferenceVerifier is IZKMLVerifier {
    struct InferenceProof {
        /// A.x, A.y, B.x1, B.x0, B.y1, B.y0, C.x, C.y.
        uint256[8] points;
        /// Digests of committed tensors, each below r.
        uint256[] commitments;
        /// The circuit's commitment to output and input.
        uint256 y;
        /// What else the proof was made for: beneficiary, request, nonce.
        bytes32 ctx;
        /// Public values besides the outputs.
        bytes input;
    }

    /// @notice The model was registered without details, so that the form of its statements is not known.
    error ModelNotVerifiable(uint256 modelId);

    /// @notice The bytes of a proof are not those of the form above.
    error MalformedProof();

    /// @notice There is no inference with this number.
    error InferenceNotFound(bytes32 inferenceId);

    /// @notice As `verifyInference`, but without an event: for contracts, and for questions.
    function checkInference(uint256 modelId, bytes32 inputCommitment, bytes calldata output, bytes calldata proof)
        external
        view;

    /// @notice The same for contracts that have the parts of a proof. Reverts unless the statement holds.
    /// @return inputCommitment Of the proof's input, commitments and ctx.
    function checkStatement(uint256 modelId, bytes calldata output, InferenceProof calldata proof)
        external
        view
        returns (bytes32 inputCommitment);

    /// @notice Commitment to an input of a model's current version.
    function inputCommitmentOf(uint256 modelId, bytes32 ctx, uint256[] calldata commitments, bytes calldata input)
        external
        view
        returns (bytes32);

    /// @notice Where verifying keys are stored.
    function keyVerifier() external view returns (address);
}
