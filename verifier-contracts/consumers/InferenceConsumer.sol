// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";

/// @title Base of contracts that act on proved inferences
/// @notice Inherit it, say which model, and override {_onInference}. Every inference that arrives there was proved by the
/// version of the model that was current when the contract was deployed, for this contract, by its sender, and for a nonce
/// that its sender has not used before. A proof that somebody saw in the mempool can't be used by anyone else.
///
/// Proving: ctx = {contextOf}(sender, nonce), then `veritensor prove DIR --for CHAINID:INFERENCE_VERIFIER --ctx CTX`.
///
/// Gas: about 300,000 for 784 bytes, without what {_onInference} does: 21,000 for the transaction, calldata (4 for a zero
/// byte, 16 for another), 206,000 for the proof, 22,000 for the nonce, the rest to read registry and key.
/// @dev The model needs input compression. Commitments of a proof, to inputs or outputs that are not public, are not passed on,
/// but for weights, which are those of the version. The same input may come again under another nonce: where each shall count once,
/// keep account of keccak256(input), never of the proof.
abstract contract InferenceConsumer {
    /// @notice Where inferences are verified.
    IInferenceVerifier public immutable INFERENCE_VERIFIER;

    /// @notice The model's number in the registry.
    uint256 public immutable MODEL_ID;

    /// @notice Hash of what the model's version tells verifiers: key, proof system, weights, the form of its statements. All of
    /// it: whoever could move the border between output and input could make one inference look like another.
    bytes32 public immutable VERSION_HASH;

    /// @notice Whether an inference was taken under a context.
    mapping(bytes32 ctx => bool) public contextUsed;

    /// @notice The proof is for another sender, nonce or contract.
    error OtherContext(bytes32 given, bytes32 expected);

    /// @notice The sender has used this nonce.
    error ContextUsed(bytes32 ctx);

    /// @notice The model's version has another key, or other statements, than when this contract was deployed.
    error OtherVersion(bytes32 versionHash);

    /// @param inferenceVerifier Where models are verified.
    /// @param modelId The model, which must have input compression.
    constructor(IInferenceVerifier inferenceVerifier, uint256 modelId) {
        INFERENCE_VERIFIER = inferenceVerifier;
        MODEL_ID = modelId;
        IModelRegistry.Verification memory model = IModelRegistry(inferenceVerifier.registry()).verificationOf(modelId);
        if (model.proofSystemId != bytes4(keccak256("groth16-bn254-yre-v1"))) {
            revert UnsupportedProofSystem(model.proofSystemId);
        }
        VERSION_HASH = _hashOf(model);
    }

    /// @notice Only models with input compression bind a proof to its sender.
    error UnsupportedProofSystem(bytes4 proofSystemId);

    /// @notice Takes a proved inference.
    /// @param nonce What the sender chose when proving; its meaning is the inheriting contract's.
    /// @param output Bytes of the public outputs.
    /// @param proof Of the inference, with ctx = {contextOf}(sender, nonce).
    function submitInference(bytes32 nonce, bytes calldata output, IInferenceVerifier.InferenceProof calldata proof)
        external
    {
        bytes32 ctx = contextOf(msg.sender, nonce);
        if (proof.ctx != ctx) revert OtherContext(proof.ctx, ctx);
        if (contextUsed[ctx]) revert ContextUsed(ctx);
        contextUsed[ctx] = true;
        bytes32 versionHash = _hashOf(IModelRegistry(INFERENCE_VERIFIER.registry()).verificationOf(MODEL_ID));
        if (versionHash != VERSION_HASH) revert OtherVersion(versionHash);
        INFERENCE_VERIFIER.checkStatement(MODEL_ID, output, proof);
        _onInference(msg.sender, nonce, output, proof.input);
    }

    /// @notice What a proof by `prover` under `nonce` must be bound to.
    function contextOf(address prover, bytes32 nonce) public view returns (bytes32) {
        return keccak256(abi.encode(address(this), prover, nonce));
    }

    /// @dev Acts on a proved inference. Called once for each prover and nonce.
    /// @param output Bytes of the public outputs: IntegerCodec reads them.
    /// @param input Bytes of the other public values; empty where the model's input is private.
    function _onInference(address prover, bytes32 nonce, bytes calldata output, bytes calldata input) internal virtual;

    /// @dev Whether the model is deprecated is no matter of its version: the inference verifier refuses it then.
    function _hashOf(IModelRegistry.Verification memory model) private pure returns (bytes32) {
        model.deprecated = false;
        return keccak256(abi.encode(model));
    }
}
