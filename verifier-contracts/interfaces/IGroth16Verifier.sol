// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title What every generated Groth16 verifier offers, whatever its number of public inputs
/// @notice A verifier is bound to one verifying key, hence to one circuit of one model. Besides what stands here it has
/// two overloads with n fixed: `verifyProof(uint256[8] proof, uint256[n] input)`, and the argument order that tools
/// around snarkjs use, `verifyProof(uint256[2] a, uint256[2][2] b, uint256[2] c, uint256[n] input)`.
/// @dev Rules for callers:
/// - Act on `true` only. `false` says that these words are no proof of this statement, not that the statement is wrong;
///   never punish anyone because of it.
/// - Never use proof bytes as an identity: anyone can turn a valid proof into other valid proofs of the same statement.
///   Key replay protection and nullifiers on the inputs, i.e. on `keccak256(abi.encode(address(verifier), input))`.
/// - A proof seen in the mempool can be sent by anyone. Where that matters, one of the public inputs must name the
///   beneficiary and the request.
/// - Where the key leaves the weights open, inputs tell them: compare these, or weights of the prover's choice will do.
interface IGroth16Verifier {
    /// @notice Less gas is left than a verification may need. Nothing was decided about the proof.
    error InsufficientGas();

    /// @notice The number of public inputs is not the key's.
    /// @param given Number of inputs in the call.
    /// @param expected Number of inputs of the key, `PUBLIC_INPUTS`.
    error WrongInputCount(uint256 given, uint256 expected);

    /// @notice The key was made for development: whoever made it can forge proofs, so it works on chain ids 31337 and
    /// 1337 only.
    /// @param chainId The chain on which it was tried.
    error UnsafeDevelopmentKey(uint256 chainId);

    /// @notice Whether `proof` proves the statement that `input` makes about the model.
    /// @param proof Eight words A.x, A.y, B.x1, B.x0, B.y1, B.y0, C.x, C.y; each a coordinate in [0, q), G2 coordinates
    /// with the coefficient of u first. A word of q or more is refused, never reduced.
    /// @param input Public signals in wire order, each in [0, r). A value of r or more is refused, never reduced.
    /// @return valid True if the proof holds; false if it does not or if any word is out of range or off the curve.
    function verify(uint256[8] calldata proof, uint256[] calldata input) external view returns (bool valid);

    /// @notice Label of the model, for people; the identity is `MODEL_DIGEST`.
    function MODEL_NAME() external view returns (string memory);

    /// @notice SHA-256 of the model file that was compiled.
    function MODEL_DIGEST() external view returns (bytes32);

    /// @notice SHA-256 of the compiled circuit.
    function CIRCUIT_DIGEST() external view returns (bytes32);

    /// @notice Keccak-256 of the verifying key's words alpha, beta, gamma, delta, IC (G2 as x1, x0, y1, y0).
    function VK_DIGEST() external view returns (bytes32);

    /// @notice Number of public inputs.
    function PUBLIC_INPUTS() external view returns (uint256);

    /// @notice True if the key's secrets were known to whoever made it: its proofs prove nothing.
    function DEVELOPMENT_KEY() external view returns (bool);
}
