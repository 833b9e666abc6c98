// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IZKMLRegistry} from "./IZKMLRegistry.sol";

/// @title Registry of models with their versions and what is needed to verify their inferences
/// @notice Policy: a model keeps its number; each update adds a version, and versions never change. Verifiers use the
/// current one. A deprecated model stays readable, gets no more versions, and can't be taken back into use.
interface IModelRegistry is IZKMLRegistry {
    /// @notice What a commitment leaves open.
    struct ModelDetails {
        /// SHA-256 of the artefact manifest, without the entry for the generated verifier.
        bytes32 manifestDigest;
        /// Name of the ceremony's phase 1, such as its file's; empty for development keys.
        string phaseOne;
        /// Whether somebody knew the key's secrets. Such versions can be registered on chain ids 31337 and 1337 only.
        bool dev;
        /// Bytes of the public outputs, and of the other public values behind them. With input compression these are the
        /// bytes X (docs/input-compression.md), else 32 for each public signal.
        uint32 outputBytes;
        uint32 inputBytes;
        /// With input compression: number of public signals behind y, r, e.
        uint16 commitments;
        /// Where the key leaves the weights open (docs/commitments.md): which bytes of a statement tell them, counted from 0 in
        /// the commitments, 32 for each, and the input behind them; how many; and their Keccak-256. Zeros where weights are
        /// part of the key.
        uint32 weightsFrom;
        uint32 weightsBytes;
        bytes32 weightsHash;
    }

    /// @notice What a verifier reads: the current version in short.
    struct Verification {
        bytes32 vkHash;
        bytes4 proofSystemId;
        uint32 outputBytes;
        uint32 inputBytes;
        uint16 commitments;
        uint32 weightsFrom;
        uint32 weightsBytes;
        bytes32 weightsHash;
        bool deprecated;
    }

    /// @notice A version was added; the first by registration.
    event ModelVersionAdded(
        uint256 indexed modelId, uint256 indexed version, bytes32 indexed vkHash, ModelDetails details
    );

    /// @notice The owner offers the model to somebody, who has to accept it. The zero address takes the offer back.
    event ModelTransferOffered(uint256 indexed modelId, address indexed owner, address indexed offeredTo);

    /// @notice The model has another owner.
    event ModelTransferred(uint256 indexed modelId, address indexed oldOwner, address indexed newOwner);

    /// @notice A commitment without key or proof system.
    error IncompleteCommitment();

    /// @notice The bytes that tell the weights are not within the statement, or their hash is there without them or missing.
    error WeightsOutOfRange(uint256 from, uint256 count);

    /// @notice The key was made for development: whoever made it can forge proofs, so it works on chain ids 31337 and
    /// 1337 only.
    error UnsafeDevelopmentKey(uint256 chainId);

    /// @notice The model has no version with this number; they are counted from 1.
    error VersionNotFound(uint256 modelId, uint256 version);

    /// @notice The model was not offered to the caller.
    error NotOffered(uint256 modelId, address caller);

    /// @notice As `registerModel`, with what is needed to verify inferences.
    function registerModelWithDetails(ModelCommitment calldata commitment, ModelDetails calldata details)
        external
        returns (uint256 modelId);

    /// @notice As `updateModel`, with what is needed to verify inferences.
    function updateModelWithDetails(
        uint256 modelId,
        ModelCommitment calldata newCommitment,
        ModelDetails calldata details
    ) external;

    /// @notice Offers a model to somebody, by its owner.
    function offerModel(uint256 modelId, address to) external;

    /// @notice Accepts a model that was offered to the caller.
    function acceptModel(uint256 modelId) external;

    /// @notice Number of models; they are numbered from 1.
    function modelCount() external view returns (uint256);

    /// @notice Number of versions of a model; the current one has this number.
    function versionCount(uint256 modelId) external view returns (uint256);

    /// @notice A version, current or not.
    /// @return commitment As it was registered.
    /// @return details As they were registered; zeros if they were not.
    /// @return addedAt Time of the block, in seconds.
    function getVersion(uint256 modelId, uint256 version)
        external
        view
        returns (ModelCommitment memory commitment, ModelDetails memory details, uint64 addedAt);

    /// @notice What a verifier needs of the current version, in three reads of storage; in four where weights are open.
    function verificationOf(uint256 modelId) external view returns (Verification memory);

    /// @notice To whom a model is offered, or the zero address.
    function offeredTo(uint256 modelId) external view returns (address);
}
