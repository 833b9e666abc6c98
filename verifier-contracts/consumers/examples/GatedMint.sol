// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IInferenceVerifier} from "../../interfaces/IInferenceVerifier.sol";
import {IntegerCodec} from "../../libraries/IntegerCodec.sol";
import {InferenceConsumer} from "../InferenceConsumer.sol";

/// @title A token that this contract may mint
interface IMintable {
    /// @notice Mints a token; reverts if it exists.
    function mint(address to, uint256 tokenId) external;
}

/// @title Example: mints to whoever proves that a model's score reaches a threshold
/// @notice The token's number is the hash of the input, so that every input is minted once, by whoever proves it first.
/// @dev The model has a public input; the first element of its output is the score.
contract GatedMint is InferenceConsumer {
    /// @notice What is minted.
    IMintable public immutable TOKEN;

    /// @notice Least integer of the output, from the model's manifest.
    int256 public immutable LO;

    /// @notice Largest integer of the output, likewise.
    int256 public immutable HI;

    /// @notice Least score, an integer: real value divided by the output's scale, rounded up.
    int256 public immutable THRESHOLD;

    /// @notice Whether an input's token was minted.
    mapping(uint256 tokenId => bool) public minted;

    /// @notice The score is below the threshold.
    error ScoreTooLow(int256 score);

    /// @notice The input's token was minted before.
    error AlreadyMinted(uint256 tokenId);

    constructor(
        IInferenceVerifier inferenceVerifier,
        uint256 modelId,
        IMintable token,
        int256 lo,
        int256 hi,
        int256 threshold
    ) InferenceConsumer(inferenceVerifier, modelId) {
        (TOKEN, LO, HI, THRESHOLD) = (token, lo, hi, threshold);
    }

    function _onInference(address prover, bytes32, bytes calldata output, bytes calldata input) internal override {
        int256 score = IntegerCodec.elementAt(output, 0, IntegerCodec.widthOf(LO, HI), LO);
        if (score < THRESHOLD) revert ScoreTooLow(score);
        uint256 tokenId = uint256(keccak256(input));
        if (minted[tokenId]) revert AlreadyMinted(tokenId);
        minted[tokenId] = true;
        TOKEN.mint(prover, tokenId);
    }
}
