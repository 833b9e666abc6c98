// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IERC165} from "./IERC165.sol";

/// @title ERC-7992: registry of models whose inferences can be proved
/// @dev Selectors and events are the standard's. Its published text doesn't compile, since an event and an error are both
/// called ModelDeprecated: here the error is {ModelIsDeprecated}.
interface IZKMLRegistry is IERC165 {
    struct ModelCommitment {
        /// Weights and architecture: SHA-256 of the ONNX file.
        bytes32 modelHash;
        /// SHA-256 of the circuit.
        bytes32 circuitHash;
        /// Keccak-256 of the verifying key's words: `VK_DIGEST` of generated verifiers.
        bytes32 vkHash;
        /// First four bytes of the Keccak-256 of the proof system's name.
        bytes4 proofSystemId;
        /// Where more can be read; may be empty.
        string uri;
    }

    /// @notice A model was registered, by its owner.
    event ModelRegistered(uint256 indexed modelId, address indexed owner, ModelCommitment commitment);

    /// @notice A model has a new version.
    event ModelUpdated(uint256 indexed modelId, ModelCommitment oldCommitment, ModelCommitment newCommitment);

    /// @notice A model was taken out of use.
    event ModelDeprecated(uint256 indexed modelId);

    /// @notice No model has this number.
    error ModelNotFound(uint256 modelId);

    /// @notice Only the model's owner may do this.
    error NotModelOwner(uint256 modelId, address caller);

    /// @notice The model was taken out of use, for ever.
    error ModelIsDeprecated(uint256 modelId);

    /// @notice Registers a model of the caller's. Returns its number, which no other model has.
    function registerModel(ModelCommitment calldata commitment) external returns (uint256 modelId);

    /// @notice Gives a model a new version, by its owner.
    function updateModel(uint256 modelId, ModelCommitment calldata newCommitment) external;

    /// @notice Takes a model out of use, by its owner and for ever.
    function deprecateModel(uint256 modelId) external;

    /// @notice A model as it is now.
    function getModel(uint256 modelId)
        external
        view
        returns (ModelCommitment memory commitment, bool deprecated, address owner);
}
