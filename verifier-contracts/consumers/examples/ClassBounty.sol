// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IInferenceVerifier} from "../../interfaces/IInferenceVerifier.sol";
import {IntegerCodec} from "../../libraries/IntegerCodec.sol";
import {InferenceConsumer} from "../InferenceConsumer.sol";

/// @title Example: pays out when a model is proved to see a class in an input
/// @notice An offer names an input by its hash, a class and a beneficiary: a satellite image, "flooded", the insured. Whoever
/// proves that the model's largest output for that input is that class releases the money to the beneficiary. After the
/// deadline, the funder takes back what was not released.
/// @dev The model has a public input and one public output of at least two elements. The nonce of a proof is the offer's
/// number. Money is credited and withdrawn, so that no receiver can stop a payment. A validator can shift a deadline by some
/// seconds: choose them accordingly.
contract ClassBounty is InferenceConsumer {
    // forge-lint: disable-start(block-timestamp)

    struct Offer {
        address funder;
        address beneficiary;
        bytes32 inputHash;
        uint256 class;
        /// Wei.
        uint256 amount;
        /// Seconds of Unix time, up to which a proof counts.
        uint256 deadline;
    }

    /// @notice Bytes of each element of the output (IntegerCodec.widthOf).
    uint256 public immutable ELEMENT_BYTES;

    /// @notice Number of offers; they are numbered from 1.
    uint256 public offerCount;

    /// @notice Offers by number; zeros once released or refunded.
    mapping(uint256 offerId => Offer) public offers;

    /// @notice Wei that an account can withdraw.
    mapping(address account => uint256) public credit;

    /// @notice Somebody offers wei for the proof that an input is of a class.
    event Offered(uint256 indexed offerId, bytes32 indexed inputHash, uint256 class, uint256 amount, uint256 deadline);

    /// @notice The class was proved: the beneficiary can withdraw the amount.
    event Released(uint256 indexed offerId, address indexed beneficiary, address indexed prover, uint256 amount);

    /// @notice The deadline has passed: the funder can withdraw the amount.
    event Refunded(uint256 indexed offerId, address indexed funder, uint256 amount);

    /// @notice An offer without money, or whose deadline has passed.
    error NothingOffered();

    /// @notice There is no such offer, it is settled, or its deadline has passed.
    error OfferNotOpen(uint256 offerId);

    /// @notice The money can't be taken back yet.
    error DeadlineNotReached(uint256 deadline);

    /// @notice The inference is about another input than the offer.
    error OtherInput(bytes32 inputHash);

    /// @notice The input is of another class than the offer's.
    error OtherClass(uint256 class);

    /// @notice The receiver refused the money.
    error TransferFailed();

    /// @param elementBytes Bytes of each element of the output.
    constructor(IInferenceVerifier inferenceVerifier, uint256 modelId, uint256 elementBytes)
        InferenceConsumer(inferenceVerifier, modelId)
    {
        ELEMENT_BYTES = elementBytes;
    }

    /// @notice Offers the value that is sent along.
    /// @param inputHash Keccak-256 of the input's bytes.
    /// @param class Index of the output's largest element.
    function offer(bytes32 inputHash, uint256 class, address beneficiary, uint256 deadline)
        external
        payable
        returns (uint256 offerId)
    {
        if (msg.value == 0 || deadline <= block.timestamp) revert NothingOffered();
        offerId = ++offerCount;
        offers[offerId] = Offer(msg.sender, beneficiary, inputHash, class, msg.value, deadline);
        emit Offered(offerId, inputHash, class, msg.value, deadline);
    }

    /// @notice Gives an offer's money back to its funder, after the deadline.
    function refund(uint256 offerId) external {
        Offer memory open = offers[offerId];
        if (open.amount == 0) revert OfferNotOpen(offerId);
        if (block.timestamp <= open.deadline) revert DeadlineNotReached(open.deadline);
        delete offers[offerId];
        credit[open.funder] += open.amount;
        emit Refunded(offerId, open.funder, open.amount);
    }

    /// @notice Pays out what the caller is owed.
    function withdraw() external {
        uint256 amount = credit[msg.sender];
        credit[msg.sender] = 0;
        (bool success,) = msg.sender.call{value: amount}("");
        if (!success) revert TransferFailed();
    }

    function _onInference(address prover, bytes32 nonce, bytes calldata output, bytes calldata input)
        internal
        override
    {
        uint256 offerId = uint256(nonce);
        Offer memory open = offers[offerId];
        if (open.amount == 0 || block.timestamp > open.deadline) revert OfferNotOpen(offerId);
        bytes32 inputHash = keccak256(input);
        if (inputHash != open.inputHash) revert OtherInput(inputHash);
        uint256 class = IntegerCodec.argmax(output, ELEMENT_BYTES);
        if (class != open.class) revert OtherClass(class);
        delete offers[offerId];
        credit[open.beneficiary] += open.amount;
        emit Released(offerId, open.beneficiary, prover, open.amount);
    }

    // forge-lint: disable-end(block-timestamp)
}
