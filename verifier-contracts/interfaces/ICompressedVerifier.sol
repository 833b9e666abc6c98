// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title What every generated verifier of a model with input compression offers
/// @notice The model's public tensors are bytes `x`: outputs before inputs, each element in a fixed number of bytes
/// (docs/input-compression.md, libraries/IntegerCodec.sol). A call costs about 210,000 gas and 85 for each 31 bytes,
/// besides 21,000 for the transaction and its calldata.
/// @dev The rules of IGroth16Verifier hold: act on `true` only, never use proof bytes as an identity. `ctx` is bound to
/// the proof: put the beneficiary and the request into it where a proof in the mempool must not serve anyone else.
interface ICompressedVerifier {
    /// @notice Less gas is left than a verification may need. Nothing was decided about the proof.
    error InsufficientGas();

    /// @notice The number of commitments is not the model's.
    error WrongInputCount(uint256 given, uint256 expected);

    /// @notice The number of bytes is not that of the model's public tensors, `PUBLIC_BYTES`.
    error WrongLength(uint256 given, uint256 expected);

    /// @notice The key was made for development: whoever made it can forge proofs, so it works on chain ids 31337 and
    /// 1337 only.
    error UnsafeDevelopmentKey(uint256 chainId);

    /// @notice Whether `proof` proves the statement that `x` makes about the model, for this contract and chain.
    /// @param proof Eight words A.x, A.y, B.x1, B.x0, B.y1, B.y0, C.x, C.y; one of q or more is refused, never reduced.
    /// @param commitments Digests of the model's committed tensors; most models have none. Where the key leaves the weights
    /// open, one is theirs: compare it, or weights of the prover's choice will do.
    /// @param y The circuit's commitment to x, from the proof file.
    /// @param ctx What else the proof was made for, 32 bytes of the prover's choice.
    /// @param x Public tensors as bytes.
    /// @return valid True if the proof holds; false if it does not or if any word is out of range or off the curve.
    function verifyCompressed(
        uint256[8] calldata proof,
        uint256[] calldata commitments,
        uint256 y,
        bytes32 ctx,
        bytes calldata x
    ) external view returns (bool valid);

    /// @notice Challenge and evaluation that {verifyCompressed} computes: what a prover puts into the proof.
    function challenge(bytes32 ctx, uint256 y, bytes calldata x) external view returns (uint256 r, uint256 e);

    /// @notice Label of the model, for people; the identity is `MODEL_DIGEST`.
    function MODEL_NAME() external view returns (string memory);

    /// @notice SHA-256 of the model file that was compiled.
    function MODEL_DIGEST() external view returns (bytes32);

    /// @notice SHA-256 of the compiled circuit.
    function CIRCUIT_DIGEST() external view returns (bytes32);

    /// @notice Keccak-256 of the verifying key's words alpha, beta, gamma, delta, IC (G2 as x1, x0, y1, y0).
    function VK_DIGEST() external view returns (bytes32);

    /// @notice Number of public signals: y, r, e and the commitments.
    function PUBLIC_INPUTS() external view returns (uint256);

    /// @notice Number of bytes of the public tensors.
    function PUBLIC_BYTES() external view returns (uint256);

    /// @notice True if the key's secrets were known to whoever made it: its proofs prove nothing.
    function DEVELOPMENT_KEY() external view returns (bool);
}
