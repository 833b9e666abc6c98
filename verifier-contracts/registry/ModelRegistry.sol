// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IERC165} from "../interfaces/IERC165.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IZKMLRegistry} from "../interfaces/IZKMLRegistry.sol";

/// @title Registry of models (ERC-7992)
/// @notice Nobody has any power over it but model owners over their own models.
contract ModelRegistry is IModelRegistry {
    struct Version {
        bytes32 modelHash;
        bytes32 circuitHash;
        bytes32 vkHash;
        // one word
        bytes4 proofSystemId;
        uint32 outputBytes;
        uint32 inputBytes;
        uint16 commitments;
        bool dev;
        uint64 addedAt;
        uint32 weightsFrom;
        uint32 weightsBytes;
        bytes32 weightsHash;
        bytes32 manifestDigest;
        string uri;
        string phaseOne;
    }

    struct Model {
        // one word
        address owner;
        uint64 versions;
        bool deprecated;
        address offeredTo;
    }

    /// @inheritdoc IModelRegistry
    uint256 public modelCount;

    mapping(uint256 modelId => Model) private models;
    mapping(uint256 modelId => mapping(uint256 version => Version)) private versions;

    /// @inheritdoc IZKMLRegistry
    function registerModel(ModelCommitment calldata commitment) external returns (uint256 modelId) {
        ModelDetails memory none;
        return _register(commitment, none);
    }

    /// @inheritdoc IModelRegistry
    function registerModelWithDetails(ModelCommitment calldata commitment, ModelDetails calldata details)
        external
        returns (uint256 modelId)
    {
        return _register(commitment, details);
    }

    /// @inheritdoc IZKMLRegistry
    function updateModel(uint256 modelId, ModelCommitment calldata newCommitment) external {
        ModelDetails memory none;
        _update(modelId, newCommitment, none);
    }

    /// @inheritdoc IModelRegistry
    function updateModelWithDetails(
        uint256 modelId,
        ModelCommitment calldata newCommitment,
        ModelDetails calldata details
    ) external {
        _update(modelId, newCommitment, details);
    }

    /// @inheritdoc IZKMLRegistry
    function deprecateModel(uint256 modelId) external {
        Model storage model = _owned(modelId);
        if (model.deprecated) revert ModelIsDeprecated(modelId);
        model.deprecated = true;
        emit ModelDeprecated(modelId);
    }

    /// @inheritdoc IModelRegistry
    function offerModel(uint256 modelId, address to) external {
        _owned(modelId).offeredTo = to;
        emit ModelTransferOffered(modelId, msg.sender, to);
    }

    /// @inheritdoc IModelRegistry
    function acceptModel(uint256 modelId) external {
        Model storage model = _model(modelId);
        if (model.offeredTo != msg.sender) revert NotOffered(modelId, msg.sender);
        address oldOwner = model.owner;
        model.owner = msg.sender;
        model.offeredTo = address(0);
        emit ModelTransferred(modelId, oldOwner, msg.sender);
    }

    /// @inheritdoc IZKMLRegistry
    function getModel(uint256 modelId)
        external
        view
        returns (ModelCommitment memory commitment, bool deprecated, address owner)
    {
        Model storage model = _model(modelId);
        return (_commitment(versions[modelId][model.versions]), model.deprecated, model.owner);
    }

    /// @inheritdoc IModelRegistry
    function getVersion(uint256 modelId, uint256 version)
        external
        view
        returns (ModelCommitment memory commitment, ModelDetails memory details, uint64 addedAt)
    {
        if (version == 0 || version > _model(modelId).versions) revert VersionNotFound(modelId, version);
        Version storage v = versions[modelId][version];
        details.manifestDigest = v.manifestDigest;
        details.phaseOne = v.phaseOne;
        details.dev = v.dev;
        details.outputBytes = v.outputBytes;
        details.inputBytes = v.inputBytes;
        details.commitments = v.commitments;
        details.weightsFrom = v.weightsFrom;
        details.weightsBytes = v.weightsBytes;
        details.weightsHash = v.weightsHash;
        return (_commitment(v), details, v.addedAt);
    }

    /// @inheritdoc IModelRegistry
    function verificationOf(uint256 modelId) external view returns (Verification memory verification) {
        Model storage model = _model(modelId);
        Version storage v = versions[modelId][model.versions];
        verification.vkHash = v.vkHash;
        verification.proofSystemId = v.proofSystemId;
        verification.outputBytes = v.outputBytes;
        verification.inputBytes = v.inputBytes;
        verification.commitments = v.commitments;
        verification.weightsFrom = v.weightsFrom;
        verification.weightsBytes = v.weightsBytes;
        if (v.weightsBytes != 0) verification.weightsHash = v.weightsHash;
        verification.deprecated = model.deprecated;
    }

    /// @inheritdoc IModelRegistry
    function versionCount(uint256 modelId) external view returns (uint256) {
        return _model(modelId).versions;
    }

    /// @inheritdoc IModelRegistry
    function offeredTo(uint256 modelId) external view returns (address) {
        return _model(modelId).offeredTo;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IZKMLRegistry).interfaceId
            || interfaceId == type(IModelRegistry).interfaceId;
    }

    function _register(ModelCommitment calldata commitment, ModelDetails memory details)
        private
        returns (uint256 modelId)
    {
        modelId = ++modelCount;
        models[modelId].owner = msg.sender;
        emit ModelRegistered(modelId, msg.sender, commitment);
        _addVersion(modelId, commitment, details);
    }

    function _update(uint256 modelId, ModelCommitment calldata commitment, ModelDetails memory details) private {
        Model storage model = _owned(modelId);
        if (model.deprecated) revert ModelIsDeprecated(modelId);
        emit ModelUpdated(modelId, _commitment(versions[modelId][model.versions]), commitment);
        _addVersion(modelId, commitment, details);
    }

    function _addVersion(uint256 modelId, ModelCommitment calldata commitment, ModelDetails memory details) private {
        if (commitment.vkHash == 0 || commitment.proofSystemId == 0) revert IncompleteCommitment();
        if (details.dev && block.chainid != 31337 && block.chainid != 1337) revert UnsafeDevelopmentKey(block.chainid);
        (uint256 from, uint256 count) = (details.weightsFrom, details.weightsBytes);
        bool within = from + count <= 32 * uint256(details.commitments) + details.inputBytes;
        if (!within || (count == 0) != (details.weightsHash == 0)) revert WeightsOutOfRange(from, count);
        uint256 version = ++models[modelId].versions;
        Version storage v = versions[modelId][version];
        v.modelHash = commitment.modelHash;
        v.circuitHash = commitment.circuitHash;
        v.vkHash = commitment.vkHash;
        v.proofSystemId = commitment.proofSystemId;
        v.outputBytes = details.outputBytes;
        v.inputBytes = details.inputBytes;
        v.commitments = details.commitments;
        v.dev = details.dev;
        v.addedAt = uint64(block.timestamp);
        v.weightsFrom = details.weightsFrom;
        v.weightsBytes = details.weightsBytes;
        if (count != 0) v.weightsHash = details.weightsHash;
        v.manifestDigest = details.manifestDigest;
        v.uri = commitment.uri;
        v.phaseOne = details.phaseOne;
        emit ModelVersionAdded(modelId, version, commitment.vkHash, details);
    }

    function _commitment(Version storage v) private view returns (ModelCommitment memory) {
        return ModelCommitment(v.modelHash, v.circuitHash, v.vkHash, v.proofSystemId, v.uri);
    }

    function _model(uint256 modelId) private view returns (Model storage model) {
        model = models[modelId];
        if (model.owner == address(0)) revert ModelNotFound(modelId);
    }

    function _owned(uint256 modelId) private view returns (Model storage model) {
        model = _model(modelId);
        if (model.owner != msg.sender) revert NotModelOwner(modelId, msg.sender);
    }
}
