// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IERC7007} from "../interfaces/IERC7007.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";

/// @title ERC-7007 for tokens whose content is the output of a registered model
/// @notice The prompt is the model's public input, the content its output, both as bytes (IntegerCodec); `proof` is
/// abi.encode(uint256[8] points, uint256[] commitments, uint256 y, bytes32 ctx).
/// @dev For an ERC-721 contract to inherit, which adds 0x702c55a6 to its ERC-165. {addAigcData} is open to everyone:
/// what it adds is proved. Whether a token may get content is decided by {_requireToken}.
abstract contract ProvedContent is IERC7007 {
    /// @notice Where inferences are verified.
    IInferenceVerifier public immutable INFERENCE_VERIFIER;

    /// @notice The model that makes the content, by its current version.
    uint256 public immutable MODEL_ID;

    /// @notice The content was not proved.
    error ContentNotProved();

    constructor(IInferenceVerifier inferenceVerifier, uint256 modelId) {
        INFERENCE_VERIFIER = inferenceVerifier;
        MODEL_ID = modelId;
    }

    /// @inheritdoc IERC7007
    function addAigcData(uint256 tokenId, bytes calldata prompt, bytes calldata aigcData, bytes calldata proof)
        external
    {
        _requireToken(tokenId);
        if (!verify(prompt, aigcData, proof)) revert ContentNotProved();
        emit AigcData(tokenId, prompt, aigcData, proof);
    }

    /// @inheritdoc IERC7007
    /// @dev False for what is not proved. Reverts where nothing was decided: too little gas, a deprecated model.
    function verify(bytes calldata prompt, bytes calldata aigcData, bytes calldata proof)
        public
        view
        returns (bool success)
    {
        IInferenceVerifier.InferenceProof memory parts;
        (parts.points, parts.commitments, parts.y, parts.ctx) =
            abi.decode(proof, (uint256[8], uint256[], uint256, bytes32));
        parts.input = prompt;
        try INFERENCE_VERIFIER.checkStatement(MODEL_ID, aigcData, parts) returns (bytes32) {
            return true;
        } catch (bytes memory reason) {
            // forge-lint: disable-next-line(unsafe-typecast) an error begins with its selector
            bytes4 selector = bytes4(reason);
            if (
                selector == IZKMLVerifier.InvalidProof.selector || selector == IZKMLVerifier.OutputMismatch.selector
                    || selector == IZKMLVerifier.ModelMismatch.selector
            ) return false;
            assembly ("memory-safe") {
                revert(add(reason, 0x20), mload(reason))
            }
        }
    }

    /// @dev Reverts unless the token exists and may get content.
    function _requireToken(uint256 tokenId) internal view virtual;
}
