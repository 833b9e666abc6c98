// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title ERC-8004: the part of the validation registry that a validator uses
interface IERC8004Validation {
    /// @notice The validator's answer to a request, 0 to 100, by the validator that the request names.
    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata responseURI,
        bytes32 responseHash,
        string calldata tag
    ) external;

    /// @notice A request and the latest answer to it.
    function getValidationStatus(bytes32 requestHash)
        external
        view
        returns (
            address validatorAddress,
            uint256 agentId,
            uint8 response,
            bytes32 responseHash,
            string memory tag,
            uint256 lastUpdate
        );
}
