// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IERC165} from "./IERC165.sol";

/// @title ERC-7992: verifier of inferences
interface IZKMLVerifier is IERC165 {
    /// @notice A proof was accepted.
    event InferenceVerified(
        uint256 indexed modelId, bytes32 indexed inputCommitment, bytes output, address indexed caller
    );

    /// @notice The proof does not show the statement.
    error InvalidProof();

    /// @notice The proof is about another model: about other weights than the registered ones.
    error ModelMismatch();

    /// @notice The proof's input has another commitment.
    error InputCommitmentMismatch();

    /// @notice The output has not the length that the model's outputs have.
    error OutputMismatch();

    /// @notice The model's proof system is not among those that can be verified here.
    error UnsupportedProofSystem(bytes4 proofSystemId);

    /// @notice The model was taken out of use.
    error VerificationRefused_ModelDeprecated(uint256 modelId);

    /// @notice Reverts unless the proof shows that the registered model gave the output for an input with the commitment.
    function verifyInference(uint256 modelId, bytes32 inputCommitment, bytes calldata output, bytes calldata proof)
        external;

    /// @notice Identifier of the proof system that a model's current version uses.
    function proofSystemOf(uint256 modelId) external view returns (bytes4);

    /// @notice The registry that model numbers belong to.
    function registry() external view returns (address registryAddress);
}

/// @title ERC-7992, optional storage extension
interface IZKMLStorage {
    /// @notice An inference was stored, for the first time.
    event InferenceStored(bytes32 indexed inferenceId);

    /// @notice As `verifyInference`, and keeps the inference.
    /// @return inferenceId keccak256(abi.encodePacked(modelId, inputCommitment, output)).
    function verifyAndStoreInference(
        uint256 modelId,
        bytes32 inputCommitment,
        bytes calldata output,
        bytes calldata proof
    ) external returns (bytes32 inferenceId);

    /// @notice A stored inference.
    function getInference(bytes32 inferenceId)
        external
        view
        returns (uint256 modelId, bytes32 inputCommitment, bytes memory output);
}
