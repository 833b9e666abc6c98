// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IKeyVerifier} from "../interfaces/IKeyVerifier.sol";
import {KeyVerifier} from "../verifiers/KeyVerifier.sol";
import {PhaseOneVerifier} from "../verifiers/PhaseOneVerifier.sol";
import {UniversalVerifier} from "../verifiers/UniversalVerifier.sol";
import {Simulator} from "./support/Simulator.sol";
import {Test} from "./support/Test.sol";

/// @dev What both verifiers under stored keys do alike.
abstract contract KeyVerifierTest is Test {
    using Simulator for Simulator.Key;

    uint256 internal constant Q = Simulator.Q;
    uint256 internal constant R = Simulator.R;
    uint256 internal constant MOST = 6;

    KeyVerifier internal verifier;
    Simulator.Key internal key3 = Simulator.Key(0, 3, 1);
    bytes32[MOST + 1] internal hashes;
    bytes32 internal hash3;

    function deploy(uint256 factor) internal virtual returns (KeyVerifier);

    /// @dev Stores a whole key, given as UniversalVerifier takes it.
    function store(uint256[] memory words) internal virtual returns (bytes32);

    function setUp() public virtual {
        verifier = deploy(1);
        for (uint256 n = 1; n <= MOST; n++) {
            hashes[n] = store(keyOf(n).words());
        }
        hash3 = hashes[3];
    }

    function keyOf(uint256 n) internal pure returns (Simulator.Key memory) {
        return Simulator.Key(0, n, 1);
    }

    // ------------------------------------------------------------------------------------------------------- storing

    function test_storeNamesKeysByTheirHash() external {
        uint256[] memory words = Simulator.Key(1, 4, 9).words();
        bytes32 expected = keccak256(abi.encodePacked(words));
        vm.expectEmit();
        emit IKeyVerifier.KeyStored(expected, 4);
        assertEq(store(words), expected, "hash");
        assertEq(verifier.publicInputs(expected), 4, "inputs");
    }

    function test_storePutsDataAtTheAddressThatFollows() external {
        bytes32 vkHash = hash3;
        address data = verifier.keyAddress(vkHash);
        bytes32 init = keccak256(hex"639a3d4a255f525f5f6004601c335afa153d905f3e3d5ff3");
        bytes32 predicted = keccak256(abi.encodePacked(bytes1(0xff), address(verifier), vkHash, init));
        assertEq(data, address(uint160(uint256(predicted))), "CREATE2");
        assertTrue(data.code.length > 256, "no data");
        assertEq(uint256(uint8(data.code[0])), 0, "the code must begin with STOP");
        (bool success, bytes memory answer) = data.call(hex"01020304");
        assertTrue(success && answer.length == 0, "data can be called, to no effect");
    }

    /// @dev Two hashes may lead to one address after 2^80 tries. What stands there is good for the hash of what it is alone.
    function test_dataOfAnotherKeyIsNotTaken() external {
        Simulator.Key memory other = Simulator.Key(1, 3, 50);
        bytes32 vkHash = other.hash();
        uint256[] memory x = Simulator.drawSignals(3, 1);
        uint256[8] memory proof = key3.prove(x, 1);
        assertTrue(verifier.verify(hash3, proof, x), "honest");
        bytes memory data = verifier.keyAddress(hash3).code;
        vm.etch(verifier.keyAddress(vkHash), data);
        bytes memory unknown = abi.encodeWithSelector(IKeyVerifier.UnknownKey.selector, vkHash);
        vm.expectRevert(unknown);
        verifier.verify(vkHash, proof, x);
        vm.expectRevert(unknown);
        verifier.verifyCompressed(vkHash, proof, new uint256[](0), 1, "ctx", "x");
        uint256[8][] memory proofs = new uint256[8][](1);
        proofs[0] = proof;
        vm.expectRevert(unknown);
        verifier.verifyBatch(vkHash, proofs, x);
        // nor are some of its bytes others, or fewer
        for (uint256 i = 1; i < data.length; i += 37) {
            data[i] ^= 0x01;
            vm.etch(verifier.keyAddress(hash3), data);
            vm.expectRevert(abi.encodeWithSelector(IKeyVerifier.UnknownKey.selector, hash3));
            verifier.verify(hash3, proof, x);
            data[i] ^= 0x01;
        }
        vm.etch(verifier.keyAddress(hash3), data);
        assertTrue(verifier.verify(hash3, proof, x), "put right");
    }

    function test_storeAgainChangesNothing() external {
        bytes32 before = verifier.keyAddress(hash3).codehash;
        vm.recordLogs();
        assertEq(store(key3.words()), key3.hash(), "hash");
        assertEq(vm.getRecordedLogs().length, 0, "an event");
        assertEq(verifier.keyAddress(hash3).codehash, before, "data");
    }

    function test_storeTwoKeysAtOnceKeepsThemApart() external {
        (Simulator.Key memory a, Simulator.Key memory b) = (Simulator.Key(2, 5, 40), Simulator.Key(3, 1, 41));
        store(a.words());
        store(b.words());
        uint256[] memory x = Simulator.drawSignals(5, 3);
        assertTrue(verifier.verify(a.hash(), a.prove(x, 1), x), "first key");
        x = Simulator.drawSignals(1, 3);
        assertTrue(verifier.verify(b.hash(), b.prove(x, 1), x), "second key");
    }

    function test_storeWithoutEnoughGasLeavesNothingBehind() external {
        Simulator.Key memory k = Simulator.Key(1, 3, 77);
        uint256[] memory words = k.words();
        for (uint256 gas = 30_000; gas < 230_000; gas += 5_000) {
            (bool success,) = address(this).call{gas: gas}(abi.encodeCall(this.storeExternally, (words)));
            if (success) break;
            assertEq(verifier.keyAddress(k.hash()).code.length, 0, "data");
        }
        store(words);
        assertEq(verifier.publicInputs(k.hash()), 3, "inputs");
    }

    /// @dev Nothing but a hash collision could be at the address, or a lack of gas keep the contract from being made.
    function test_storeNeverAnswersWithoutStoring() external {
        Simulator.Key memory k = Simulator.Key(1, 3, 78);
        uint256[] memory words = k.words();
        vm.setNonce(verifier.keyAddress(k.hash()), 1);
        vm.expectRevert(KeyVerifier.KeyNotStored.selector);
        this.storeExternally(words);
    }

    function storeExternally(uint256[] memory words) external {
        store(words);
    }

    function test_storeTakesAsManyInputsAsFitIntoCode() external {
        Simulator.Key memory k = Simulator.Key(0, 375, 5);
        store(k.words());
        uint256[] memory x = Simulator.drawSignals(375, 8);
        uint256[8] memory proof = k.prove(x, 1);
        assertTrue(verifier.verify(k.hash(), proof, x), "honest");
        x[374] ^= 1;
        assertTrue(!verifier.verify(k.hash(), proof, x), "last input changed");
        expectUnsafe(Simulator.Key(0, 376, 5).words());
    }

    function expectUnsafe(uint256[] memory words) internal {
        try this.storeExternally(words) {
            revert("an unsafe key was stored");
        } catch (bytes memory reason) {
            assertTrue(bytes4(reason) == IKeyVerifier.UnsafeKey.selector, "another error");
        }
    }

    /// @dev Words of a key with some of them replaced.
    function changed(uint256 from, uint256[4] memory by, uint256 count) internal view returns (uint256[] memory words) {
        words = Simulator.Key(0, 3, 30).words();
        for (uint256 i = 0; i < count; i++) {
            words[from + i] = by[i];
        }
    }

    function changed(uint256 from, uint256[2] memory by) internal view returns (uint256[] memory) {
        return changed(from, [by[0], by[1], 0, 0], 2);
    }

    function test_storeRefusesDeltaThatLetsStatementsBeForged() external {
        uint256[4][4] memory points =
            [Simulator.g2(Simulator.GAMMA), Simulator.g2(Simulator.BETA), Simulator.g2(1), [uint256(0), 0, 0, 0]];
        for (uint256 i = 0; i < 4; i++) {
            expectUnsafe(changed(10, points[i], 4));
            expectUnsafe(changed(10, Simulator.negate(points[i]), 4));
        }
    }

    function test_storeRefusesIcThatBindNothing() external {
        uint256[2] memory other = Simulator.g1(Simulator.icOf(Simulator.Key(0, 3, 30), 1));
        for (uint256 i = 0; i < 4; i++) {
            expectUnsafe(changed(14 + 2 * i, [uint256(0), 0]));
            if (i == 1) continue;
            expectUnsafe(changed(14 + 2 * i, other));
            expectUnsafe(changed(14 + 2 * i, Simulator.negate(other)));
        }
    }

    function test_storeRefusesPointsOffTheCurve() external {
        for (uint256 i = 0; i < 4; i++) {
            expectUnsafe(changed(14 + 2 * i, [uint256(1), 3]));
            expectUnsafe(changed(14 + 2 * i, [Q + 1, 2]));
            expectUnsafe(changed(14 + 2 * i, [uint256(1), Q + 2]));
        }
        uint256[4] memory delta = Simulator.g2(13);
        for (uint256 i = 0; i < 4; i++) {
            uint256[4] memory larger = delta;
            larger[i] += Q;
            expectUnsafe(changed(10, larger, 4));
            larger[i] -= Q;
        }
    }

    function test_storeRefusesOtherLengths() external {
        uint256[] memory words = key3.words();
        uint256[] memory odd = new uint256[](words.length + 1);
        for (uint256 i = 0; i < words.length; i++) {
            odd[i] = words[i];
        }
        expectUnsafe(odd);
        assembly {
            mstore(words, 16)
        }
        expectUnsafe(words);
    }

    function test_deltaOffTheSubgroupMakesEveryAnswerFalse() external {
        // a point with coordinates below q that is on no curve: storing can't tell, the precompile does
        uint256[] memory words = changed(10, [uint256(1), 2, 3, 4], 4);
        bytes32 vkHash = store(words);
        uint256[] memory x = Simulator.drawSignals(3, 1);
        assertTrue(!verifier.verify(vkHash, Simulator.Key(0, 3, 30).prove(x, 1), x), "accepted");
    }

    function test_unknownKeysAreNamed() external {
        bytes32 unknown = keccak256("nothing");
        vm.expectRevert(abi.encodeWithSelector(IKeyVerifier.UnknownKey.selector, unknown));
        verifier.publicInputs(unknown);
        uint256[8] memory proof;
        vm.expectRevert(abi.encodeWithSelector(IKeyVerifier.UnknownKey.selector, unknown));
        verifier.verify(unknown, proof, new uint256[](3));
        vm.expectRevert(abi.encodeWithSelector(IKeyVerifier.UnknownKey.selector, unknown));
        verifier.verifyBatch(unknown, new uint256[8][](1), new uint256[](3));
        vm.expectRevert(abi.encodeWithSelector(IKeyVerifier.UnknownKey.selector, unknown));
        verifier.verifyCompressed(unknown, proof, new uint256[](0), 1, 0, hex"00");
    }

    function test_gasFactorHasBounds() external {
        for (uint256 i = 0; i < 2; i++) {
            uint256 factor = [uint256(0), 1001][i];
            try this.deployExternally(factor) {
                revert("deployed");
            } catch (bytes memory reason) {
                assertTrue(bytes4(reason) == KeyVerifier.GasFactorOutOfRange.selector, "another error");
            }
        }
        assertEq(deploy(1000).PRECOMPILE_GAS_FACTOR(), 1000, "factor");
    }

    function deployExternally(uint256 factor) external {
        deploy(factor);
    }

    // ----------------------------------------------------------------------------------------------------- verifying

    function testFuzz_honestStatementsHold(uint256 n, uint256 seed) external view {
        n = bound(n, 1, MOST);
        Simulator.Key memory k = keyOf(n);
        uint256[] memory x = Simulator.drawSignals(n, seed);
        assertTrue(verifier.verify(hashes[n], k.prove(x, seed), x), "refused");
    }

    function testFuzz_otherSignalsAreRefused(uint256 seed, uint256 i, uint256 by) external view {
        uint256[] memory x = Simulator.drawSignals(3, seed);
        uint256[8] memory proof = key3.prove(x, seed);
        by %= R;
        vm.assume(by != x[i % 3]);
        x[i % 3] = by;
        assertTrue(!verifier.verify(hash3, proof, x), "accepted");
    }

    function testFuzz_aliasedSignalsAreRefused(uint256 seed, uint256 i, uint256 k) external view {
        uint256[] memory x = Simulator.drawSignals(3, seed);
        uint256[8] memory proof = key3.prove(x, seed);
        uint256 most = (type(uint256).max - x[i % 3]) / R;
        x[i % 3] += R * bound(k, 1, most);
        assertTrue(!verifier.verify(hash3, proof, x), "accepted");
    }

    function testFuzz_flippedBitsAreRefused(uint256 seed, uint256 word, uint256 bit) external view {
        uint256[] memory x = Simulator.drawSignals(3, seed);
        uint256[8] memory proof = key3.prove(x, seed);
        proof[word % 8] ^= 1 << (bit % 256);
        assertTrue(!verifier.verify(hash3, proof, x), "accepted");
    }

    function testFuzz_randomProofsAreRefused(uint256[8] memory proof, uint256 seed) external view {
        assertTrue(!verifier.verify(hash3, proof, Simulator.drawSignals(3, seed)), "accepted");
    }

    function testFuzz_shortOfGasNothingIsDecided(uint256 seed, uint256 gas) external view {
        uint256[] memory x = Simulator.drawSignals(3, seed);
        bytes memory data = abi.encodeCall(IKeyVerifier.verify, (hash3, key3.prove(x, seed), x));
        (bool success, bytes memory answer) = address(verifier).staticcall{gas: bound(gas, 20_000, 420_000)}(data);
        if (success) assertTrue(abi.decode(answer, (bool)), "a valid proof was called false");
        else if (answer.length != 0) assertTrue(bytes4(answer) == IKeyVerifier.InsufficientGas.selector, "other error");
    }

    /// @dev The least gas that gets past the guard is enough, to the unit.
    function test_theGuardIsEnough() external view {
        for (uint256 n = 1; n <= MOST; n += MOST - 1) {
            uint256[] memory x = Simulator.drawSignals(n, 1);
            bytes memory data = abi.encodeCall(IKeyVerifier.verify, (hashes[n], keyOf(n).prove(x, 1), x));
            assertTrue(abi.decode(atTheGuard(data, 100_000, 500_000), (bool)), "false");
        }
    }

    /// @dev Answer of a call with the least gas with which it succeeds.
    function atTheGuard(bytes memory data, uint256 lo, uint256 hi) internal view returns (bytes memory answer) {
        while (hi - lo > 1) {
            uint256 middle = (lo + hi) / 2;
            (bool success,) = address(verifier).staticcall{gas: middle}(data);
            if (success) hi = middle;
            else lo = middle;
        }
        (, answer) = address(verifier).staticcall{gas: hi}(data);
    }

    function test_pointsOffTheCurveBurnABoundedAmount() external view {
        uint256[] memory x = Simulator.drawSignals(3, 1);
        uint256[8] memory proof = key3.prove(x, 1);
        for (uint256 word = 0; word < 8; word++) {
            uint256 before = proof[word];
            proof[word] = 5;
            uint256 gas = gasleft();
            assertTrue(!verifier.verify(hash3, proof, x), "accepted");
            assertTrue(gas - gasleft() < 450_000, "gas");
            proof[word] = before;
        }
    }

    function test_infinityIsNoProof() external view {
        uint256[8] memory zero;
        assertTrue(!verifier.verify(hash3, zero, new uint256[](3)), "accepted");
    }

    function test_otherNumbersOfSignalsAreRefused() external {
        uint256[8] memory proof;
        for (uint256 n = 0; n <= 4; n++) {
            if (n == 3) continue;
            vm.expectRevert(abi.encodeWithSelector(IKeyVerifier.WrongInputCount.selector, n, 3));
            verifier.verify(hash3, proof, new uint256[](n));
        }
    }

    function test_proofsAreForOneKey() external {
        Simulator.Key memory other = Simulator.Key(1, 3, 1);
        store(other.words());
        uint256[] memory x = Simulator.drawSignals(3, 1);
        uint256[8] memory proof = key3.prove(x, 1);
        assertTrue(!verifier.verify(other.hash(), proof, x), "accepted");
        assertTrue(verifier.verify(other.hash(), other.prove(x, 1), x), "refused");
    }

    function test_gas() external {
        store(Simulator.Key(3, 3, 50).words());
        vm.snapshotGasLastCall(string.concat(name(), " store, 3 signals"));
        uint256[] memory x = Simulator.drawSignals(3, 1);
        verifier.verify(hash3, key3.prove(x, 1), x);
        vm.snapshotGasLastCall(string.concat(name(), " verify, 3 signals"));
    }

    function name() internal pure virtual returns (string memory);
}

contract UniversalVerifierTest is KeyVerifierTest {
    using Simulator for Simulator.Key;

    function deploy(uint256 factor) internal override returns (KeyVerifier) {
        return new UniversalVerifier(factor);
    }

    function store(uint256[] memory words) internal override returns (bytes32) {
        return UniversalVerifier(address(verifier)).store(words);
    }

    function name() internal pure override returns (string memory) {
        return "universal";
    }

    function test_simulatorsConstantsAreMultiples() external view {
        uint256[9] memory multiples = [uint256(1), 7, 11, 13, 17, 19, 23, 101, 103];
        for (uint256 i = 0; i < 9; i++) {
            assertTrue(Simulator.checkConstants(multiples[i]), "constant");
        }
    }

    function test_storeRefusesUnsafePhases() external {
        uint256[4] memory beta = Simulator.g2(Simulator.BETA);
        expectUnsafe(changed(0, [uint256(0), 0]));
        expectUnsafe(changed(0, [uint256(1), 3]));
        expectUnsafe(changed(0, [Q + 1, 2]));
        expectUnsafe(changed(6, beta, 4));
        expectUnsafe(changed(6, Simulator.negate(beta), 4));
        for (uint256 from = 2; from <= 6; from += 4) {
            expectUnsafe(changed(from, [uint256(0), 0, 0, 0], 4));
            for (uint256 i = 0; i < 4; i++) {
                uint256[4] memory larger = Simulator.g2(17);
                larger[i] += Q;
                expectUnsafe(changed(from, larger, 4));
            }
        }
    }
}

contract PhaseOneVerifierTest is KeyVerifierTest {
    using Simulator for Simulator.Key;

    function deploy(uint256 factor) internal override returns (KeyVerifier) {
        return new PhaseOneVerifier("simulated", Simulator.phaseOne(), factor);
    }

    function store(uint256[] memory words) internal override returns (bytes32) {
        uint256[] memory rest = new uint256[](words.length - 10);
        for (uint256 i = 0; i < rest.length; i++) {
            rest[i] = words[10 + i];
        }
        return PhaseOneVerifier(address(verifier)).store(rest);
    }

    function name() internal pure override returns (string memory) {
        return "phase one";
    }

    function test_tellsItsPhaseOne() external view {
        PhaseOneVerifier v = PhaseOneVerifier(address(verifier));
        assertEq(bytes(v.PHASE_ONE_NAME()), "simulated", "name");
        assertEq(v.PHASE_ONE_HASH(), keccak256(abi.encode(Simulator.phaseOne())), "hash");
    }

    function test_refusesUnsafePhases() external {
        for (uint256 i = 0; i < 7; i++) {
            uint256[10] memory words = Simulator.phaseOne();
            if (i == 0) (words[0], words[1]) = (0, 0);
            if (i == 1) words[1] ^= 1;
            if (i == 2) words[0] += Q;
            if (i == 3) (words[2], words[3], words[4], words[5]) = (0, 0, 0, 0);
            if (i == 4) (words[6], words[7], words[8], words[9]) = (words[2], words[3], words[4], words[5]);
            if (i == 5) words[9] += Q;
            if (i == 6) (words[6], words[7], words[8], words[9]) = (words[2], words[3], Q - words[4], Q - words[5]);
            vm.expectRevert(IKeyVerifier.UnsafeKey.selector);
            new PhaseOneVerifier("unsafe", words, 1);
        }
    }

    /// @dev A key with the same delta and IC but of another ceremony has another hash, and its proofs fail.
    function test_isBoundToItsPhaseOne() external {
        uint256[10] memory words = Simulator.phaseOne();
        uint256[4] memory gamma = Simulator.g2(23);
        for (uint256 i = 0; i < 4; i++) {
            words[6 + i] = gamma[i];
        }
        PhaseOneVerifier other = new PhaseOneVerifier("other", words, 1);
        bytes32 vkHash = other.store(key3.phaseTwo());
        assertTrue(vkHash != hash3, "hash");
        uint256[] memory x = Simulator.drawSignals(3, 1);
        assertTrue(!other.verify(vkHash, key3.prove(x, 1), x), "accepted");
    }
}
