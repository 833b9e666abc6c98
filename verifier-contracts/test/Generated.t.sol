// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IGroth16Verifier} from "../interfaces/IGroth16Verifier.sol";
import {DevVerifier3} from "./generated/DevVerifier3.sol";
import {SlowChainVerifier3} from "./generated/SlowChainVerifier3.sol";
import {Verifier1} from "./generated/Verifier1.sol";
import {Verifier3, Verifier3Lib} from "./generated/Verifier3.sol";
import {Verifier8} from "./generated/Verifier8.sol";
import {Verifier9} from "./generated/Verifier9.sol";
import {Verifier100} from "./generated/Verifier100.sol";
import {Verifier348} from "./generated/Verifier348.sol";
import {Simulator} from "./support/Simulator.sol";
import {Test} from "./support/Test.sol";

/// @dev Two ways to verify in one's own code.
contract Child is Verifier3 {
    uint256 public paid;

    function claim(uint256[8] calldata proof, uint256[3] calldata input) external returns (uint256) {
        require(verifyProof(proof, input), "refused");
        paid++;
        return 77;
    }
}

contract LibraryUser {
    uint256 public paid;

    function claim(uint256[8] calldata proof, uint256[3] calldata input) external returns (uint256) {
        require(Verifier3Lib.verify(proof, input), "refused");
        paid++;
        return 77;
    }
}

/// @dev Verifiers of one key each, below and above the border between constants and a loop, and the largest in code.
contract GeneratedTest is Test {
    using Simulator for Simulator.Key;

    uint256 internal constant R = Simulator.R;
    uint256[6] internal sizes = [uint256(1), 3, 8, 9, 100, 348];
    IGroth16Verifier[6] internal verifiers;
    Verifier3 internal verifier3;

    function setUp() public {
        verifier3 = new Verifier3();
        verifiers = [
            IGroth16Verifier(address(new Verifier1())),
            IGroth16Verifier(address(verifier3)),
            IGroth16Verifier(address(new Verifier8())),
            IGroth16Verifier(address(new Verifier9())),
            IGroth16Verifier(address(new Verifier100())),
            IGroth16Verifier(address(new Verifier348()))
        ];
    }

    function keyOf(uint256 n) internal pure returns (Simulator.Key memory) {
        return Simulator.Key(0, n, 1);
    }

    function fixedSize(uint256[] memory x) internal pure returns (uint256[3] memory) {
        return [x[0], x[1], x[2]];
    }

    function testFuzz_honestStatementsHold(uint256 which, uint256 seed) external view {
        which %= 4;
        uint256[] memory x = Simulator.drawSignals(sizes[which], seed);
        assertTrue(verifiers[which].verify(keyOf(sizes[which]).prove(x, seed), x), "refused");
    }

    function test_largeVerifiersVerifyAndRefuse() external view {
        for (uint256 which = 4; which < 6; which++) {
            uint256 n = sizes[which];
            uint256[] memory x = Simulator.drawSignals(n, 4);
            uint256[8] memory proof = keyOf(n).prove(x, 4);
            assertTrue(verifiers[which].verify(proof, x), "refused");
            for (uint256 i = 0; i < n; i += n / 7) {
                x[i] ^= 1;
                assertTrue(!verifiers[which].verify(proof, x), "changed");
                x[i] ^= 1;
                x[i] += R;
                assertTrue(!verifiers[which].verify(proof, x), "aliased");
                x[i] -= R;
            }
        }
    }

    function test_everySignalIsChecked() external view {
        for (uint256 which = 0; which < 4; which++) {
            uint256[] memory x = Simulator.drawSignals(sizes[which], 9);
            uint256[8] memory proof = keyOf(sizes[which]).prove(x, 9);
            for (uint256 i = 0; i < x.length; i++) {
                x[i] += R;
                assertTrue(!verifiers[which].verify(proof, x), "aliased");
                x[i] -= R;
            }
            assertTrue(verifiers[which].verify(proof, x), "refused");
        }
    }

    function testFuzz_otherSignalsAreRefused(uint256 which, uint256 seed, uint256 i, uint256 by) external view {
        which %= 4;
        uint256[] memory x = Simulator.drawSignals(sizes[which], seed);
        uint256[8] memory proof = keyOf(sizes[which]).prove(x, seed);
        vm.assume(by != x[i % x.length]);
        x[i % x.length] = by;
        assertTrue(!verifiers[which].verify(proof, x), "accepted");
    }

    function testFuzz_flippedBitsAreRefused(uint256 which, uint256 seed, uint256 word, uint256 bit) external view {
        which %= 4;
        uint256[] memory x = Simulator.drawSignals(sizes[which], seed);
        uint256[8] memory proof = keyOf(sizes[which]).prove(x, seed);
        proof[word % 8] ^= 1 << (bit % 256);
        assertTrue(!verifiers[which].verify(proof, x), "accepted");
    }

    function test_allFormsAnswerAlike() external view {
        uint256[] memory x = Simulator.drawSignals(3, 1);
        for (uint256 honest = 0; honest < 2; honest++) {
            uint256[8] memory p = keyOf(3).prove(x, 1);
            p[6] ^= 1 - honest;
            bool expected = honest == 1;
            assertTrue(verifier3.verify(p, x) == expected, "list");
            assertTrue(verifier3.verifyProof(p, fixedSize(x)) == expected, "words");
            bool points = verifier3.verifyProof([p[0], p[1]], [[p[2], p[3]], [p[4], p[5]]], [p[6], p[7]], fixedSize(x));
            assertTrue(points == expected, "points");
        }
    }

    /// @dev The same with the key's points in a loop.
    function test_allFormsWithALoopAnswerAlike() external {
        Verifier9 verifier9 = new Verifier9();
        uint256[] memory x = Simulator.drawSignals(9, 1);
        uint256[9] memory y = [x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8]];
        for (uint256 honest = 0; honest < 2; honest++) {
            uint256[8] memory p = keyOf(9).prove(x, 1);
            p[6] ^= 1 - honest;
            assertTrue(verifier9.verifyProof(p, y) == (honest == 1), "words");
            bool points = verifier9.verifyProof([p[0], p[1]], [[p[2], p[3]], [p[4], p[5]]], [p[6], p[7]], y);
            assertTrue(points == (honest == 1), "points");
        }
    }

    function test_otherNumbersOfSignalsRevert() external {
        uint256[8] memory proof;
        for (uint256 n = 0; n < 5; n++) {
            if (n == 3) continue;
            vm.expectRevert(abi.encodeWithSelector(IGroth16Verifier.WrongInputCount.selector, n, 3));
            verifier3.verify(proof, new uint256[](n));
        }
    }

    function testFuzz_shortOfGasNothingIsDecided(uint256 which, uint256 gas) external view {
        which %= 4;
        uint256[] memory x = Simulator.drawSignals(sizes[which], 1);
        bytes memory data = abi.encodeCall(IGroth16Verifier.verify, (keyOf(sizes[which]).prove(x, 1), x));
        (bool success, bytes memory answer) =
            address(verifiers[which]).staticcall{gas: bound(gas, 20_000, 500_000)}(data);
        if (success) assertTrue(abi.decode(answer, (bool)), "a valid proof was called false");
        else if (answer.length != 0) assertTrue(bytes4(answer) == IGroth16Verifier.InsufficientGas.selector, "error");
    }

    function test_theGuardIsEnough() external view {
        for (uint256 which = 0; which < 6; which++) {
            uint256[] memory x = Simulator.drawSignals(sizes[which], 1);
            bytes memory data = abi.encodeCall(IGroth16Verifier.verify, (keyOf(sizes[which]).prove(x, 1), x));
            (uint256 lo, uint256 hi) = (100_000, 4_000_000);
            while (hi - lo > 1) {
                uint256 middle = (lo + hi) / 2;
                (bool success,) = address(verifiers[which]).staticcall{gas: middle}(data);
                if (success) hi = middle;
                else lo = middle;
            }
            (, bytes memory answer) = address(verifiers[which]).staticcall{gas: hi}(data);
            assertTrue(abi.decode(answer, (bool)), "a valid proof was called false");
        }
    }

    function test_slowChainsAreToldByTheFactor() external {
        SlowChainVerifier3 slow = new SlowChainVerifier3();
        uint256[] memory x = Simulator.drawSignals(3, 1);
        uint256[8] memory proof = keyOf(3).prove(x, 1);
        assertTrue(slow.verify(proof, x), "refused");
        vm.expectRevert(IGroth16Verifier.InsufficientGas.selector);
        slow.verify{gas: 1_000_000}(proof, x);
    }

    function test_developmentKeysStayAtHome() external {
        DevVerifier3 dev = new DevVerifier3();
        uint256[] memory x = Simulator.drawSignals(3, 1);
        uint256[8] memory proof = keyOf(3).prove(x, 1);
        assertTrue(dev.DEVELOPMENT_KEY() && dev.verify(proof, x), "refused");
        bytes memory refused = abi.encodeWithSelector(IGroth16Verifier.UnsafeDevelopmentKey.selector, 1);
        vm.chainId(1);
        vm.expectRevert(refused);
        dev.verify(proof, x);
        vm.expectRevert(refused);
        new DevVerifier3();
    }

    function test_inheritingIsSafe() external {
        uint256[] memory x = Simulator.drawSignals(3, 1);
        uint256[8] memory proof = keyOf(3).prove(x, 1);
        (Child child, LibraryUser user) = (new Child(), new LibraryUser());
        assertEq(child.claim(proof, fixedSize(x)), 77, "returned");
        assertEq(user.claim(proof, fixedSize(x)), 77, "returned");
        x[0] ^= 1;
        vm.expectRevert("refused");
        child.claim(proof, fixedSize(x));
        vm.expectRevert("refused");
        user.claim(proof, fixedSize(x));
        assertTrue(child.paid() == 1 && user.paid() == 1, "paid");
    }

    function test_tellAboutThemselves() external view {
        for (uint256 which = 0; which < 6; which++) {
            assertEq(verifiers[which].VK_DIGEST(), keyOf(sizes[which]).hash(), "key");
            assertEq(verifiers[which].PUBLIC_INPUTS(), sizes[which], "inputs");
            assertEq(bytes(verifiers[which].MODEL_NAME()), "simulated", "name");
            assertEq(uint256(verifiers[which].MODEL_DIGEST()) >> 248, 0x11, "model");
            assertEq(uint256(verifiers[which].CIRCUIT_DIGEST()) >> 248, 0x22, "circuit");
            assertTrue(!verifiers[which].DEVELOPMENT_KEY(), "dev");
        }
    }

    function test_areWithinTheSizeLimit() external view {
        for (uint256 which = 0; which < 6; which++) {
            assertTrue(address(verifiers[which]).code.length <= 24_576, "EIP-170");
        }
    }

    function test_gas() external {
        for (uint256 which = 0; which < 4; which++) {
            uint256[] memory x = Simulator.drawSignals(sizes[which], 1);
            verifiers[which].verify(keyOf(sizes[which]).prove(x, 1), x);
            vm.snapshotGasLastCall(
                ["generated, 1 signal", "generated, 3 signals", "generated, 8 signals", "generated, 9 signals"][which]
            );
        }
    }
}
