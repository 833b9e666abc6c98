// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IERC8004Validation} from "../interfaces/IERC8004Validation.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";

/// @title ERC-8004 validator that answers with proofs
/// @notice An agent asks for the validation of an inference by naming this contract as the validator, with the request
/// hash keccak256(abi.encodePacked(modelId, inputCommitment, output)), ERC-7992's inference number. Whoever has a proof of
/// that inference brings it here, and the answer is 100. There is no other answer: a proof that fails tells nothing.
contract AgentValidator {
    /// @notice Where requests are, and answers go.
    IERC8004Validation public immutable VALIDATION_REGISTRY;

    /// @notice Where inferences are verified.
    IInferenceVerifier public immutable INFERENCE_VERIFIER;

    /// @notice Tag of the answers.
    string public constant TAG = "zkml-groth16";

    /// @notice The request is about another inference than the one that was proved.
    error OtherInference(bytes32 requestHash, bytes32 inferenceId);

    constructor(IERC8004Validation validationRegistry, IInferenceVerifier inferenceVerifier) {
        VALIDATION_REGISTRY = validationRegistry;
        INFERENCE_VERIFIER = inferenceVerifier;
    }

    /// @notice Answers a request. Reverts unless the proof holds and is about what the request names.
    /// @param requestHash Of a request that names this contract.
    /// @param proof As in `IInferenceVerifier`.
    /// @param responseURI Where the proof can be found; may be empty. Whoever answers chooses it, and a later answer replaces
    /// it: what counts is the response.
    function respond(
        bytes32 requestHash,
        uint256 modelId,
        bytes32 inputCommitment,
        bytes calldata output,
        bytes calldata proof,
        string calldata responseURI
    ) external {
        bytes32 inferenceId = keccak256(abi.encodePacked(modelId, inputCommitment, output));
        if (requestHash != inferenceId) revert OtherInference(requestHash, inferenceId);
        INFERENCE_VERIFIER.checkInference(modelId, inputCommitment, output, proof);
        VALIDATION_REGISTRY.validationResponse(requestHash, 100, responseURI, keccak256(proof), TAG);
    }
}
