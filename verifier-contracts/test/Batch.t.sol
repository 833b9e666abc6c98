// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IKeyVerifier} from "../interfaces/IKeyVerifier.sol";
import {PhaseOneVerifier} from "../verifiers/PhaseOneVerifier.sol";
import {UniversalVerifier} from "../verifiers/UniversalVerifier.sol";
import {Simulator} from "./support/Simulator.sol";
import {Test} from "./support/Test.sol";

/// @dev Shows what batches draw their coefficients from.
contract Seeds is UniversalVerifier {
    constructor() UniversalVerifier(1) {}

    function seed(
        bytes32[] memory vkHashes,
        uint256[] memory counts,
        uint256[8][] calldata proofs,
        uint256[] calldata input
    ) external pure returns (uint256) {
        return _seed(vkHashes, counts, proofs, input);
    }
}

contract BatchTest is Test {
    using Simulator for Simulator.Key;

    uint256 internal constant R = Simulator.R;
    uint256 internal constant Q = Simulator.Q;

    UniversalVerifier internal universal;
    PhaseOneVerifier internal phase;
    Seeds internal seeds;
    Simulator.Key[4] internal keys;
    bytes32[4] internal hashes;

    struct Batch {
        bytes32[] vkHashes;
        uint256[] counts;
        uint256[8][] proofs;
        uint256[] input;
    }

    function setUp() public {
        universal = new UniversalVerifier(1);
        seeds = new Seeds();
        phase = new PhaseOneVerifier("simulated", Simulator.phaseOne(), 1);
        for (uint256 i = 0; i < 4; i++) {
            // 3, 1, 4 and 2 signals
            keys[i] = Simulator.Key(i, [uint256(3), 1, 4, 2][i], 100 + i);
            hashes[i] = universal.store(keys[i].words());
            phase.store(keys[i].phaseTwo());
        }
    }

    /// @dev m honest proofs under the first key.
    function batchOf(uint256 m, uint256 seed)
        internal
        view
        returns (uint256[8][] memory proofs, uint256[] memory input)
    {
        Simulator.Key memory k = keys[0];
        proofs = new uint256[8][](m);
        input = new uint256[](3 * m);
        for (uint256 i = 0; i < m; i++) {
            uint256[] memory x = Simulator.drawSignals(3, seed + i);
            proofs[i] = k.prove(x, seed + i);
            for (uint256 j = 0; j < 3; j++) {
                input[3 * i + j] = x[j];
            }
        }
    }

    /// @dev counts[i] honest proofs under the i-th key, for all four.
    function mixedOf(uint256[4] memory counts, uint256 seed) internal view returns (Batch memory b) {
        uint256 signals = 0;
        uint256 proofs = 0;
        uint256 groups = 0;
        for (uint256 i = 0; i < 4; i++) {
            proofs += counts[i];
            signals += counts[i] * keys[i].n;
            if (counts[i] != 0) groups++;
        }
        b = Batch(new bytes32[](groups), new uint256[](groups), new uint256[8][](proofs), new uint256[](signals));
        (groups, proofs, signals) = (0, 0, 0);
        for (uint256 i = 0; i < 4; i++) {
            if (counts[i] == 0) continue;
            (b.vkHashes[groups], b.counts[groups]) = (hashes[i], counts[i]);
            groups++;
            for (uint256 k = 0; k < counts[i]; k++) {
                uint256[] memory x = Simulator.drawSignals(keys[i].n, seed + proofs);
                b.proofs[proofs] = keys[i].prove(x, seed + proofs);
                proofs++;
                for (uint256 j = 0; j < x.length; j++) {
                    b.input[signals++] = x[j];
                }
            }
        }
    }

    function accepted(uint256[8][] memory proofs, uint256[] memory input) internal view returns (bool) {
        bool answer = universal.verifyBatch(hashes[0], proofs, input);
        assertTrue(answer == phase.verifyBatch(hashes[0], proofs, input), "the verifiers disagree");
        return answer;
    }

    function accepted(Batch memory b) internal view returns (bool) {
        return phase.verifyMixedBatch(b.vkHashes, b.counts, b.proofs, b.input);
    }

    // ------------------------------------------------------------------------------------------------------- one key

    function testFuzz_honestBatchesAreAccepted(uint256 m, uint256 seed) external view {
        (uint256[8][] memory proofs, uint256[] memory input) = batchOf(bound(m, 1, 3), seed >> 8);
        assertTrue(accepted(proofs, input), "refused");
    }

    function testFuzz_oneBadProofFailsTheBatch(uint256 m, uint256 seed, uint256 i, uint256 word, uint256 bit)
        external
        view
    {
        (uint256[8][] memory proofs, uint256[] memory input) = batchOf(bound(m, 1, 3), seed >> 8);
        proofs[i % proofs.length][word % 8] ^= 1 << (bit % 256);
        assertTrue(!universal.verifyBatch(hashes[0], proofs, input), "accepted");
    }

    function testFuzz_oneOtherSignalFailsTheBatch(uint256 m, uint256 seed, uint256 i, uint256 by) external view {
        (uint256[8][] memory proofs, uint256[] memory input) = batchOf(bound(m, 1, 3), seed >> 8);
        vm.assume(by != input[i % input.length]);
        input[i % input.length] = by;
        assertTrue(!universal.verifyBatch(hashes[0], proofs, input), "accepted");
    }

    /// @dev Changes that cancel when all proofs have the same weight.
    function test_changesThatCancelAreRefused() external view {
        (uint256[8][] memory proofs, uint256[] memory input) = batchOf(4, 1);
        uint256 by = 5;
        input[3] = addmod(input[3], by, R);
        input[6] = addmod(input[6], R - by, R);
        assertTrue(!accepted(proofs, input), "signals");
        (proofs, input) = batchOf(4, 1);
        uint256[2] memory p = Simulator.g1(99);
        uint256[2] memory plus = Simulator.add([proofs[0][6], proofs[0][7]], p);
        uint256[2] memory minus = Simulator.add([proofs[1][6], proofs[1][7]], Simulator.negate(p));
        (proofs[0][6], proofs[0][7], proofs[1][6], proofs[1][7]) = (plus[0], plus[1], minus[0], minus[1]);
        assertTrue(!accepted(proofs, input), "points");
    }

    function test_exchangedProofsAreRefused() external view {
        (uint256[8][] memory proofs, uint256[] memory input) = batchOf(3, 1);
        (proofs[1], proofs[2]) = (proofs[2], proofs[1]);
        assertTrue(!accepted(proofs, input), "accepted");
    }

    function test_aliasedSignalsAreRefused() external view {
        for (uint256 i = 0; i < 9; i++) {
            (uint256[8][] memory proofs, uint256[] memory input) = batchOf(3, 1);
            input[i] += R;
            assertTrue(!accepted(proofs, input), "accepted");
        }
    }

    function test_theSameProofTwiceIsFine() external view {
        (uint256[8][] memory proofs, uint256[] memory input) = batchOf(2, 1);
        proofs[1] = proofs[0];
        for (uint256 j = 0; j < 3; j++) {
            input[3 + j] = input[j];
        }
        assertTrue(accepted(proofs, input), "refused");
    }

    function test_anInvalidProofTwiceIsNot() external view {
        (uint256[8][] memory proofs, uint256[] memory input) = batchOf(2, 1);
        // A and -A: the pairs of one proof are the inverse of the other's, if weights were equal
        proofs[1] = proofs[0];
        proofs[1][1] = Q - proofs[0][1];
        for (uint256 j = 0; j < 3; j++) {
            input[3 + j] = input[j];
        }
        assertTrue(!accepted(proofs, input), "accepted");
    }

    function testFuzz_coefficientsDependOnEverything(
        bytes32[] memory vkHashes,
        uint256[] memory counts,
        uint256[8][] memory proofs,
        uint256[] memory input
    ) external {
        bytes32 keys = keccak256(abi.encode(keccak256("veritensor/batch/v1"), vkHashes, counts));
        bytes memory all = abi.encodePacked(keys);
        for (uint256 i = 0; i < proofs.length; i++) {
            all = bytes.concat(all, abi.encodePacked(proofs[i]));
        }
        all = bytes.concat(all, abi.encodePacked(input));
        assertEq(seeds.seed(vkHashes, counts, proofs, input), uint256(keccak256(all)), "seed");
    }

    function test_malformedBatchesAreRefused() external {
        (uint256[8][] memory proofs, uint256[] memory input) = batchOf(2, 1);
        vm.expectRevert(IKeyVerifier.MalformedBatch.selector);
        universal.verifyBatch(hashes[0], new uint256[8][](0), new uint256[](0));
        vm.expectRevert(abi.encodeWithSelector(IKeyVerifier.WrongInputCount.selector, 5, 6));
        universal.verifyBatch(hashes[0], proofs, new uint256[](5));
        vm.expectRevert(abi.encodeWithSelector(IKeyVerifier.WrongInputCount.selector, 6, 3));
        universal.verifyBatch(hashes[0], new uint256[8][](1), input);
    }

    function testFuzz_shortOfGasNothingIsDecided(uint256 gas, uint256 m) external view {
        (uint256[8][] memory proofs, uint256[] memory input) = batchOf(bound(m, 1, 4), 1);
        bytes memory data = abi.encodeCall(IKeyVerifier.verifyBatch, (hashes[0], proofs, input));
        (bool success, bytes memory answer) = address(universal).staticcall{gas: bound(gas, 20_000, 700_000)}(data);
        if (success) assertTrue(abi.decode(answer, (bool)), "a valid batch was called false");
        else if (answer.length != 0) assertTrue(bytes4(answer) == IKeyVerifier.InsufficientGas.selector, "other error");
    }

    function test_theGuardIsEnough() external view {
        for (uint256 m = 1; m <= 17; m += 8) {
            (uint256[8][] memory proofs, uint256[] memory input) = batchOf(m, 1);
            guardIsEnough(address(universal), abi.encodeCall(IKeyVerifier.verifyBatch, (hashes[0], proofs, input)));
        }
        Batch memory b = mixedOf([uint256(1), 2, 3, 1], 1);
        guardIsEnough(
            address(phase), abi.encodeCall(PhaseOneVerifier.verifyMixedBatch, (b.vkHashes, b.counts, b.proofs, b.input))
        );
    }

    function guardIsEnough(address verifier, bytes memory data) internal view {
        (uint256 lo, uint256 hi) = (50_000, 3_000_000);
        while (hi - lo > 1) {
            uint256 middle = (lo + hi) / 2;
            (bool success,) = verifier.staticcall{gas: middle}(data);
            if (success) hi = middle;
            else lo = middle;
        }
        (, bytes memory answer) = verifier.staticcall{gas: hi}(data);
        assertTrue(abi.decode(answer, (bool)), "a valid batch was called false");
    }

    function test_pointsOffTheCurveBurnABoundedAmount() external view {
        (uint256[8][] memory proofs, uint256[] memory input) = batchOf(4, 1);
        for (uint256 word = 0; word < 8; word++) {
            for (uint256 i = 0; i < 4; i += 3) {
                uint256 before = proofs[i][word];
                proofs[i][word] = 5;
                uint256 gas = gasleft();
                assertTrue(!universal.verifyBatch(hashes[0], proofs, input), "accepted");
                assertTrue(gas - gasleft() < 900_000, "gas");
                proofs[i][word] = before;
            }
        }
    }

    // ---------------------------------------------------------------------------------------------------- many keys

    function testFuzz_honestMixedBatchesAreAccepted(uint256 counts, uint256 seed) external view {
        uint256[4] memory c = [counts % 3, (counts >> 8) % 3, (counts >> 16) % 3, (counts >> 24) % 2];
        if (c[0] + c[1] + c[2] + c[3] == 0) c[3] = 1;
        assertTrue(accepted(mixedOf(c, seed >> 8)), "refused");
    }

    function testFuzz_oneChangeFailsTheMixedBatch(uint256 counts, uint256 seed, uint256 what, uint256 i, uint256 by)
        external
        view
    {
        uint256[4] memory c = [counts % 2, (counts >> 8) % 2, (counts >> 16) % 2, 1];
        Batch memory b = mixedOf(c, seed >> 8);
        if (what % 2 == 0) {
            vm.assume(by != b.input[i % b.input.length]);
            b.input[i % b.input.length] = by;
        } else {
            b.proofs[i % b.proofs.length][by % 8] ^= 1 << ((by >> 8) % 256);
        }
        assertTrue(!accepted(b), "accepted");
    }

    function test_proofsUnderEachOthersKeysAreRefused() external view {
        Batch memory b = mixedOf([uint256(1), 1, 1, 1], 1);
        (b.vkHashes[0], b.vkHashes[2]) = (b.vkHashes[2], b.vkHashes[0]);
        // as many signals in all, otherwise divided
        assertTrue(!accepted(b), "accepted");
        b = mixedOf([uint256(2), 1, 0, 0], 1);
        (b.proofs[1], b.proofs[2]) = (b.proofs[2], b.proofs[1]);
        assertTrue(!accepted(b), "accepted");
    }

    function test_mixedChangesThatCancelAreRefused() external view {
        // C of two proofs under keys with the same delta
        Batch memory b = mixedOf([uint256(2), 1, 0, 0], 1);
        uint256[2] memory p = Simulator.g1(99);
        uint256[2] memory plus = Simulator.add([b.proofs[0][6], b.proofs[0][7]], p);
        uint256[2] memory minus = Simulator.add([b.proofs[1][6], b.proofs[1][7]], Simulator.negate(p));
        (b.proofs[0][6], b.proofs[0][7], b.proofs[1][6], b.proofs[1][7]) = (plus[0], plus[1], minus[0], minus[1]);
        assertTrue(!accepted(b), "accepted");
    }

    function test_aKeyMayComeTwice() external view {
        Batch memory b = mixedOf([uint256(2), 0, 0, 0], 1);
        bytes32[] memory vkHashes = new bytes32[](2);
        uint256[] memory counts = new uint256[](2);
        (vkHashes[0], vkHashes[1], counts[0], counts[1]) = (hashes[0], hashes[0], 1, 1);
        (b.vkHashes, b.counts) = (vkHashes, counts);
        assertTrue(accepted(b), "refused");
    }

    function test_malformedMixedBatchesAreRefused() external {
        Batch memory b = mixedOf([uint256(1), 2, 0, 0], 1);
        uint256[] memory counts = new uint256[](2);
        for (uint256 i = 0; i < 4; i++) {
            (counts[0], counts[1]) = ([uint256(1), 0, 2, 3][i], [uint256(1), 3, 2, type(uint256).max - 2][i]);
            vm.expectRevert(IKeyVerifier.MalformedBatch.selector);
            phase.verifyMixedBatch(b.vkHashes, counts, b.proofs, b.input);
        }
        vm.expectRevert(IKeyVerifier.MalformedBatch.selector);
        phase.verifyMixedBatch(b.vkHashes, new uint256[](1), b.proofs, b.input);
        vm.expectRevert(IKeyVerifier.MalformedBatch.selector);
        phase.verifyMixedBatch(new bytes32[](0), new uint256[](0), b.proofs, b.input);
        b.vkHashes[1] = keccak256("unknown");
        vm.expectRevert(abi.encodeWithSelector(IKeyVerifier.UnknownKey.selector, b.vkHashes[1]));
        phase.verifyMixedBatch(b.vkHashes, b.counts, b.proofs, b.input);
    }

    function test_gas() external {
        for (uint256 m = 8; m <= 32; m += 24) {
            (uint256[8][] memory proofs, uint256[] memory input) = batchOf(m, 1);
            universal.verifyBatch(hashes[0], proofs, input);
            vm.snapshotGasLastCall(m == 8 ? "universal batch of 8, 3 signals" : "universal batch of 32, 3 signals");
        }
        Batch memory b = mixedOf([uint256(2), 2, 2, 2], 1);
        phase.verifyMixedBatch(b.vkHashes, b.counts, b.proofs, b.input);
        vm.snapshotGasLastCall("phase one batch of 8 under 4 keys");
    }

    // ------------------------------------------------------------------------------------------ compressed statements

    /// @dev m honest proofs of bytes under the third key, which has one commitment besides y, r, e.
    function compressedOf(IKeyVerifier verifier, uint256 m, uint256 seed)
        internal
        view
        returns (uint256[8][] memory proofs, IKeyVerifier.CompressedStatement[] memory statements)
    {
        proofs = new uint256[8][](m);
        statements = new IKeyVerifier.CompressedStatement[](m);
        for (uint256 i = 0; i < m; i++) {
            uint256[] memory signals = Simulator.drawSignals(4, seed + i);
            bytes32 ctx = keccak256(abi.encode(seed, i));
            bytes memory x = bytes.concat(ctx, bytes32(signals[1]), ctx);
            uint256 length = seed % 97;
            assembly ("memory-safe") {
                mstore(x, length)
            }
            (signals[1], signals[2]) = verifier.challenge(hashes[2], ctx, signals[0], x);
            proofs[i] = keys[2].prove(signals, seed + i);
            uint256[] memory commitments = new uint256[](1);
            commitments[0] = signals[3];
            statements[i] = IKeyVerifier.CompressedStatement(commitments, signals[0], ctx, x);
        }
    }

    function testFuzz_honestCompressedBatchesAreAccepted(uint256 m, uint256 seed) external view {
        m = bound(m, 1, 3);
        for (uint256 k = 0; k < 2; k++) {
            IKeyVerifier verifier = k == 0 ? IKeyVerifier(universal) : phase;
            (uint256[8][] memory proofs, IKeyVerifier.CompressedStatement[] memory statements) =
                compressedOf(verifier, m, seed >> 8);
            assertTrue(verifier.verifyCompressedBatch(hashes[2], proofs, statements), "refused");
            IKeyVerifier other = k == 0 ? IKeyVerifier(phase) : universal;
            assertTrue(!other.verifyCompressedBatch(hashes[2], proofs, statements), "accepted by another contract");
        }
    }

    function testFuzz_oneOtherPartFailsACompressedBatch(uint256 m, uint256 seed, uint256 i, uint256 part, uint256 by)
        external
        view
    {
        (uint256[8][] memory proofs, IKeyVerifier.CompressedStatement[] memory statements) =
            compressedOf(universal, bound(m, 1, 3), seed >> 8);
        i %= proofs.length;
        by = bound(by, 1, R - 1);
        IKeyVerifier.CompressedStatement memory s = statements[i];
        part %= 6;
        if (part == 0) s.y = addmod(s.y, by, R);
        else if (part == 1) s.ctx = bytes32(uint256(s.ctx) ^ by);
        else if (part == 2) s.commitments[0] = addmod(s.commitments[0], by, R);
        else if (part == 3) s.x = bytes.concat(s.x, bytes1(uint8(by)));
        else if (part == 4 && s.x.length > 0) s.x[by % s.x.length] ^= bytes1(uint8(1 + (by % 255)));
        else proofs[i][by % 8] ^= 1 << (by % 253);
        assertTrue(!universal.verifyCompressedBatch(hashes[2], proofs, statements), "accepted");
    }

    function test_compressedStatementsDontChangePlaces() external view {
        (uint256[8][] memory proofs, IKeyVerifier.CompressedStatement[] memory statements) =
            compressedOf(universal, 2, 7);
        (statements[0], statements[1]) = (statements[1], statements[0]);
        assertTrue(!universal.verifyCompressedBatch(hashes[2], proofs, statements), "accepted");
    }

    function test_aliasesInACompressedBatchAreRefused() external view {
        (uint256[8][] memory proofs, IKeyVerifier.CompressedStatement[] memory statements) =
            compressedOf(universal, 2, 7);
        statements[1].commitments[0] += R;
        assertTrue(!universal.verifyCompressedBatch(hashes[2], proofs, statements), "a commitment");
        // a prover who makes the proof for y + R gets no further
        uint256 y = statements[1].y + R;
        uint256[] memory signals = new uint256[](4);
        (signals[1], signals[2]) = universal.challenge(hashes[2], statements[1].ctx, y, statements[1].x);
        (signals[0], signals[3]) = (y - R, statements[1].commitments[0] - R);
        (proofs[1], statements[1].y, statements[1].commitments[0]) = (keys[2].prove(signals, 1), y, signals[3]);
        assertTrue(!universal.verifyCompressedBatch(hashes[2], proofs, statements), "y");
        statements[1].y = y - R;
        (signals[1], signals[2]) = universal.challenge(hashes[2], statements[1].ctx, y - R, statements[1].x);
        proofs[1] = keys[2].prove(signals, 1);
        assertTrue(universal.verifyCompressedBatch(hashes[2], proofs, statements), "an honest one");
    }

    function test_partsOfACompressedBatchMustFit() external {
        (uint256[8][] memory proofs, IKeyVerifier.CompressedStatement[] memory statements) =
            compressedOf(universal, 2, 7);
        IKeyVerifier.CompressedStatement[] memory one = new IKeyVerifier.CompressedStatement[](1);
        one[0] = statements[0];
        vm.expectRevert(IKeyVerifier.MalformedBatch.selector);
        universal.verifyCompressedBatch(hashes[2], proofs, one);
        vm.expectRevert(IKeyVerifier.MalformedBatch.selector);
        universal.verifyCompressedBatch(hashes[2], new uint256[8][](0), new IKeyVerifier.CompressedStatement[](0));
        vm.expectRevert(abi.encodeWithSelector(IKeyVerifier.WrongInputCount.selector, 4, 3));
        universal.verifyCompressedBatch(hashes[0], proofs, statements);
        statements[1].commitments = new uint256[](2);
        vm.expectRevert(abi.encodeWithSelector(IKeyVerifier.WrongInputCount.selector, 5, 4));
        universal.verifyCompressedBatch(hashes[2], proofs, statements);
        vm.expectRevert(abi.encodeWithSelector(IKeyVerifier.UnknownKey.selector, bytes32("none")));
        universal.verifyCompressedBatch("none", proofs, statements);
    }

    function test_compressedBatchesShortOfGasAreNotJudged() external view {
        (uint256[8][] memory proofs, IKeyVerifier.CompressedStatement[] memory statements) =
            compressedOf(universal, 3, 7);
        bytes memory data = abi.encodeCall(IKeyVerifier.verifyCompressedBatch, (hashes[2], proofs, statements));
        bool answered = false;
        for (uint256 gas = 50_000; gas < 700_000; gas += 10_000) {
            (bool success, bytes memory answer) = address(universal).staticcall{gas: gas}(data);
            assertTrue(success || !answered, "fails with more gas");
            if (success) assertTrue(abi.decode(answer, (bool)), "refused");
            answered = answered || success;
        }
        assertTrue(answered, "never enough");
    }

    // ---------------------------------------------------------------------------------------------------- one key, again
}
