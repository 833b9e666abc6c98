// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title ERC-7007: verifiable AI-generated content of tokens
/// @dev Without the ERC-721 and ERC-165 that the standard inherits: the token that uses it has these. Its ERC-165
/// identifier is 0x702c55a6.
interface IERC7007 {
    /// @notice Content was added to a token.
    event AigcData(uint256 indexed tokenId, bytes indexed prompt, bytes indexed aigcData, bytes proof);

    /// @notice Adds content to a token, if `verify` accepts it.
    function addAigcData(uint256 tokenId, bytes calldata prompt, bytes calldata aigcData, bytes calldata proof) external;

    /// @notice Whether the content was made from the prompt.
    function verify(bytes calldata prompt, bytes calldata aigcData, bytes calldata proof)
        external
        view
        returns (bool success);
}
