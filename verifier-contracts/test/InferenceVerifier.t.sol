// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IERC165} from "../interfaces/IERC165.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IKeyVerifier} from "../interfaces/IKeyVerifier.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IZKMLRegistry} from "../interfaces/IZKMLRegistry.sol";
import {IZKMLStorage, IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {InferenceVerifier} from "../registry/InferenceVerifier.sol";
import {Simulator} from "./support/Simulator.sol";
import {World} from "./support/World.sol";

contract InferenceVerifierTest is World {
    using Simulator for Simulator.Key;

    bytes32 internal constant CTX = keccak256("context");
    bytes internal output;
    bytes internal input;

    function setUp() public override {
        super.setUp();
        (output, input) = (pattern(12, 1), pattern(20, 2));
    }

    function honest() internal view returns (IInferenceVerifier.InferenceProof memory) {
        return proveCompressed(compressedKey, CTX, none(), output, input);
    }

    function commitmentTo(uint256 modelId, IInferenceVerifier.InferenceProof memory p) internal view returns (bytes32) {
        return inference.inputCommitmentOf(modelId, p.ctx, p.commitments, p.input);
    }

    function expect(bytes4 selector, uint256 modelId, bytes32 c, bytes memory out, bytes memory proof) internal {
        try inference.verifyInference(modelId, c, out, proof) {
            revert("accepted");
        } catch (bytes memory reason) {
            assertTrue(bytes4(reason) == selector, "another error");
        }
    }

    function test_selectorsAreTheStandards() external pure {
        assertTrue(IZKMLVerifier.verifyInference.selector == 0x80b171ef, "verifyInference");
        assertTrue(IZKMLVerifier.proofSystemOf.selector == 0xa6571c04, "proofSystemOf");
        assertTrue(IZKMLVerifier.registry.selector == 0x7b103999, "registry");
        assertTrue(
            IZKMLStorage.verifyAndStoreInference.selector
                == bytes4(keccak256("verifyAndStoreInference(uint256,bytes32,bytes,bytes)")),
            "verifyAndStoreInference"
        );
        assertTrue(IZKMLStorage.getInference.selector == bytes4(keccak256("getInference(bytes32)")), "getInference");
    }

    function test_verifiesCompressedInferences() external {
        IInferenceVerifier.InferenceProof memory p = honest();
        bytes32 c = commitmentTo(compressedModel, p);
        vm.expectEmit();
        emit IZKMLVerifier.InferenceVerified(compressedModel, c, output, address(this));
        inference.verifyInference(compressedModel, c, output, abi.encode(p));
        vm.snapshotGasLastCall("verifyInference, 32 bytes");
        inference.checkInference(compressedModel, c, output, abi.encode(p));
        assertEq(inference.checkStatement(compressedModel, output, p), c, "commitment");
    }

    function test_verifiesDirectInferences() external {
        bytes memory out = abi.encode(R - 5);
        bytes memory in_ = abi.encode(uint256(7), uint256(0));
        IInferenceVerifier.InferenceProof memory p = proveDirect(directKey, out, in_);
        bytes32 c = commitmentTo(directModel, p);
        inference.verifyInference(directModel, c, out, abi.encode(p));
        expect(IZKMLVerifier.InvalidProof.selector, directModel, c, abi.encode(R - 4), abi.encode(p));
        // the residue plus r is another encoding of the same element
        expect(IZKMLVerifier.InvalidProof.selector, directModel, c, abi.encode(R - 5 + R), abi.encode(p));
        // nothing that the proof does not bind may look as if it did
        p.ctx = CTX;
        expect(IZKMLVerifier.InvalidProof.selector, directModel, commitmentTo(directModel, p), out, abi.encode(p));
        (p.ctx, p.y) = (0, 1);
        expect(IZKMLVerifier.InvalidProof.selector, directModel, c, out, abi.encode(p));
    }

    function test_verifiesCommitments() external {
        uint256[] memory c = new uint256[](2);
        (c[0], c[1]) = (5, R - 1);
        IInferenceVerifier.InferenceProof memory p = proveCompressed(committedKey, CTX, c, output, input);
        bytes32 inputCommitment = commitmentTo(committedModel, p);
        inference.verifyInference(committedModel, inputCommitment, output, abi.encode(p));
        p.commitments[0] = 6;
        assertTrue(commitmentTo(committedModel, p) != inputCommitment, "commitment");
        expect(IZKMLVerifier.InvalidProof.selector, committedModel, inputCommitment, output, abi.encode(p));
        p.commitments = new uint256[](1);
        expect(IZKMLVerifier.InvalidProof.selector, committedModel, inputCommitment, output, abi.encode(p));
    }

    /// @dev One key serves every weight set of an architecture: the version says which one is the model's.
    function test_openWeightsAreThoseOfTheVersion() external {
        uint256[] memory c = new uint256[](2);
        (c[0], c[1]) = (5, 6);
        IInferenceVerifier.InferenceProof memory p = proveCompressed(committedKey, CTX, c, output, input);
        for (uint256 from = 0; from < 84; from++) {
            uint32 count = uint32(from < 64 ? 32 - from % 32 : 84 - from);
            bytes memory told = new bytes(count);
            bytes memory statement = bytes.concat(abi.encode(5, 6), input);
            for (uint256 i = 0; i < count; i++) {
                told[i] = statement[from + i];
            }
            uint256 model = registerOpen(uint32(from), count, keccak256(told));
            bytes32 commitmentTo_ = commitmentTo(model, p);
            inference.verifyInference(model, commitmentTo_, output, abi.encode(p));
            told[from % count] ^= 0x01;
            model = registerOpen(uint32(from), count, keccak256(told));
            expect(IZKMLVerifier.ModelMismatch.selector, model, commitmentTo_, output, abi.encode(p));
        }
        // an honest proof about other weights
        uint256 ours = registerOpen(32, 32, keccak256(abi.encode(6)));
        c[1] = 7;
        IInferenceVerifier.InferenceProof memory other = proveCompressed(committedKey, CTX, c, output, input);
        expect(IZKMLVerifier.ModelMismatch.selector, ours, commitmentTo(ours, other), output, abi.encode(other));
        inference.verifyInference(committedModel, commitmentTo(committedModel, other), output, abi.encode(other));
    }

    /// @dev Bytes that fill no word would be bound by nothing.
    function test_directStatementsAreWholeWords() external {
        bytes memory words = abi.encode(uint256(1), uint256(7), uint256(8));
        IInferenceVerifier.InferenceProof memory p = proveDirect(directKey, abi.encode(1), abi.encode(7, 8));
        for (uint32 border = 0; border <= 96; border += 8) {
            for (uint32 more = 0; more < 32; more += 8) {
                bytes memory out = new bytes(border);
                p.input = new bytes(96 + more - border);
                for (uint256 i = 0; i < 96; i++) {
                    if (i < border) out[i] = words[i];
                    else p.input[i - border] = words[i];
                }
                uint256 model = registry.registerModelWithDetails(
                    commitmentOf(directKey.hash(), DIRECT), detailsOf(border, 96 + more - border, 0)
                );
                bytes32 c = commitmentTo(model, p);
                if (border % 32 == 0 && more == 0) inference.verifyInference(model, c, out, abi.encode(p));
                else expect(IZKMLVerifier.InvalidProof.selector, model, c, out, abi.encode(p));
            }
        }
    }

    function test_openWeightsOfDirectStatementsAreWordsOfTheInput() external {
        bytes memory in_ = abi.encode(uint256(7), uint256(8));
        IInferenceVerifier.InferenceProof memory p = proveDirect(directKey, abi.encode(1), in_);
        IModelRegistry.ModelDetails memory d = detailsOf(32, 64, 0);
        (d.weightsFrom, d.weightsBytes, d.weightsHash) = (32, 32, keccak256(abi.encode(8)));
        uint256 model = registry.registerModelWithDetails(commitmentOf(directKey.hash(), DIRECT), d);
        inference.verifyInference(model, commitmentTo(model, p), abi.encode(1), abi.encode(p));
        p = proveDirect(directKey, abi.encode(1), abi.encode(uint256(7), uint256(9)));
        expect(IZKMLVerifier.ModelMismatch.selector, model, commitmentTo(model, p), abi.encode(1), abi.encode(p));
    }

    function registerOpen(uint32 from, uint32 count, bytes32 hash) internal returns (uint256) {
        IModelRegistry.ModelDetails memory d = detailsOf(12, 20, 2);
        (d.weightsFrom, d.weightsBytes, d.weightsHash) = (from, count, hash);
        return registry.registerModelWithDetails(commitmentOf(committedKey.hash(), COMPRESSED), d);
    }

    function testFuzz_everyPartIsBound(uint256 what, uint256 i, uint8 by) external {
        IInferenceVerifier.InferenceProof memory p = honest();
        bytes32 c = commitmentTo(compressedModel, p);
        bytes memory out = output;
        vm.assume(by != 0);
        bytes4 expected = IZKMLVerifier.InvalidProof.selector;
        if (what % 6 == 0) out[i % 12] ^= bytes1(by);
        if (what % 6 == 1) p.input[i % 20] ^= bytes1(by);
        if (what % 6 == 2) p.y ^= by;
        if (what % 6 == 3) p.ctx ^= bytes32(uint256(by));
        if (what % 6 == 4) p.points[i % 8] ^= by;
        if (what % 6 == 5) {
            c ^= bytes32(uint256(by));
            expected = IZKMLVerifier.InputCommitmentMismatch.selector;
        }
        expect(expected, compressedModel, c, out, abi.encode(p));
    }

    function test_outputsHaveALength() external {
        IInferenceVerifier.InferenceProof memory p = honest();
        bytes32 c = commitmentTo(compressedModel, p);
        expect(IZKMLVerifier.OutputMismatch.selector, compressedModel, c, pattern(11, 1), abi.encode(p));
        expect(IZKMLVerifier.OutputMismatch.selector, compressedModel, c, "", abi.encode(p));
    }

    /// @dev The border between output and input can't be moved, although X stays the same.
    function test_theBorderBetweenOutputAndInputIsFixed() external {
        bytes memory x = bytes.concat(output, input);
        IInferenceVerifier.InferenceProof memory p = honest();
        bytes memory out = new bytes(13);
        for (uint256 i = 0; i < 13; i++) {
            out[i] = x[i];
        }
        p.input = new bytes(19);
        for (uint256 i = 0; i < 19; i++) {
            p.input[i] = x[13 + i];
        }
        expect(
            IZKMLVerifier.OutputMismatch.selector, compressedModel, commitmentTo(compressedModel, p), out, abi.encode(p)
        );
        // with the right output and a shorter input
        expect(IZKMLVerifier.InvalidProof.selector, compressedModel, 0, output, abi.encode(p));
    }

    function test_proofsAreForOneChainContractAndModel() external {
        IInferenceVerifier.InferenceProof memory p = honest();
        bytes32 c = commitmentTo(compressedModel, p);
        expect(IZKMLVerifier.InvalidProof.selector, committedModel, c, output, abi.encode(p));
        InferenceVerifier twin = new InferenceVerifier(registry, universal);
        vm.expectRevert(IZKMLVerifier.InvalidProof.selector);
        twin.verifyInference(compressedModel, c, output, abi.encode(p));
        vm.chainId(1);
        vm.expectRevert(IZKMLVerifier.InvalidProof.selector);
        inference.verifyInference(compressedModel, c, output, abi.encode(p));
    }

    function test_deprecatedModelsAreRefused() external {
        IInferenceVerifier.InferenceProof memory p = honest();
        bytes32 c = commitmentTo(compressedModel, p);
        vm.prank(OWNER);
        registry.deprecateModel(compressedModel);
        vm.expectRevert(
            abi.encodeWithSelector(IZKMLVerifier.VerificationRefused_ModelDeprecated.selector, compressedModel)
        );
        inference.verifyInference(compressedModel, c, output, abi.encode(p));
        vm.expectPartialRevert(IZKMLVerifier.VerificationRefused_ModelDeprecated.selector);
        inference.verifyAndStoreInference(compressedModel, c, output, abi.encode(p));
    }

    function test_updatesNeedNewProofs() external {
        IInferenceVerifier.InferenceProof memory p = honest();
        bytes32 c = commitmentTo(compressedModel, p);
        Simulator.Key memory next = Simulator.Key(3, 3, 90);
        bytes32 vkHash = universal.store(next.words());
        vm.prank(OWNER);
        registry.updateModelWithDetails(compressedModel, commitmentOf(vkHash, COMPRESSED), detailsOf(12, 20, 0));
        expect(IZKMLVerifier.InvalidProof.selector, compressedModel, c, output, abi.encode(p));
        p = proveCompressed(next, CTX, none(), output, input);
        inference.verifyInference(compressedModel, commitmentTo(compressedModel, p), output, abi.encode(p));
    }

    function test_modelsThatCannotBeVerifiedAreRefused() external {
        bytes memory proof = abi.encode(honest());
        bytes32 vkHash = compressedKey.hash();
        uint256 plain = registry.registerModel(commitmentOf(vkHash, COMPRESSED));
        vm.expectRevert(abi.encodeWithSelector(IInferenceVerifier.ModelNotVerifiable.selector, plain));
        inference.verifyInference(plain, 0, "", proof);
        bytes4 other = bytes4(keccak256("plonk-bn254-v2"));
        uint256 plonk = registry.registerModelWithDetails(commitmentOf(vkHash, other), detailsOf(12, 20, 0));
        vm.expectRevert(abi.encodeWithSelector(IZKMLVerifier.UnsupportedProofSystem.selector, other));
        inference.verifyInference(plonk, 0, output, proof);
        bytes32 unknown = keccak256("unknown");
        uint256 keyless = registry.registerModelWithDetails(commitmentOf(unknown, COMPRESSED), detailsOf(12, 20, 0));
        vm.expectRevert(abi.encodeWithSelector(IKeyVerifier.UnknownKey.selector, unknown));
        inference.verifyInference(keyless, 0, output, proof);
        vm.expectRevert(abi.encodeWithSelector(IZKMLRegistry.ModelNotFound.selector, 99));
        inference.verifyInference(99, 0, output, proof);
    }

    function test_modelsMayHaveNoPublicInput() external {
        Simulator.Key memory key = Simulator.Key(4, 3, 91);
        uint256 id = register(key, COMPRESSED, 12, 0, 0);
        IInferenceVerifier.InferenceProof memory p = proveCompressed(key, CTX, none(), output, "");
        inference.verifyInference(id, commitmentTo(id, p), output, abi.encode(p));
    }

    function test_modelsMayHaveNoPublicOutput() external {
        Simulator.Key memory key = Simulator.Key(5, 3, 92);
        uint256 id = register(key, COMPRESSED, 0, 20, 0);
        IInferenceVerifier.InferenceProof memory p = proveCompressed(key, CTX, none(), "", input);
        inference.verifyInference(id, commitmentTo(id, p), "", abi.encode(p));
    }

    /// @dev The struct must be where abi.encode puts it, and whole.
    function test_malformedProofsAreRefused() external {
        IInferenceVerifier.InferenceProof memory p = honest();
        bytes32 c = commitmentTo(compressedModel, p);
        bytes memory proof = abi.encode(p);
        proof[31] = 0x40;
        expect(IInferenceVerifier.MalformedProof.selector, compressedModel, c, output, proof);
        (proof[31], proof[0]) = (0x20, 0x01);
        expect(IInferenceVerifier.MalformedProof.selector, compressedModel, c, output, proof);
        expect(IInferenceVerifier.MalformedProof.selector, compressedModel, c, output, new bytes(0x19f));
        expect(IInferenceVerifier.MalformedProof.selector, compressedModel, c, output, "");
    }

    function testFuzz_malformedProofsNeverPass(bytes memory proof) external {
        try inference.verifyInference(compressedModel, 0, output, proof) {
            revert("accepted");
        } catch {}
    }

    function testFuzz_truncatedProofsNeverPass(uint256 length, uint256 word, uint256 by) external {
        IInferenceVerifier.InferenceProof memory p = honest();
        bytes32 c = commitmentTo(compressedModel, p);
        bytes memory proof = abi.encode(p);
        length = bound(length, 0, proof.length - 33);
        bytes memory cut = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            cut[i] = proof[i];
        }
        // what follows in calldata might complete it: then it is complete
        (bool success,) =
            address(inference).call(abi.encodeCall(IZKMLVerifier.verifyInference, (compressedModel, c, output, cut)));
        assertTrue(!success, "accepted");
        // another y, ctx, or place of the input
        word = 10 + word % 3;
        vm.assume(by != 0);
        assembly {
            let at := add(add(proof, 0x20), mul(word, 0x20))
            mstore(at, xor(mload(at), by))
        }
        (success,) =
            address(inference).call(abi.encodeCall(IZKMLVerifier.verifyInference, (compressedModel, c, output, proof)));
        assertTrue(!success, "accepted");
    }

    function test_storesInferences() external {
        IInferenceVerifier.InferenceProof memory p = honest();
        bytes32 c = commitmentTo(compressedModel, p);
        bytes32 id = keccak256(abi.encodePacked(compressedModel, c, output));
        vm.expectRevert(abi.encodeWithSelector(IInferenceVerifier.InferenceNotFound.selector, id));
        inference.getInference(id);
        vm.expectEmit();
        emit IZKMLVerifier.InferenceVerified(compressedModel, c, output, address(this));
        vm.expectEmit();
        emit IZKMLStorage.InferenceStored(id);
        assertEq(inference.verifyAndStoreInference(compressedModel, c, output, abi.encode(p)), id, "id");
        vm.snapshotGasLastCall("verifyAndStoreInference, 32 bytes");
        (uint256 modelId, bytes32 c_, bytes memory out) = inference.getInference(id);
        assertEq(modelId, compressedModel, "model");
        assertEq(c_, c, "commitment");
        assertEq(out, output, "output");
    }

    function test_storingAgainVerifiesAndChangesNothing() external {
        IInferenceVerifier.InferenceProof memory p = honest();
        bytes32 c = commitmentTo(compressedModel, p);
        bytes32 id = inference.verifyAndStoreInference(compressedModel, c, output, abi.encode(p));
        vm.recordLogs();
        assertEq(inference.verifyAndStoreInference(compressedModel, c, output, abi.encode(p)), id, "id");
        assertEq(vm.getRecordedLogs().length, 1, "only InferenceVerified");
        p.points[0] ^= 1;
        vm.expectRevert(IZKMLVerifier.InvalidProof.selector);
        inference.verifyAndStoreInference(compressedModel, c, output, abi.encode(p));
    }

    function test_tellsAboutItself() external view {
        assertEq(inference.registry(), address(registry), "registry");
        assertEq(inference.keyVerifier(), address(universal), "keys");
        assertTrue(inference.proofSystemOf(compressedModel) == COMPRESSED, "compressed");
        assertTrue(inference.proofSystemOf(directModel) == DIRECT, "direct");
        assertTrue(inference.supportsInterface(type(IERC165).interfaceId), "ERC-165");
        assertTrue(inference.supportsInterface(type(IZKMLVerifier).interfaceId), "ERC-7992");
        assertTrue(inference.supportsInterface(type(IZKMLStorage).interfaceId), "storage");
        assertTrue(inference.supportsInterface(type(IInferenceVerifier).interfaceId), "ours");
        assertTrue(!inference.supportsInterface(0xffffffff), "none");
    }

    function testFuzz_shortOfGasNothingIsDecided(uint256 gas) external {
        IInferenceVerifier.InferenceProof memory p = honest();
        bytes memory data = abi.encodeCall(
            IZKMLVerifier.verifyInference, (compressedModel, commitmentTo(compressedModel, p), output, abi.encode(p))
        );
        (bool success, bytes memory answer) = address(inference).call{gas: bound(gas, 20_000, 420_000)}(data);
        if (!success && answer.length != 0) {
            assertTrue(bytes4(answer) == IKeyVerifier.InsufficientGas.selector, "a valid proof was called invalid");
        }
    }
}

/// @dev Random callers store honest and dishonest inferences.
contract StorageHandler is World {
    using Simulator for Simulator.Key;

    bytes32[] public ids;
    mapping(bytes32 id => bytes32) public contents;
    uint256 public attempts;

    /// @dev Once: forge calls every function of the handler.
    function setUp() public override {
        if (address(universal) == address(0)) super.setUp();
    }

    function store(uint256 seed, bool honest) external {
        attempts++;
        bytes memory output = pattern(12, seed % 5);
        bytes memory input = pattern(20, seed % 3);
        IInferenceVerifier.InferenceProof memory p =
            proveCompressed(compressedKey, bytes32(seed % 2), none(), output, input);
        bytes32 c = inference.inputCommitmentOf(compressedModel, p.ctx, p.commitments, p.input);
        if (!honest) output[seed % 12] ^= 0x01;
        try inference.verifyAndStoreInference(compressedModel, c, output, abi.encode(p)) returns (bytes32 id) {
            require(honest, "a dishonest inference was stored");
            if (contents[id] == 0) ids.push(id);
            contents[id] = keccak256(abi.encode(compressedModel, c, output));
        } catch {
            require(!honest, "an honest inference was refused");
        }
    }

    function count() external view returns (uint256) {
        return ids.length;
    }

    function storedContent(bytes32 id) external view returns (bytes32) {
        (uint256 modelId, bytes32 c, bytes memory output) = inference.getInference(id);
        return keccak256(abi.encode(modelId, c, output));
    }
}

contract StorageInvariants is World {
    StorageHandler internal handler;

    function setUp() public override {
        handler = new StorageHandler();
        handler.setUp();
        targetContract(address(handler));
    }

    /// forge-config: default.invariant.runs = 8
    /// forge-config: default.invariant.depth = 24
    function invariant_whatIsStoredWasProvedAndStays() external view {
        for (uint256 i = 0; i < handler.count(); i++) {
            bytes32 id = handler.ids(i);
            assertEq(handler.storedContent(id), handler.contents(id), "content");
        }
    }
}
