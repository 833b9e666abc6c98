// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title One verifier for many verifying keys
/// @notice Keys are stored once, as code of data contracts, and named by their hash: Keccak-256 of the key's words alpha,
/// beta, gamma, delta, IC_0 … IC_n (G2 as x1, x0, y1, y0), which is also `VK_DIGEST` of a generated verifier. The address
/// of a key's data follows from its hash, so nothing but a checked key can ever stand there.
/// @dev The rules of IGroth16Verifier hold here too: act on `true` only, never use proof bytes as an identity.
/// Public signals of a model with input compression are y, r, e and then its commitments; y, r, e mean nothing to a
/// caller and must never come from one: use {verifyCompressed}, which takes what they stand for.
interface IKeyVerifier {
    /// @notice What a proof states about a model with input compression, as {verifyCompressed} takes it.
    struct CompressedStatement {
        uint256[] commitments;
        uint256 y;
        bytes32 ctx;
        bytes x;
    }

    /// @notice A key was stored.
    /// @param vkHash The key's hash.
    /// @param publicInputs Number of public signals that proofs under this key have.
    event KeyStored(bytes32 indexed vkHash, uint256 publicInputs);

    /// @notice Less gas is left than a verification may need. Nothing was decided about the proof.
    error InsufficientGas();

    /// @notice No key with this hash was stored here.
    error UnknownKey(bytes32 vkHash);

    /// @notice The number of public signals is not the key's, or not the keys' together.
    error WrongInputCount(uint256 given, uint256 expected);

    /// @notice A batch has no proofs, or its parts have different lengths.
    error MalformedBatch();

    /// @notice The key is malformed, or statements could be forged under it.
    error UnsafeKey();

    /// @notice Whether a proof proves the statement that the public signals make.
    /// @param vkHash Hash of a stored key.
    /// @param proof Words A.x, A.y, B.x1, B.x0, B.y1, B.y0, C.x, C.y; one of q or more is refused, never reduced.
    /// @param input Public signals in wire order; one of r or more is refused, never reduced.
    function verify(bytes32 vkHash, uint256[8] calldata proof, uint256[] calldata input) external view returns (bool);

    /// @notice Whether a proof proves the statement that the bytes `x` make about a model with input compression.
    /// @param commitments Public signals behind y, r, e: digests of committed tensors; most models have none. Where the key
    /// leaves the weights open, one is theirs: compare it, or weights of the prover's choice will do.
    /// @param y The circuit's commitment to x, from the proof file.
    /// @param ctx What else the proof was made for, 32 bytes of the prover's choice.
    /// @param x Public values as bytes, outputs before inputs (docs/input-compression.md).
    function verifyCompressed(
        bytes32 vkHash,
        uint256[8] calldata proof,
        uint256[] calldata commitments,
        uint256 y,
        bytes32 ctx,
        bytes calldata x
    ) external view returns (bool);

    /// @notice Whether every one of several proofs under one key holds: one equation with random coefficients that are
    /// fixed by all proofs and signals. False tells nothing about which proof is bad; never punish because of it.
    /// @param proofs At least one proof, each as in {verify}.
    /// @param input Public signals of all proofs, one proof after the other.
    function verifyBatch(bytes32 vkHash, uint256[8][] calldata proofs, uint256[] calldata input)
        external
        view
        returns (bool);

    /// @notice {verifyBatch} of proofs of models with input compression: every challenge and evaluation is computed here.
    /// @param proofs At least one proof, each as in {verify}.
    /// @param statements What the proofs state, in the same order.
    function verifyCompressedBatch(
        bytes32 vkHash,
        uint256[8][] calldata proofs,
        CompressedStatement[] calldata statements
    ) external view returns (bool);

    /// @notice Challenge and evaluation that {verifyCompressed} computes: what a prover puts into the proof.
    function challenge(bytes32 vkHash, bytes32 ctx, uint256 y, bytes calldata x)
        external
        view
        returns (uint256 r, uint256 e);

    /// @notice Number of public signals of a stored key. Reverts with UnknownKey if there is none.
    function publicInputs(bytes32 vkHash) external view returns (uint256);

    /// @notice Where the key's data stands or will stand.
    function keyAddress(bytes32 vkHash) external view returns (address);
}
