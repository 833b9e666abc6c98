// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IERC165} from "../interfaces/IERC165.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IKeyVerifier} from "../interfaces/IKeyVerifier.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IZKMLStorage, IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {InputCompression} from "../libraries/InputCompression.sol";

/// @title Verifier of inferences of registered models (ERC-7992, with storage)
/// @notice A verification with input compression costs about 220,000 gas and 85 for each 31 bytes, besides 21,000 for the
/// transaction and its calldata; storing it 69,000 more, and 22,100 for each 32 bytes of output where these are over 31.
contract InferenceVerifier is IInferenceVerifier, IZKMLStorage {
    struct Inference {
        uint256 modelId;
        bytes32 inputCommitment;
        bytes output;
    }

    bytes32 private constant INPUT_TAG = keccak256("veritensor/input-commitment/v1");
    bytes4 private constant DIRECT = bytes4(keccak256("groth16-bn254-v1"));
    bytes4 private constant COMPRESSED = bytes4(keccak256("groth16-bn254-yre-v1"));

    IModelRegistry private immutable REGISTRY;
    IKeyVerifier private immutable KEYS;

    mapping(bytes32 inferenceId => Inference) private inferences;

    /// @param registry_ Where models are.
    /// @param keys Where verifying keys are stored: a UniversalVerifier or PhaseOneVerifier.
    constructor(IModelRegistry registry_, IKeyVerifier keys) {
        REGISTRY = registry_;
        KEYS = keys;
    }

    /// @inheritdoc IZKMLVerifier
    function verifyInference(uint256 modelId, bytes32 inputCommitment, bytes calldata output, bytes calldata proof)
        external
    {
        checkInference(modelId, inputCommitment, output, proof);
        emit InferenceVerified(modelId, inputCommitment, output, msg.sender);
    }

    /// @inheritdoc IZKMLStorage
    /// @dev Stored again, an inference stays as it is: nobody can make a call fail by storing the same before. Whoever
    /// wants each inference once keeps account of it.
    function verifyAndStoreInference(
        uint256 modelId,
        bytes32 inputCommitment,
        bytes calldata output,
        bytes calldata proof
    ) external returns (bytes32 inferenceId) {
        checkInference(modelId, inputCommitment, output, proof);
        emit InferenceVerified(modelId, inputCommitment, output, msg.sender);
        inferenceId = keccak256(abi.encodePacked(modelId, inputCommitment, output));
        if (inferences[inferenceId].modelId != 0) return inferenceId;
        inferences[inferenceId] = Inference(modelId, inputCommitment, output);
        emit InferenceStored(inferenceId);
    }

    /// @inheritdoc IInferenceVerifier
    function checkInference(uint256 modelId, bytes32 inputCommitment, bytes calldata output, bytes calldata proof)
        public
        view
    {
        // abi.encode of the struct: one offset, then twelve words or more
        if (proof.length < 0x1a0 || uint256(bytes32(proof[:32])) != 0x20) revert MalformedProof();
        InferenceProof calldata parts;
        assembly ("memory-safe") {
            parts := add(proof.offset, 0x20)
        }
        if (checkStatement(modelId, output, parts) != inputCommitment) revert InputCommitmentMismatch();
    }

    /// @inheritdoc IInferenceVerifier
    function checkStatement(uint256 modelId, bytes calldata output, InferenceProof calldata proof)
        public
        view
        returns (bytes32 inputCommitment)
    {
        IModelRegistry.Verification memory model = REGISTRY.verificationOf(modelId);
        if (model.deprecated) revert VerificationRefused_ModelDeprecated(modelId);
        if (model.outputBytes == 0 && model.inputBytes == 0) revert ModelNotVerifiable(modelId);
        if (output.length != model.outputBytes) revert OutputMismatch();
        if (proof.input.length != model.inputBytes || proof.commitments.length != model.commitments) {
            revert InvalidProof();
        }
        if (model.weightsBytes != 0 && _weightsHash(model, proof) != model.weightsHash) revert ModelMismatch();
        uint256[] memory signals;
        if (model.proofSystemId == COMPRESSED) signals = _compressed(model.vkHash, output, proof);
        else if (model.proofSystemId == DIRECT) signals = _direct(output, proof);
        else revert UnsupportedProofSystem(model.proofSystemId);
        if (!KEYS.verify(model.vkHash, proof.points, signals)) revert InvalidProof();
        return _inputCommitment(model.vkHash, proof.ctx, proof.commitments, proof.input);
    }

    /// @inheritdoc IInferenceVerifier
    function inputCommitmentOf(uint256 modelId, bytes32 ctx, uint256[] calldata commitments, bytes calldata input)
        external
        view
        returns (bytes32)
    {
        return _inputCommitment(REGISTRY.verificationOf(modelId).vkHash, ctx, commitments, input);
    }

    /// @inheritdoc IZKMLStorage
    function getInference(bytes32 inferenceId)
        external
        view
        returns (uint256 modelId, bytes32 inputCommitment, bytes memory output)
    {
        Inference storage inference = inferences[inferenceId];
        if (inference.modelId == 0) revert InferenceNotFound(inferenceId);
        return (inference.modelId, inference.inputCommitment, inference.output);
    }

    /// @inheritdoc IZKMLVerifier
    function proofSystemOf(uint256 modelId) external view returns (bytes4) {
        return REGISTRY.verificationOf(modelId).proofSystemId;
    }

    /// @inheritdoc IZKMLVerifier
    function registry() external view returns (address registryAddress) {
        return address(REGISTRY);
    }

    /// @inheritdoc IInferenceVerifier
    function keyVerifier() external view returns (address) {
        return address(KEYS);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IZKMLVerifier).interfaceId
            || interfaceId == type(IZKMLStorage).interfaceId || interfaceId == type(IInferenceVerifier).interfaceId;
    }

    /// @dev y, r, e and the commitments, for the domain of this contract.
    function _compressed(bytes32 vkHash, bytes calldata output, InferenceProof calldata proof)
        private
        view
        returns (uint256[] memory signals)
    {
        bytes calldata input = proof.input;
        uint256 count = proof.commitments.length;
        bytes32 domain = InputCompression.domain(vkHash, block.chainid, address(this), output.length + input.length);
        signals = new uint256[](3 + count);
        signals[0] = proof.y;
        (signals[1], signals[2]) = InputCompression.challenge(domain, proof.ctx, proof.y, output, input);
        for (uint256 i = 0; i < count; i++) {
            signals[3 + i] = proof.commitments[i];
        }
    }

    /// @dev Keccak-256 of the bytes that tell the weights, where the key leaves them open.
    function _weightsHash(IModelRegistry.Verification memory model, InferenceProof calldata proof)
        private
        pure
        returns (bytes32 hash)
    {
        bytes memory statement = abi.encodePacked(proof.commitments, proof.input);
        (uint256 from, uint256 count) = (model.weightsFrom, model.weightsBytes);
        // The registry has made sure that they are there.
        assembly ("memory-safe") {
            hash := keccak256(add(add(statement, 0x20), from), count)
        }
    }

    /// @dev The words of output and input. The verifier refuses a word of r or more.
    function _direct(bytes calldata output, InferenceProof calldata proof)
        private
        pure
        returns (uint256[] memory signals)
    {
        bytes calldata input = proof.input;
        if (proof.y != 0 || proof.ctx != 0 || proof.commitments.length != 0) revert InvalidProof();
        if (output.length % 32 != 0 || input.length % 32 != 0) revert InvalidProof();
        signals = new uint256[]((output.length + input.length) / 32);
        assembly ("memory-safe") {
            let to := add(signals, 0x20)
            calldatacopy(to, output.offset, output.length)
            calldatacopy(add(to, output.length), input.offset, input.length)
        }
    }

    function _inputCommitment(bytes32 vkHash, bytes32 ctx, uint256[] calldata commitments, bytes calldata input)
        private
        view
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                INPUT_TAG,
                vkHash,
                block.chainid,
                address(this),
                ctx,
                keccak256(abi.encodePacked(commitments)),
                keccak256(input)
            )
        );
    }
}
