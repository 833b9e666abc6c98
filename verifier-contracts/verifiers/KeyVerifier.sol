// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IKeyVerifier} from "../interfaces/IKeyVerifier.sol";
import {InputCompression} from "../libraries/InputCompression.sol";

/// @title Groth16 verification under stored keys: what UniversalVerifier and PhaseOneVerifier share
/// @notice Checks e(A, B) · e(C, -delta) · e(alpha, -beta) · e(X, -gamma) = 1 with X = IC_0 + sum of input_i · IC_(i+1).
/// @dev Needs an EVM with EIP-1153 and EIP-5656 (Cancun). A key that proofs are checked against has in memory the layout
///
///     0x000 alpha | 0x040 -beta | 0x0c0 -gamma | 0x140 -delta | 0x1c0 IC_0 | 0x200 IC_1 | …
///
/// It is stored, and hashed, without the signs. Negations are of the key, where no proof can make them wrap; points of a
/// proof go to the precompiles untouched, which refuse coordinates of q or more, points off the curve and, for B, outside
/// the subgroup.
abstract contract KeyVerifier is IKeyVerifier {
    /// @dev Order of BN254's scalar field. A larger signal would stand for a second, equal value: it is refused.
    uint256 internal constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    /// @dev Order of BN254's base field.
    uint256 internal constant Q = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;

    /// @dev First words of G2's generator, x1 and x0 (EIP-197).
    uint256 private constant G2_X1 = 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
    uint256 private constant G2_X0 = 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;

    /// @dev Bytes of a key in memory before IC_1.
    uint256 internal constant IC_1 = 0x200;

    /// @dev Most points IC_1 … whose key is within EIP-170's 24,576 bytes of code.
    uint256 private constant MAX_INPUTS = 375;

    bytes32 private constant BATCH_TAG = keccak256("veritensor/batch/v1");

    /// @notice Price of this chain's BN254 precompiles relative to EIP-1108, rounded up; 1 on Ethereum. Gas that a call
    /// may burn and gas demanded up front scale with it.
    uint256 public immutable PRECOMPILE_GAS_FACTOR;

    /// @dev Creation code of data contracts: asks its creator for {pendingKey} and becomes what the answer is. Always the
    /// same, so that the address depends on the salt alone. Where the question fails for want of gas, copying from byte 1
    /// of no answer fails too: an empty contract would block the key's address for ever.
    ///
    ///     PUSH4 selector, PUSH0, MSTORE; PUSH0, PUSH0, PUSH1 4, PUSH1 28, CALLER, GAS, STATICCALL, ISZERO;
    ///     RETURNDATASIZE, SWAP1, PUSH0, RETURNDATACOPY; RETURNDATASIZE, PUSH0, RETURN
    uint192 private constant DATA_INIT = 0x639a3d4a255f525f5f6004601c335afa153d905f3e3d5ff3;
    bytes32 private constant DATA_INIT_HASH = keccak256(hex"639a3d4a255f525f5f6004601c335afa153d905f3e3d5ff3");

    /// @notice The gas factor is not in [1, 1000].
    error GasFactorOutOfRange(uint256 factor);

    /// @notice The key could not be stored: too little gas.
    error KeyNotStored();

    constructor(uint256 precompileGasFactor) {
        if (precompileGasFactor == 0 || precompileGasFactor > 1000) revert GasFactorOutOfRange(precompileGasFactor);
        PRECOMPILE_GAS_FACTOR = precompileGasFactor;
    }

    /// @inheritdoc IKeyVerifier
    function verify(bytes32 vkHash, uint256[8] calldata proof, uint256[] calldata input) external view returns (bool) {
        (uint256 key, uint256 n) = _load(vkHash);
        if (input.length != n) revert WrongInputCount(input.length, n);
        _requireGas(4, n, 0);
        uint256 signals = _allocate(32 * n);
        assembly ("memory-safe") {
            calldatacopy(signals, input.offset, shl(5, n))
        }
        return _check(key, n, proof, signals);
    }

    /// @inheritdoc IKeyVerifier
    function verifyCompressed(
        bytes32 vkHash,
        uint256[8] calldata proof,
        uint256[] calldata commitments,
        uint256 y,
        bytes32 ctx,
        bytes calldata x
    ) external view returns (bool) {
        (uint256 key, uint256 n) = _load(vkHash);
        if (commitments.length + 3 != n) revert WrongInputCount(commitments.length + 3, n);
        // Copies, hash, evaluation and memory take less, up to the 128 kB of a transaction and far beyond.
        unchecked {
            _requireGas(4, n, 5 * x.length);
        }
        uint256 signals = _allocate(32 * n);
        (uint256 r, uint256 e) = challenge(vkHash, ctx, y, x);
        assembly ("memory-safe") {
            mstore(signals, y)
            mstore(add(signals, 0x20), r)
            mstore(add(signals, 0x40), e)
            calldatacopy(add(signals, 0x60), commitments.offset, shl(5, commitments.length))
        }
        return _check(key, n, proof, signals);
    }

    /// @inheritdoc IKeyVerifier
    function verifyBatch(bytes32 vkHash, uint256[8][] calldata proofs, uint256[] calldata input)
        external
        view
        returns (bool)
    {
        bytes32[] memory vkHashes = new bytes32[](1);
        uint256[] memory counts = new uint256[](1);
        (vkHashes[0], counts[0]) = (vkHash, proofs.length);
        return _checkBatch(vkHashes, counts, proofs, input);
    }

    /// @inheritdoc IKeyVerifier
    function verifyCompressedBatch(
        bytes32 vkHash,
        uint256[8][] calldata proofs,
        CompressedStatement[] calldata statements
    ) external view returns (bool) {
        if (statements.length != proofs.length) revert MalformedBatch();
        (, uint256 n) = _sizeOf(vkHash);
        uint256[] memory input = new uint256[](n * statements.length);
        uint256 next = 0;
        for (uint256 i = 0; i < statements.length; i++) {
            CompressedStatement calldata s = statements[i];
            uint256 count = s.commitments.length;
            if (count + 3 != n) revert WrongInputCount(count + 3, n);
            input[next] = s.y;
            (input[next + 1], input[next + 2]) = challenge(vkHash, s.ctx, s.y, s.x);
            for (uint256 j = 0; j < count; j++) {
                input[next + 3 + j] = s.commitments[j];
            }
            next += n;
        }
        // A call of this contract, as signals of a batch are read from calldata. Short of gas it reverts, and so does this.
        return this.verifyBatch(vkHash, proofs, input);
    }

    /// @inheritdoc IKeyVerifier
    function challenge(bytes32 vkHash, bytes32 ctx, uint256 y, bytes calldata x)
        public
        view
        returns (uint256 r, uint256 e)
    {
        bytes32 domain = InputCompression.domain(vkHash, block.chainid, address(this), x.length);
        return InputCompression.challenge(domain, ctx, y, x, x[x.length:]);
    }

    /// @inheritdoc IKeyVerifier
    function publicInputs(bytes32 vkHash) external view returns (uint256 n) {
        (, n) = _sizeOf(vkHash);
    }

    /// @inheritdoc IKeyVerifier
    function keyAddress(bytes32 vkHash) public view returns (address) {
        return
            address(uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), address(this), vkHash, DATA_INIT_HASH)))));
    }

    /// @notice For data contracts under construction: the code that theirs shall be, as it is, not ABI-encoded.
    /// @dev It begins with a zero, STOP: a call of the data contract runs nothing.
    function pendingKey() external view {
        assembly {
            mstore(0, 0)
            let length := tload(1)
            for { let i := 0 } lt(i, length) { i := add(i, 0x20) } { mstore(add(0x20, i), tload(i)) }
            return(0x1f, add(length, 1))
        }
    }

    /// @dev Whether the key's data begins with alpha, beta and gamma: bytes of it before delta.
    function _phaseBytes() internal pure virtual returns (uint256);

    /// @dev Writes alpha, beta and gamma to memory, where they are no part of the data.
    function _writePhase(uint256 key) internal view virtual;

    /// @dev Stores a key that {_requireSafe} accepts, laid out as in memory from `data` on. A key that is there already
    /// stays, so that nobody can make the storing of a key fail by being first.
    function _store(bytes32 vkHash, uint256 data, uint256 length, uint256 n) internal returns (address holder) {
        holder = keyAddress(vkHash);
        if (holder.code.length != 0) return holder;
        assembly {
            // The only use of transient storage: its words at 0, 0x20, …, and their length in bytes at 1.
            tstore(1, length)
            for { let i := 0 } lt(i, length) { i := add(i, 0x20) } { tstore(i, mload(add(data, i))) }
        }
        address created;
        assembly ("memory-safe") {
            mstore(0, DATA_INIT)
            created := create2(0, 8, 24, vkHash)
        }
        if (created == address(0)) revert KeyNotStored();
        emit KeyStored(vkHash, n);
    }

    /// @dev Reverts unless alpha is on the curve, beta and gamma have coordinates below q, are not infinity and differ,
    /// up to sign. Points of G2 off the curve or outside the subgroup make every verification false.
    function _requireSafePhase(uint256 key) internal pure {
        unchecked {
            (uint256 beta, uint256 gamma) = (key + 0x40, key + 0xc0);
            if (!_onCurve(key) || !_isG2(beta) || !_isG2(gamma) || _sameX(beta, gamma)) revert UnsafeKey();
        }
    }

    /// @dev Reverts unless delta and IC are safe beside alpha, beta and gamma, which are: delta is neither gamma, beta, the
    /// generator nor a negative of these, or statements could be forged; IC are on the curve, hence not infinity, and
    /// distinct up to sign, or signals would not be bound.
    function _requireSafe(uint256 key, uint256 n) internal pure {
        unchecked {
            uint256 delta = key + 0x140;
            bool safe = n <= MAX_INPUTS && _isG2(delta) && !_sameX(delta, key + 0x40) && !_sameX(delta, key + 0xc0);
            uint256 first = key + 0x1c0;
            uint256 end = first + 0x40 + 64 * n;
            assembly ("memory-safe") {
                safe := and(safe, iszero(and(eq(mload(delta), G2_X1), eq(mload(add(delta, 0x20)), G2_X0))))
            }
            for (uint256 p = first; p < end; p += 0x40) {
                safe = safe && _onCurve(p);
                assembly ("memory-safe") {
                    let x := mload(p)
                    for { let q := first } lt(q, p) { q := add(q, 0x40) } { safe := and(safe, iszero(eq(x, mload(q)))) }
                }
            }
            if (!safe) revert UnsafeKey();
        }
    }

    function _onCurve(uint256 point) private pure returns (bool ok) {
        assembly ("memory-safe") {
            let x := mload(point)
            let y := mload(add(point, 0x20))
            ok := and(lt(x, Q), lt(y, Q))
            ok := and(ok, eq(mulmod(y, y, Q), addmod(mulmod(mulmod(x, x, Q), x, Q), 3, Q)))
        }
    }

    /// @dev Whether coordinates are below q and x is not zero, as in infinity; other points with x = 0 have order 3.
    function _isG2(uint256 point) private pure returns (bool ok) {
        assembly ("memory-safe") {
            let x1 := mload(point)
            let x0 := mload(add(point, 0x20))
            ok := and(and(lt(x1, Q), lt(x0, Q)), and(lt(mload(add(point, 0x40)), Q), lt(mload(add(point, 0x60)), Q)))
            ok := and(ok, iszero(iszero(or(x1, x0))))
        }
    }

    /// @dev Whether two points of G2 are equal up to sign.
    function _sameX(uint256 p, uint256 q) private pure returns (bool same) {
        assembly ("memory-safe") {
            same := and(eq(mload(p), mload(q)), eq(mload(add(p, 0x20)), mload(add(q, 0x20))))
        }
    }

    /// @dev Negates a point of G2 with coordinates below q, in place.
    function _negate(uint256 point) private pure {
        assembly ("memory-safe") {
            let y := add(point, 0x40)
            mstore(y, mod(sub(Q, mload(y)), Q))
            y := add(point, 0x60)
            mstore(y, mod(sub(Q, mload(y)), Q))
        }
    }

    /// @dev Data contract and number of signals of a key. Reverts with UnknownKey if it is not there.
    function _sizeOf(bytes32 vkHash) internal view returns (address holder, uint256 n) {
        holder = keyAddress(vkHash);
        uint256 size = holder.code.length;
        if (size == 0) revert UnknownKey(vkHash);
        unchecked {
            n = (size - 1 - (IC_1 - 0x140 + _phaseBytes())) / 64;
        }
    }

    /// @dev Reads a key to fresh memory and negates what is negated there. Its hash is computed again: addresses have 160
    /// bits, so 2^80 tries find two keys at the same one, of which a dishonest key would answer for an honest one's hash.
    function _load(bytes32 vkHash) internal view returns (uint256 key, uint256 n) {
        address holder;
        (holder, n) = _sizeOf(vkHash);
        unchecked {
            uint256 length = IC_1 + 64 * n;
            uint256 skipped = 0x140 - _phaseBytes();
            key = _allocate(length);
            _writePhase(key);
            bytes32 hash;
            assembly ("memory-safe") {
                extcodecopy(holder, add(key, skipped), 1, sub(length, skipped))
                hash := keccak256(key, length)
            }
            if (hash != vkHash) revert UnknownKey(vkHash);
            _negate(key + 0x40);
            _negate(key + 0xc0);
            _negate(key + 0x140);
        }
    }

    /// @dev Memory that is not zeroed.
    function _allocate(uint256 length) internal pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := mload(0x40)
            mstore(0x40, add(pointer, length))
        }
    }

    /// @dev Reverts unless enough gas is left for that many pairs and products of a point, and for `code` besides, with the
    /// 1/64 that a call may not use (EIP-150): running dry inside a precompile would look like a bad proof.
    function _requireGas(uint256 pairs, uint256 products, uint256 code) internal view {
        unchecked {
            uint256 needed =
                PRECOMPILE_GAS_FACTOR * (45_000 + 34_000 * pairs + 6_150 * products) + 350 * products + code;
            if (gasleft() < needed + needed / 63 + 5_000) revert InsufficientGas();
        }
    }

    /// @dev One proof. `signals` are n words in memory.
    function _check(uint256 key, uint256 n, uint256[8] calldata proof, uint256 signals)
        internal
        view
        returns (bool ok)
    {
        // A call may burn at most twice its price: a point off the curve makes a precompile take all that it was given.
        uint256 factor = PRECOMPILE_GAS_FACTOR;
        assembly ("memory-safe") {
            // A | B | C | -delta | alpha | -beta | X | -gamma; the last 0x60 bytes first hold IC_i and its factor
            let m := mload(0x40)
            let calls := 1
            ok := 1
            mcopy(add(m, 0x240), add(key, 0x1c0), 0x40) // X = IC_0
            let ic := add(key, IC_1)
            for { let end := add(signals, shl(5, n)) } lt(signals, end) { signals := add(signals, 0x20) } {
                let s := mload(signals)
                ok := and(ok, lt(s, R))
                mcopy(add(m, 0x280), ic, 0x40)
                mstore(add(m, 0x2c0), s)
                ic := add(ic, 0x40)
                let p := add(m, 0x280)
                calls := and(calls, staticcall(mul(12000, factor), 7, p, 0x60, p, 0x40)) // s · IC_i
                p := add(m, 0x240)
                calls := and(calls, staticcall(mul(500, factor), 6, p, 0x80, p, 0x40)) // add to X
            }
            calldatacopy(m, proof, 0x100)
            mcopy(add(m, 0x100), add(key, 0x140), 0x80)
            mcopy(add(m, 0x180), key, 0xc0)
            mcopy(add(m, 0x280), add(key, 0xc0), 0x80)
            calls := and(calls, staticcall(mul(362000, factor), 8, m, 0x300, m, 0x20))
            ok := and(and(ok, calls), eq(mload(m), 1))
        }
    }

    /// @dev Where a batch stands, in memory.
    struct Batch {
        /// Hash of everything that a prover can choose.
        uint256 seed;
        /// Number of the next proof, and where it is in calldata.
        uint256 index;
        uint256 proof;
        /// Where the next proof's signals are in calldata.
        uint256 input;
        /// Where the next pair of points goes.
        uint256 pair;
        /// Sum of all coefficients.
        uint256 total;
        /// Sum over all proofs of coefficient times X.
        uint256 xX;
        uint256 xY;
        /// Whether all signals are below R, and whether all calls of precompiles succeeded.
        bool ok;
        bool calls;
        /// One of the keys: all have alpha, -beta and -gamma.
        uint256 key;
        /// Coefficient of the proof at hand.
        uint256 rho;
    }

    /// @dev Proofs under several keys with the same alpha, beta and gamma, `counts[k]` of them under `vkHashes[k]`:
    ///
    ///     Π e(rho_i A_i, B_i) · Π_k e(Σ rho_i C_i, -delta_k) · e((Σ rho_i) alpha, -beta) · e(Σ rho_i X_i, -gamma) = 1
    ///
    /// with rho_0 = 1 and rho_i 128 bits of a hash of all keys, proofs and signals: false equations cancel each other
    /// with a probability of 2^-128 for each try. One product per key and signal is enough, since X_i is linear.
    function _checkBatch(
        bytes32[] memory vkHashes,
        uint256[] memory counts,
        uint256[8][] calldata proofs,
        uint256[] calldata input
    ) internal view returns (bool) {
        _requireBatch(vkHashes, counts, proofs.length, input.length);
        Batch memory batch;
        batch.seed = _seed(vkHashes, counts, proofs, input);
        uint256 pairs = _allocate(192 * (proofs.length + vkHashes.length + 2));
        assembly ("memory-safe") {
            mstore(add(batch, 0x40), proofs.offset)
            mstore(add(batch, 0x60), input.offset)
        }
        batch.pair = pairs;
        batch.ok = true;
        batch.calls = true;
        for (uint256 k = 0; k < vkHashes.length; k++) {
            _addProofs(batch, vkHashes[k], counts[k]);
        }
        return _pairBatch(batch, pairs);
    }

    /// @dev Hash of all that a prover can choose, from which the coefficients are drawn.
    function _seed(
        bytes32[] memory vkHashes,
        uint256[] memory counts,
        uint256[8][] calldata proofs,
        uint256[] calldata input
    ) internal pure returns (uint256 seed) {
        bytes32 keys = keccak256(abi.encode(BATCH_TAG, vkHashes, counts));
        assembly ("memory-safe") {
            let m := mload(0x40)
            let size := shl(8, proofs.length)
            mstore(m, keys)
            calldatacopy(add(m, 0x20), proofs.offset, size)
            calldatacopy(add(add(m, 0x20), size), input.offset, shl(5, input.length))
            seed := keccak256(m, add(add(0x20, size), shl(5, input.length)))
        }
    }

    /// @dev Reverts unless the parts of a batch fit together and enough gas is left for it.
    function _requireBatch(bytes32[] memory vkHashes, uint256[] memory counts, uint256 proofs, uint256 input)
        private
        view
    {
        uint256 left = proofs;
        uint256 signals = 0;
        uint256 products = 2 * proofs + 1;
        for (uint256 k = 0; k < vkHashes.length; k++) {
            (, uint256 n) = _sizeOf(vkHashes[k]);
            if (counts[k] == 0 || counts[k] > left) revert MalformedBatch();
            left -= counts[k];
            signals += counts[k] * n;
            products += n + 1;
        }
        if (left != 0 || proofs == 0) revert MalformedBatch();
        if (input != signals) revert WrongInputCount(input, signals);
        // Besides products: coefficients and sums, keys to read, and all copied once for the hash.
        uint256 code = 1_000 * proofs + 200 * signals + 8_000 * vkHashes.length;
        _requireGas(proofs + vkHashes.length + 2, products, code);
    }

    /// @dev Adds the next `count` proofs, all under one key.
    function _addProofs(Batch memory batch, bytes32 vkHash, uint256 count) private view {
        (uint256 key, uint256 n) = _load(vkHash);
        batch.key = key;
        // Sum of the coefficients, then of coefficient times signal j.
        uint256 sums = _allocate(32 * (n + 1));
        // The pair (Σ rho_i C_i, -delta) comes before those of the proofs.
        uint256 sumC = batch.pair;
        batch.pair = sumC + 0xc0;
        assembly ("memory-safe") {
            calldatacopy(sums, calldatasize(), add(0x20, shl(5, n)))
            calldatacopy(sumC, calldatasize(), 0x40)
            mcopy(add(sumC, 0x40), add(key, 0x140), 0x80)
        }
        for (uint256 i = 0; i < count; i++) {
            _addSignals(batch, sums, n);
            _addPoints(batch, sumC);
        }
        _addStatements(batch, sums, key + 0x1c0);
    }

    /// @dev Draws the next proof's coefficient and adds its signals, times that, to the sums.
    function _addSignals(Batch memory batch, uint256 sums, uint256 n) private pure {
        assembly ("memory-safe") {
            let rho := 1
            let i := mload(add(batch, 0x20))
            if i {
                mstore(0, mload(batch))
                mstore(0x20, i)
                rho := shr(128, keccak256(0, 0x40))
            }
            mstore(add(batch, 0x20), add(i, 1))
            mstore(add(batch, 0x160), rho)
            mstore(add(batch, 0xa0), add(mload(add(batch, 0xa0)), rho))
            mstore(sums, add(mload(sums), rho))
            let ok := mload(add(batch, 0x100))
            let input := mload(add(batch, 0x60))
            for { let last := add(sums, shl(5, n)) } lt(sums, last) {} {
                sums := add(sums, 0x20)
                let s := calldataload(input)
                ok := and(ok, lt(s, R))
                mstore(sums, addmod(mload(sums), mulmod(rho, s, R), R))
                input := add(input, 0x20)
            }
            mstore(add(batch, 0x60), input)
            mstore(add(batch, 0x100), ok)
        }
    }

    /// @dev Adds the pair (rho · A, B) of the next proof, and rho · C to the sum. The first proof's A goes to the pairing
    /// as it is: rho is 1.
    function _addPoints(Batch memory batch, uint256 sumC) private view {
        uint256 mulGas = 12_000 * PRECOMPILE_GAS_FACTOR;
        assembly ("memory-safe") {
            let t := mload(0x40)
            let proof := mload(add(batch, 0x40))
            let pair := mload(add(batch, 0x80))
            let rho := mload(add(batch, 0x160))
            let calls := mload(add(batch, 0x120))
            calldatacopy(pair, proof, 0xc0)
            calldatacopy(t, add(proof, 0xc0), 0x40)
            if iszero(eq(rho, 1)) {
                mstore(add(t, 0x40), rho)
                calls := and(calls, staticcall(mulGas, 7, t, 0x60, t, 0x40))
                calldatacopy(add(t, 0x40), proof, 0x40)
                mstore(add(t, 0x80), rho)
                calls := and(calls, staticcall(mulGas, 7, add(t, 0x40), 0x60, pair, 0x40))
            }
            mcopy(add(t, 0x40), sumC, 0x40)
            calls := and(calls, staticcall(div(mulGas, 24), 6, t, 0x80, sumC, 0x40))
            mstore(add(batch, 0x40), add(proof, 0x100))
            mstore(add(batch, 0x80), add(pair, 0xc0))
            mstore(add(batch, 0x120), calls)
        }
    }

    /// @dev Adds Σ rho_i X_i of one key's proofs: sums[j] · IC_j. `ic` is where the key's IC_0 is.
    function _addStatements(Batch memory batch, uint256 sums, uint256 ic) private view {
        uint256 mulGas = 12_000 * PRECOMPILE_GAS_FACTOR;
        assembly ("memory-safe") {
            let t := mload(0x40)
            let x := add(batch, 0xc0)
            let calls := mload(add(batch, 0x120))
            // The sums are the memory that was allocated last.
            for {} lt(sums, t) { sums := add(sums, 0x20) } {
                mcopy(t, ic, 0x40)
                mstore(add(t, 0x40), mload(sums))
                calls := and(calls, staticcall(mulGas, 7, t, 0x60, t, 0x40))
                mcopy(add(t, 0x40), x, 0x40)
                calls := and(calls, staticcall(div(mulGas, 24), 6, t, 0x80, x, 0x40))
                ic := add(ic, 0x40)
            }
            mstore(add(batch, 0x120), calls)
        }
    }

    /// @dev The last two pairs, and the answer.
    function _pairBatch(Batch memory batch, uint256 pairs) private view returns (bool ok) {
        uint256 factor = PRECOMPILE_GAS_FACTOR;
        uint256 key = batch.key;
        assembly ("memory-safe") {
            let t := mload(0x40)
            let calls := mload(add(batch, 0x120))
            let pair := mload(add(batch, 0x80))
            mcopy(t, key, 0x40)
            mstore(add(t, 0x40), mload(add(batch, 0xa0)))
            calls := and(calls, staticcall(mul(12000, factor), 7, t, 0x60, pair, 0x40))
            mcopy(add(pair, 0x40), add(key, 0x40), 0x80)
            mcopy(add(pair, 0xc0), add(batch, 0xc0), 0x40)
            mcopy(add(pair, 0x100), add(key, 0xc0), 0x80)
            let size := sub(add(pair, 0x180), pairs)
            let limit := mul(mul(2, factor), add(45000, mul(34000, div(size, 0xc0))))
            calls := and(calls, staticcall(limit, 8, pairs, size, t, 0x20))
            ok := and(and(mload(add(batch, 0x100)), calls), eq(mload(t), 1))
        }
    }
}
