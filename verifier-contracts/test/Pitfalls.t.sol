// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {InferenceConsumer} from "../consumers/InferenceConsumer.sol";
import {IGroth16Verifier} from "../interfaces/IGroth16Verifier.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IKeyVerifier} from "../interfaces/IKeyVerifier.sol";
import {DevVerifier3} from "./generated/DevVerifier3.sol";
import {SnarkjsSkipped3 as SnarkjsSkipped} from "./generated/SnarkjsSkipped3.sol";
import {SnarkjsUnbound3 as SnarkjsUnbound} from "./generated/SnarkjsUnbound3.sol";
import {SnarkjsVerifier3 as Snarkjs} from "./generated/SnarkjsVerifier3.sol";
import {Verifier3} from "./generated/Verifier3.sol";
import {Simulator} from "./support/Simulator.sol";
import {World} from "./support/World.sol";

interface ISnarkjs {
    function verifyProof(uint256[2] calldata, uint256[2][2] calldata, uint256[2] calldata, uint256[3] calldata)
        external
        view
        returns (bool);
}

/// @dev A market that takes `false` for a fact: wrong with any verifier that answers false when gas runs out.
contract NaiveMarket {
    uint256 public status = 3;

    function submit(ISnarkjs v, uint256[8] calldata p, uint256[3] calldata x) external {
        bool valid = v.verifyProof([p[0], p[1]], [[p[2], p[3]], [p[4], p[5]]], [p[6], p[7]], x);
        status = valid ? 1 : 2;
    }
}

contract SnarkjsChild is Snarkjs {
    uint256 public paid;

    function claim(uint256[2] calldata a, uint256[2][2] calldata b, uint256[2] calldata c, uint256[3] calldata x)
        external
        returns (uint256)
    {
        require(verifyProof(a, b, c, x), "refused");
        paid++;
        return 77;
    }
}

contract OurChild is Verifier3 {
    uint256 public paid;

    function claim(uint256[2] calldata a, uint256[2][2] calldata b, uint256[2] calldata c, uint256[3] calldata x)
        external
        returns (uint256)
    {
        require(verifyProof(a, b, c, x), "refused");
        paid++;
        return 77;
    }
}

contract Taker is InferenceConsumer {
    constructor(IInferenceVerifier verifier, uint256 modelId) InferenceConsumer(verifier, modelId) {}

    function _onInference(address, bytes32, bytes calldata, bytes calldata) internal override {}
}

/// @dev The thirteen pitfalls of verifiers on chain, each tried on ours and on what snarkjs generates for the same key.
/// snarkjs 0.7.6 falls into numbers 2, 4, 5, 6, 7, 8 and 10; 3 and 9 are for whoever uses a verifier; 13, its licence, is no
/// matter of code (test/solidity/pitfalls.test.ts).
contract PitfallsTest is World {
    using Simulator for Simulator.Key;

    uint256 internal constant Q = Simulator.Q;
    Simulator.Key internal key = Simulator.Key(0, 3, 1);
    Verifier3 internal ours;
    ISnarkjs internal theirs;
    uint256[3] internal x;
    uint256[8] internal p;

    function setUp() public override {
        super.setUp();
        ours = new Verifier3();
        theirs = ISnarkjs(address(new Snarkjs()));
        uint256[] memory signals = Simulator.drawSignals(3, 5);
        x = [signals[0], signals[1], signals[2]];
        p = key.prove(signals, 5);
    }

    function askTheirs(ISnarkjs v, uint256[8] memory w, uint256[3] memory input) internal view returns (bool) {
        // it burns all gas that it gets where a point is off the curve
        return v.verifyProof{gas: 1_000_000}([w[0], w[1]], [[w[2], w[3]], [w[4], w[5]]], [w[6], w[7]], input);
    }

    function testFuzz_01_aliasedSignals(uint256 i, uint256 k) external view {
        uint256[3] memory y = x;
        y[i % 3] += R * bound(k, 1, (type(uint256).max - y[i % 3]) / R);
        assertTrue(!ours.verifyProof(p, y), "ours");
        assertTrue(!askTheirs(theirs, p, y), "snarkjs");
        y = x;
        y[i % 3] = addmod(x[i % 3], 0, R) + Q;
        assertTrue(!ours.verifyProof(p, y), "ours");
        assertTrue(!askTheirs(theirs, p, y), "snarkjs");
    }

    function test_02_nonCanonicalPoints() external view {
        for (uint256 word = 0; word < 8; word++) {
            uint256[8] memory w = p;
            unchecked {
                w[word] += Q;
            }
            assertTrue(!ours.verifyProof(w, x), "ours, plus q");
            assertTrue(!askTheirs(theirs, w, x), "snarkjs, plus q");
            unchecked {
                w[word] = p[word] - Q;
            }
            assertTrue(!ours.verifyProof(w, x), "ours, less q");
            // it negates A.y as (q - A.y) mod q, which wraps to the right value
            assertTrue(askTheirs(theirs, w, x) == (word == 1), "snarkjs, less q");
        }
    }

    /// @dev Nobody can refuse these: they are proofs. What must not happen is that they count twice.
    function test_03_rerandomisedProofs() external {
        uint256[8] memory other = rerandomised(p);
        assertTrue(ours.verifyProof(other, x) && askTheirs(theirs, other, x), "both are proofs");
        assertTrue(keccak256(abi.encode(other)) != keccak256(abi.encode(p)), "other bytes");
        Taker taker = new Taker(inference, compressedModel);
        bytes32 ctx = taker.contextOf(address(this), "nonce");
        IInferenceVerifier.InferenceProof memory proof =
            proveCompressed(compressedKey, ctx, none(), pattern(12, 1), pattern(20, 1));
        taker.submitInference("nonce", pattern(12, 1), proof);
        proof.points = rerandomised(proof.points);
        vm.expectRevert(abi.encodeWithSelector(InferenceConsumer.ContextUsed.selector, ctx));
        taker.submitInference("nonce", pattern(12, 1), proof);
    }

    /// @dev delta = gamma: A = alpha, B = beta, C = -X proves anything.
    function test_04_skippedPhaseTwo() external {
        uint256[2] memory sum = Simulator.g1(Simulator.icOf(key, 0));
        uint256[3] memory claim = [uint256(1234567), 42, 999];
        for (uint256 i = 0; i < 3; i++) {
            sum = Simulator.add(sum, Simulator.mul(Simulator.g1(Simulator.icOf(key, i + 1)), claim[i]));
        }
        uint256[8] memory forged =
            Simulator.assemble(Simulator.g1(Simulator.ALPHA), Simulator.g2(Simulator.BETA), Simulator.negate(sum));
        assertTrue(askTheirs(ISnarkjs(address(new SnarkjsSkipped())), forged, claim), "snarkjs exports such a contract");
        uint256[] memory words = key.words();
        for (uint256 i = 0; i < 4; i++) {
            words[10 + i] = words[6 + i];
        }
        vm.expectRevert(IKeyVerifier.UnsafeKey.selector);
        universal.store(words);
    }

    /// @dev IC_2 at infinity: the second signal may be anything.
    function test_05_signalsThatNothingBinds() external {
        ISnarkjs unbound = ISnarkjs(address(new SnarkjsUnbound()));
        uint256[] memory signals = new uint256[](3);
        (signals[0], signals[2]) = (x[0], x[2]);
        uint256[8] memory proof = key.prove(signals, 1);
        for (uint256 v = 0; v < 3; v++) {
            assertTrue(askTheirs(unbound, proof, [x[0], v, x[2]]), "snarkjs");
        }
        assertTrue(!ours.verifyProof(proof, [x[0], 1, x[2]]), "ours");
        uint256[] memory words = key.words();
        (words[18], words[19]) = (0, 0);
        vm.expectRevert(IKeyVerifier.UnsafeKey.selector);
        universal.store(words);
    }

    function test_06_outOfGas() external {
        (uint256 wrong, uint256 reverted) = (0, 0);
        for (uint256 gas = 30_000; gas < 260_000; gas += 2_000) {
            (bool success, bytes memory answer) = address(theirs).staticcall{gas: gas}(
                abi.encodeCall(ISnarkjs.verifyProof, ([p[0], p[1]], [[p[2], p[3]], [p[4], p[5]]], [p[6], p[7]], x))
            );
            if (success && !abi.decode(answer, (bool))) wrong++;
            (success, answer) =
                address(ours).staticcall{gas: gas}(abi.encodeWithSignature("verifyProof(uint256[8],uint256[3])", p, x));
            if (!success) reverted++;
            else assertTrue(abi.decode(answer, (bool)), "ours calls a valid proof false");
        }
        assertTrue(wrong > 50, "snarkjs calls a valid proof false");
        assertTrue(reverted > 50, "ours reverts");
        // so that a market which believes it punishes an honest prover
        bool punished = false;
        for (uint256 gas = 100_000; gas < 260_000 && !punished; gas += 500) {
            NaiveMarket market = new NaiveMarket();
            try market.submit{gas: gas}(theirs, p, x) {
                punished = market.status() == 2;
            } catch {}
            market = new NaiveMarket();
            try market.submit{gas: gas}(ISnarkjs(address(ours)), p, x) {
                assertEq(market.status(), 1, "ours");
            } catch {}
        }
        assertTrue(punished, "snarkjs");
    }

    function test_07_pointsOffTheCurve() external view {
        uint256[8] memory w = p;
        w[0] = 5;
        uint256 gas = gasleft();
        assertTrue(!ours.verifyProof(w, x), "ours");
        assertTrue(gas - gasleft() < 450_000, "ours burns a bounded amount");
        gas = gasleft();
        (bool success, bytes memory answer) = address(theirs).staticcall{gas: 16_000_000}(
            abi.encodeCall(ISnarkjs.verifyProof, ([w[0], w[1]], [[w[2], w[3]], [w[4], w[5]]], [w[6], w[7]], x))
        );
        assertTrue(success && !abi.decode(answer, (bool)), "snarkjs");
        assertTrue(gas - gasleft() > 15_000_000, "snarkjs burns nearly all");
    }

    /// @dev snarkjs' assembly leaves the caller's function as well, with the answer as its result.
    function test_08_inheriting() external {
        (SnarkjsChild child, OurChild our) = (new SnarkjsChild(), new OurChild());
        (uint256[2] memory a, uint256[2][2] memory b, uint256[2] memory c) =
            ([p[0], p[1]], [[p[2], p[3]], [p[4], p[5]]], [p[6], p[7]]);
        assertEq(our.claim(a, b, c, x), 77, "ours");
        assertEq(our.paid(), 1, "ours");
        assertEq(child.claim(a, b, c, x), 1, "snarkjs returns its own answer");
        assertEq(child.paid(), 0, "snarkjs skips what follows");
        uint256[3] memory wrong = [x[0] ^ 1, x[1], x[2]];
        vm.expectRevert("refused");
        our.claim(a, b, c, wrong);
        assertEq(child.claim(a, b, c, wrong), 0, "snarkjs does not revert");
    }

    /// @dev A proof without context is anybody's; one with input compression is bound to who may send it.
    function test_09_copiedProofs() external {
        vm.prank(address(0xBAD));
        assertTrue(askTheirs(theirs, p, x), "snarkjs");
        Taker taker = new Taker(inference, compressedModel);
        bytes32 ctx = taker.contextOf(address(this), "nonce");
        IInferenceVerifier.InferenceProof memory proof =
            proveCompressed(compressedKey, ctx, none(), pattern(12, 1), pattern(20, 1));
        vm.prank(address(0xBAD));
        vm.expectPartialRevert(InferenceConsumer.OtherContext.selector);
        taker.submitInference("nonce", pattern(12, 1), proof);
        taker.submitInference("nonce", pattern(12, 1), proof);
    }

    function test_10_developmentKeys() external {
        vm.chainId(1);
        new Snarkjs();
        vm.expectRevert(abi.encodeWithSelector(IGroth16Verifier.UnsafeDevelopmentKey.selector, 1));
        new DevVerifier3();
    }

    function test_11_orderOfSignalsAndLimbs() external view {
        assertTrue(ours.verifyProof(p, x) && askTheirs(theirs, p, x), "both take the same order");
        uint256[3] memory y = [x[1], x[0], x[2]];
        assertTrue(!ours.verifyProof(p, y) && !askTheirs(theirs, p, y), "signals");
        uint256[8] memory w = [p[0], p[1], p[3], p[2], p[5], p[4], p[6], p[7]];
        assertTrue(!ours.verifyProof(w, x) && !askTheirs(theirs, w, x), "limbs");
    }

    /// @dev All precompiles succeed and the pairing says no.
    function test_12_theAnswerOfThePairing() external view {
        uint256[2] memory c = Simulator.add([p[6], p[7]], Simulator.g1(1));
        uint256[8] memory w = [p[0], p[1], p[2], p[3], p[4], p[5], c[0], c[1]];
        assertTrue(!ours.verifyProof(w, x) && !askTheirs(theirs, w, x), "accepted");
    }
}
