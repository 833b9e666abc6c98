// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {ICompressedVerifier} from "../interfaces/ICompressedVerifier.sol";
import {IKeyVerifier} from "../interfaces/IKeyVerifier.sol";
import {InputCompression} from "../libraries/InputCompression.sol";
import {UniversalVerifier} from "../verifiers/UniversalVerifier.sol";
import {CommittedVerifier} from "./generated/CommittedVerifier.sol";
import {CompressedVerifier} from "./generated/CompressedVerifier.sol";
import {DevCompressedVerifier} from "./generated/DevCompressedVerifier.sol";
import {Vectors} from "./generated/Vectors.sol";
import {Simulator} from "./support/Simulator.sol";
import {Test} from "./support/Test.sol";

/// @dev The library as a contract.
contract Compression {
    function challenge(bytes32 domain, bytes32 ctx, uint256 y, bytes calldata head, bytes calldata tail)
        external
        pure
        returns (uint256, uint256)
    {
        // what is left in memory must not matter
        assembly {
            let m := mload(0x40)
            for { let i := 0 } lt(i, 0x800) { i := add(i, 0x20) } { mstore(add(m, i), not(0)) }
        }
        return InputCompression.challenge(domain, ctx, y, head, tail);
    }
}

contract CompressedTest is Test {
    using Simulator for Simulator.Key;

    uint256 internal constant R = Simulator.R;
    bytes32 internal constant CTX = keccak256("context");

    Compression internal compression;
    UniversalVerifier internal universal;
    CompressedVerifier internal own;
    CommittedVerifier internal committed;
    Simulator.Key internal key3 = Simulator.Key(0, 3, 1);
    Simulator.Key internal key5 = Simulator.Key(0, 5, 1);
    bytes32 internal hash3;
    bytes32 internal hash5;

    function setUp() public {
        compression = new Compression();
        universal = new UniversalVerifier(1);
        hash3 = universal.store(key3.words());
        hash5 = universal.store(key5.words());
        own = new CompressedVerifier();
        committed = new CommittedVerifier();
    }

    function bytesOf(uint256 length, uint256 seed) internal pure returns (bytes memory x) {
        x = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            x[i] = bytes1(uint8(uint256(keccak256(abi.encode(seed, i / 32))) >> (i % 32)));
        }
    }

    /// @dev The definition, byte by byte.
    function plain(bytes32 domain, bytes32 ctx, uint256 y, bytes memory x)
        internal
        pure
        returns (uint256 r, uint256 e)
    {
        r = uint256(keccak256(abi.encodePacked(domain, ctx, y, x))) % R;
        e = x.length;
        for (uint256 i = 0; i < x.length; i += 31) {
            uint256 word = 0;
            for (uint256 k = 0; k < 31; k++) {
                word = word * 256 + (i + k < x.length ? uint8(x[i + k]) : 0);
            }
            e = addmod(mulmod(e, r, R), word, R);
        }
    }

    function none() internal pure returns (uint256[] memory) {
        return new uint256[](0);
    }

    function proofFor(Simulator.Key memory k, uint256 y, uint256 r, uint256 e, uint256[] memory commitments)
        internal
        view
        returns (uint256[8] memory)
    {
        uint256[] memory signals = new uint256[](3 + commitments.length);
        (signals[0], signals[1], signals[2]) = (y, r, e);
        for (uint256 i = 0; i < commitments.length; i++) {
            signals[3 + i] = commitments[i];
        }
        return k.prove(signals, y);
    }

    function universalProof(uint256 y, bytes32 ctx, bytes memory x) internal view returns (uint256[8] memory) {
        (uint256 r, uint256 e) = universal.challenge(hash3, ctx, y, x);
        return proofFor(key3, y, r, e, none());
    }

    function ownProof(uint256 y, bytes32 ctx, bytes memory x) internal view returns (uint256[8] memory) {
        (uint256 r, uint256 e) = own.challenge(ctx, y, x);
        return proofFor(key3, y, r, e, none());
    }

    function accepted(uint256[8] memory proof, uint256 y, bytes32 ctx, bytes memory x) internal view returns (bool) {
        return universal.verifyCompressed(hash3, proof, none(), y, ctx, x);
    }

    // --------------------------------------------------------------------------------------------------- the library

    function testFuzz_challengesAreAsDefined(bytes32 domain, bytes32 ctx, uint256 y, bytes memory x, uint256 cut)
        external
        view
    {
        cut = bound(cut, 0, x.length);
        (bytes memory head, bytes memory tail) = (new bytes(cut), new bytes(x.length - cut));
        for (uint256 i = 0; i < x.length; i++) {
            if (i < cut) head[i] = x[i];
            else tail[i - cut] = x[i];
        }
        (uint256 r, uint256 e) = compression.challenge(domain, ctx, y, head, tail);
        (uint256 r_, uint256 e_) = plain(domain, ctx, y, x);
        assertEq(r, r_, "r");
        assertEq(e, e_, "e");
    }

    function test_challengesEqualThoseOfTypeScript() external view {
        for (uint256 i = 0; i < Vectors.CHALLENGES; i++) {
            Vectors.Challenge memory c = Vectors.challenge(i);
            bytes32 domain = InputCompression.domain(c.vkHash, c.chainId, c.verifier, c.x.length);
            (uint256 r, uint256 e) = compression.challenge(domain, c.ctx, c.y, c.x, "");
            assertEq(r, c.r, "r");
            assertEq(e, c.e, "e");
        }
    }

    function testFuzz_domainsDiffer(bytes32 vkHash, uint256 chainId, address verifier, uint256 length) external pure {
        bytes32 domain = InputCompression.domain(vkHash, chainId, verifier, length);
        assertTrue(domain != InputCompression.domain(vkHash ^ bytes32(uint256(1)), chainId, verifier, length), "key");
        assertTrue(domain != InputCompression.domain(vkHash, chainId ^ 1, verifier, length), "chain");
        address other = address(uint160(verifier) ^ 1);
        assertTrue(domain != InputCompression.domain(vkHash, chainId, other, length), "contract");
        assertTrue(domain != InputCompression.domain(vkHash, chainId, verifier, length ^ 1), "length");
    }

    // ------------------------------------------------------------------------------------------- under stored keys

    function testFuzz_honestBytesAreAccepted(bytes memory x, bytes32 ctx, uint256 y) external view {
        y %= R;
        assertTrue(accepted(universalProof(y, ctx, x), y, ctx, x), "refused");
    }

    function testFuzz_otherBytesAreRefused(uint256 length, uint256 seed, uint256 i, uint8 by) external view {
        bytes memory x = bytesOf(bound(length, 1, 200), seed);
        uint256[8] memory proof = universalProof(7, CTX, x);
        vm.assume(by != 0);
        x[i % x.length] ^= bytes1(by);
        assertTrue(!accepted(proof, 7, CTX, x), "accepted");
    }

    function testFuzz_otherLengthsAreRefused(uint256 length, uint256 seed, uint256 more) external view {
        bytes memory x = bytesOf(bound(length, 1, 100), seed);
        (uint256 r, uint256 e) = universal.challenge(hash3, CTX, 7, x);
        more = bound(more, 1, 62);
        bytes memory longer = bytes.concat(x, new bytes(more));
        assertTrue(!accepted(proofFor(key3, 7, r, e, none()), 7, CTX, longer), "zeros behind");
        // even for the challenge of the longer bytes, the evaluation of the shorter ones is another
        (uint256 r_,) = universal.challenge(hash3, CTX, 7, longer);
        uint256 shorter = x.length;
        for (uint256 k = 0; k < x.length; k += 31) {
            uint256 word = 0;
            for (uint256 j = 0; j < 31; j++) {
                word = word * 256 + (k + j < x.length ? uint8(x[k + j]) : 0);
            }
            shorter = addmod(mulmod(shorter, r_, R), word, R);
        }
        assertTrue(!accepted(proofFor(key3, 7, r_, shorter, none()), 7, CTX, longer), "other evaluation");
    }

    function testFuzz_otherContextsAreRefused(bytes32 ctx, bytes32 other, uint256 seed) external view {
        vm.assume(ctx != other);
        bytes memory x = bytesOf(40, seed);
        assertTrue(!accepted(universalProof(7, ctx, x), 7, other, x), "accepted");
    }

    function testFuzz_otherDigestsAreRefused(uint256 y, uint256 other, uint256 seed) external view {
        y %= R;
        vm.assume(y != other);
        bytes memory x = bytesOf(40, seed);
        assertTrue(!accepted(universalProof(y, CTX, x), other, CTX, x), "accepted");
    }

    function test_aliasedDigestsAreRefused() external view {
        bytes memory x = bytesOf(40, 1);
        // the challenge of the aliased digest, and a proof for its residue
        (uint256 r, uint256 e) = universal.challenge(hash3, CTX, 7 + R, x);
        assertTrue(!accepted(proofFor(key3, 7, r, e, none()), 7 + R, CTX, x), "accepted");
    }

    function test_otherChainsAreRefused() external {
        bytes memory x = bytesOf(100, 1);
        uint256[8] memory proof = universalProof(7, CTX, x);
        assertTrue(accepted(proof, 7, CTX, x), "refused");
        vm.chainId(1);
        assertTrue(!accepted(proof, 7, CTX, x), "accepted");
    }

    function test_otherContractsAreRefused() external {
        bytes memory x = bytesOf(814, 1);
        uint256[8] memory proof = universalProof(7, CTX, x);
        UniversalVerifier twin = new UniversalVerifier(1);
        twin.store(key3.words());
        assertTrue(!twin.verifyCompressed(hash3, proof, none(), 7, CTX, x), "twin");
        assertTrue(!own.verifyCompressed(proof, none(), 7, CTX, x), "generated");
    }

    function test_otherModelsAreRefused() external {
        Simulator.Key memory other = Simulator.Key(1, 3, 60);
        universal.store(other.words());
        bytes memory x = bytesOf(100, 1);
        assertTrue(!universal.verifyCompressed(other.hash(), universalProof(7, CTX, x), none(), 7, CTX, x), "accepted");
    }

    function test_challengesFromElsewhereAreWorthNothing() external view {
        // a proof for r and e of the prover's choice
        bytes memory x = bytesOf(100, 1);
        assertTrue(!accepted(proofFor(key3, 7, 1, 2, none()), 7, CTX, x), "accepted");
        (, uint256 e) = universal.challenge(hash3, CTX, 7, x);
        assertTrue(!accepted(proofFor(key3, 7, 1, e, none()), 7, CTX, x), "accepted");
    }

    function testFuzz_commitmentsAreBound(uint256 a, uint256 b, uint256 i, uint256 other) external view {
        uint256[] memory c = new uint256[](2);
        (c[0], c[1]) = (a % R, b % R);
        bytes memory x = bytesOf(33, a);
        (uint256 r, uint256 e) = universal.challenge(hash5, CTX, 7, x);
        uint256[8] memory proof = proofFor(key5, 7, r, e, c);
        assertTrue(universal.verifyCompressed(hash5, proof, c, 7, CTX, x), "refused");
        vm.assume(other != c[i % 2]);
        c[i % 2] = other;
        assertTrue(!universal.verifyCompressed(hash5, proof, c, 7, CTX, x), "accepted");
    }

    function testFuzz_shortOfGasNothingIsDecided(uint256 gas, uint256 length) external view {
        bytes memory x = bytesOf(bound(length, 0, 900), 1);
        bytes memory data =
            abi.encodeCall(IKeyVerifier.verifyCompressed, (hash3, universalProof(7, CTX, x), none(), 7, CTX, x));
        (bool success, bytes memory answer) = address(universal).staticcall{gas: bound(gas, 20_000, 420_000)}(data);
        if (success) assertTrue(abi.decode(answer, (bool)), "a valid proof was called false");
        else if (answer.length != 0) assertTrue(bytes4(answer) == IKeyVerifier.InsufficientGas.selector, "other error");
    }

    /// @dev The least gas that gets past the guard is enough for the memory that many bytes take.
    function test_theGuardHasRoomForManyBytes() external view {
        bytes memory x = new bytes(125_000);
        bytes memory data =
            abi.encodeCall(IKeyVerifier.verifyCompressed, (hash3, universalProof(7, CTX, x), none(), 7, CTX, x));
        (uint256 lo, uint256 hi) = (200_000, 4_000_000);
        while (hi - lo > 64) {
            uint256 middle = (lo + hi) / 2;
            (bool success,) = address(universal).staticcall{gas: middle}(data);
            if (success) hi = middle;
            else lo = middle;
        }
        (, bytes memory answer) = address(universal).staticcall{gas: hi}(data);
        assertTrue(abi.decode(answer, (bool)), "a valid proof was called false");
    }

    // ------------------------------------------------------------------------------------------ generated verifiers

    function test_generatedVerifiersAcceptAndRefuse() external {
        bytes memory x = bytesOf(814, 1);
        uint256[8] memory proof = ownProof(7, CTX, x);
        assertTrue(own.verifyCompressed(proof, none(), 7, CTX, x), "refused");
        vm.snapshotGasLastCall("generated, 814 bytes");
        assertTrue(!own.verifyCompressed(proof, none(), 8, CTX, x), "other y");
        assertTrue(!own.verifyCompressed(proof, none(), 7, ~CTX, x), "other ctx");
        x[813] ^= 0x01;
        assertTrue(!own.verifyCompressed(proof, none(), 7, CTX, x), "other bytes");
        vm.chainId(1);
        assertTrue(!own.verifyCompressed(proof, none(), 7, CTX, x), "other chain");
    }

    /// @dev With the challenge that belongs to the aliased digest, and a proof for its residue; and the same of a commitment.
    function test_generatedVerifiersRefuseAliases() external view {
        bytes memory x = bytesOf(814, 1);
        (uint256 r, uint256 e) = own.challenge(CTX, 7 + R, x);
        assertTrue(!own.verifyCompressed(proofFor(key3, 7, r, e, none()), none(), 7 + R, CTX, x), "digest");
        x = bytesOf(33, 1);
        (r, e) = committed.challenge(CTX, 7, x);
        uint256[] memory c = new uint256[](2);
        uint256[8] memory proof = proofFor(key5, 7, r, e, c);
        assertTrue(committed.verifyCompressed(proof, c, 7, CTX, x), "honest");
        for (uint256 i = 0; i < 2; i++) {
            c[i] = R;
            assertTrue(!committed.verifyCompressed(proof, c, 7, CTX, x), "commitment");
            c[i] = 0;
        }
    }

    function test_generatedVerifiersWantTheLength() external {
        bytes memory x = bytesOf(813, 1);
        uint256[8] memory proof;
        vm.expectRevert(abi.encodeWithSelector(ICompressedVerifier.WrongLength.selector, 813, 814));
        own.verifyCompressed(proof, none(), 7, CTX, x);
        vm.expectRevert(abi.encodeWithSelector(ICompressedVerifier.WrongLength.selector, 815, 814));
        own.challenge(CTX, 7, bytesOf(815, 1));
        vm.expectRevert(abi.encodeWithSelector(ICompressedVerifier.WrongInputCount.selector, 1, 0));
        own.verifyCompressed(proof, new uint256[](1), 7, CTX, bytesOf(814, 1));
    }

    function testFuzz_generatedVerifiersNeverCallAValidProofFalse(uint256 gas) external view {
        bytes memory x = bytesOf(814, 1);
        bytes memory data =
            abi.encodeCall(ICompressedVerifier.verifyCompressed, (ownProof(7, CTX, x), none(), 7, CTX, x));
        (bool success, bytes memory answer) = address(own).staticcall{gas: bound(gas, 20_000, 420_000)}(data);
        if (success) assertTrue(abi.decode(answer, (bool)), "a valid proof was called false");
        else if (answer.length != 0) assertTrue(bytes4(answer) == ICompressedVerifier.InsufficientGas.selector, "error");
    }

    function test_generatedVerifiersTakeCommitments() external view {
        uint256[] memory c = new uint256[](2);
        (c[0], c[1]) = (R - 1, 4);
        bytes memory x = bytesOf(33, 3);
        (uint256 r, uint256 e) = committed.challenge(CTX, 7, x);
        uint256[8] memory proof = proofFor(key5, 7, r, e, c);
        assertTrue(committed.verifyCompressed(proof, c, 7, CTX, x), "refused");
        (c[0], c[1]) = (4, R - 1);
        assertTrue(!committed.verifyCompressed(proof, c, 7, CTX, x), "exchanged");
        (c[0], c[1]) = (R + R - 1, 4);
        assertTrue(!committed.verifyCompressed(proof, c, 7, CTX, x), "aliased");
    }

    function test_generatedVerifiersTellAboutThemselves() external view {
        assertEq(own.VK_DIGEST(), hash3, "key");
        assertEq(own.PUBLIC_INPUTS(), 3, "inputs");
        assertEq(own.PUBLIC_BYTES(), 814, "bytes");
        assertEq(committed.PUBLIC_INPUTS(), 5, "inputs");
        assertTrue(!own.DEVELOPMENT_KEY(), "dev");
    }

    function test_developmentKeysStayAtHome() external {
        DevCompressedVerifier dev = new DevCompressedVerifier();
        bytes memory x = bytesOf(814, 1);
        (uint256 r, uint256 e) = dev.challenge(CTX, 7, x);
        uint256[8] memory proof = proofFor(key3, 7, r, e, none());
        assertTrue(dev.verifyCompressed(proof, none(), 7, CTX, x), "refused");
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(ICompressedVerifier.UnsafeDevelopmentKey.selector, 1));
        dev.verifyCompressed(proof, none(), 7, CTX, x);
        vm.expectRevert(abi.encodeWithSelector(ICompressedVerifier.UnsafeDevelopmentKey.selector, 1));
        new DevCompressedVerifier();
    }
}
