// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IKeyVerifier} from "../interfaces/IKeyVerifier.sol";
import {InputCompression} from "../libraries/InputCompression.sol";
import {PhaseOneVerifier} from "../verifiers/PhaseOneVerifier.sol";
import {UniversalVerifier} from "../verifiers/UniversalVerifier.sol";
import {Simulator} from "./support/Simulator.sol";
import {Test} from "./support/Test.sol";

contract KeyVerifierTest is Test {
    using Simulator for Simulator.Key;

    UniversalVerifier internal universal;
    PhaseOneVerifier internal bound_;

    function setUp() public {
        universal = new UniversalVerifier(1);
        bound_ = new PhaseOneVerifier("test", Simulator.phaseOne(), 1);
    }

    function key(uint256 n) internal pure returns (Simulator.Key memory) {
        return Simulator.Key(0, n, 1);
    }

    function signalsOf(uint256 seed, uint256 n) internal pure returns (uint256[] memory signals) {
        signals = new uint256[](n);
        for (uint256 i = 0; i < n; i++) signals[i] = uint256(keccak256(abi.encode(seed, i))) % Simulator.R;
    }

    function test_constants() external view {
        for (uint256 s = 1; s < 104; s++) {
            if (s == 7 || s == 11 || s == 13 || s == 17 || s == 19 || s == 23 || s > 101 || s == 101) if (s != 102) assertTrue(Simulator.checkConstants(s), "constant");
        }
    }

    function test_storeAndVerify() external {
        Simulator.Key memory k = key(3);
        uint256[] memory w = k.words();
        bytes32 h = universal.store(w);
        vm.snapshotGasLastCall("store universal 3");
        uint256[] memory w2 = k.phaseTwo();
        bytes32 h2 = bound_.store(w2);
        vm.snapshotGasLastCall("store bound 3");
        assertEq(h, k.hash(), "hash");
        assertEq(h2, k.hash(), "hash");
        uint256[] memory x = signalsOf(1, 3);
        uint256[8] memory p = k.prove(x, 5);
        assertTrue(universal.verify(h, p, x), "universal");
        vm.snapshotGasLastCall("verify universal 3");
        assertTrue(bound_.verify(h, p, x), "bound");
        vm.snapshotGasLastCall("verify bound 3");
        x[0]++;
        assertTrue(!universal.verify(h, p, x), "universal");
        assertTrue(!bound_.verify(h, p, x), "bound");
    }

    function test_batch() external {
        Simulator.Key memory k = key(3);
        universal.store(k.words());
        bound_.store(k.phaseTwo());
        uint256 m = 32;
        uint256[8][] memory proofs = new uint256[8][](m);
        uint256[] memory x = new uint256[](3 * m);
        for (uint256 i = 0; i < m; i++) {
            uint256[] memory s = signalsOf(i, 3);
            proofs[i] = k.prove(s, i);
            for (uint256 j = 0; j < 3; j++) x[3 * i + j] = s[j];
        }
        assertTrue(universal.verifyBatch(k.hash(), proofs, x), "batch");
        vm.snapshotGasLastCall("batch universal 32");
        assertTrue(bound_.verifyBatch(k.hash(), proofs, x), "batch");
        vm.snapshotGasLastCall("batch bound 32");
        x[50]++;
        assertTrue(!universal.verifyBatch(k.hash(), proofs, x), "batch");
    }

    function test_compressed() external {
        Simulator.Key memory k = key(3);
        bytes32 h = universal.store(k.words());
        bytes memory data = new bytes(784);
        for (uint256 i = 0; i < 784; i++) data[i] = bytes1(uint8(i * 7));
        (uint256 r, uint256 e) = universal.challenge(h, bytes32(uint256(5)), 77, data);
        uint256[] memory s = new uint256[](3);
        (s[0], s[1], s[2]) = (77, r, e);
        assertTrue(universal.verifyCompressed(h, k.prove(s, 1), new uint256[](0), 77, bytes32(uint256(5)), data), "c");
        vm.snapshotGasLastCall("compressed 784");
    }
}
