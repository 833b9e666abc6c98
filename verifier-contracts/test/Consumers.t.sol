// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {ClassBounty} from "../consumers/examples/ClassBounty.sol";
import {GatedMint, IMintable} from "../consumers/examples/GatedMint.sol";
import {InferenceConsumer} from "../consumers/InferenceConsumer.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IZKMLRegistry} from "../interfaces/IZKMLRegistry.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {Simulator} from "./support/Simulator.sol";
import {World} from "./support/World.sol";

contract Token is IMintable {
    mapping(uint256 tokenId => address) public ownerOf;

    function mint(address to, uint256 tokenId) external {
        require(ownerOf[tokenId] == address(0), "minted");
        ownerOf[tokenId] = to;
    }
}

/// @dev Proves, owns the token, and comes back for more whenever it is called.
contract Greedy is IMintable {
    GatedMint public gate;
    uint256 public minted;
    bytes4[] public refusals;
    bytes[] private more;

    function begin(GatedMint gate_, bytes[] memory calls) external {
        gate = gate_;
        for (uint256 i = 0; i < calls.length; i++) {
            more.push(calls[i]);
        }
        (bool success,) = address(gate).call(calls[0]);
        require(success, "refused");
    }

    function mint(address, uint256) external {
        minted++;
        for (uint256 i = 0; i < more.length; i++) {
            (bool success, bytes memory reason) = address(gate).call(more[i]);
            require(!success, "minted again");
            refusals.push(bytes4(reason));
        }
    }

    function offer(ClassBounty bounty, bytes32 inputHash) external payable {
        bounty.offer{value: msg.value}(inputHash, 0, address(this), block.timestamp + 1);
    }

    receive() external payable {
        try ClassBounty(msg.sender).withdraw() {} catch {}
    }
}

/// @dev Keeps what arrives.
contract Collector is InferenceConsumer {
    uint256 public count;
    address public prover;
    bytes32 public nonce;
    bytes public output;
    bytes public input;

    constructor(IInferenceVerifier inferenceVerifier, uint256 modelId) InferenceConsumer(inferenceVerifier, modelId) {}

    function _onInference(address prover_, bytes32 nonce_, bytes calldata output_, bytes calldata input_)
        internal
        override
    {
        count++;
        (prover, nonce, output, input) = (prover_, nonce_, output_, input_);
    }
}

/// @dev Proves for consumers.
abstract contract ConsumerWorld is World {
    function proofFor(InferenceConsumer consumer, address prover, bytes32 nonce, bytes memory out, bytes memory in_)
        internal
        view
        returns (IInferenceVerifier.InferenceProof memory)
    {
        return proveCompressed(compressedKey, consumer.contextOf(prover, nonce), none(), out, in_);
    }

    /// @dev Output of four elements of 3 bytes whose largest is the given one.
    function outputOf(uint256 class) internal pure returns (bytes memory out) {
        out = hex"000001000002000003000000";
        out[3 * (class % 4)] = 0x7f;
    }
}

contract ConsumersTest is ConsumerWorld {
    using Simulator for Simulator.Key;

    Collector internal collector;
    ClassBounty internal bounty;
    GatedMint internal gate;
    Token internal token;
    address internal constant PROVER = address(0xBEE);
    address internal constant THIEF = address(0xBAD);
    address internal constant INSURED = address(0x1A5);

    function setUp() public override {
        super.setUp();
        collector = new Collector(inference, compressedModel);
        bounty = new ClassBounty(inference, compressedModel, 3);
        token = new Token();
        gate = new GatedMint(inference, compressedModel, token, -1000, 16_000_000, 5000);
        vm.deal(address(this), 100 ether);
    }

    // -------------------------------------------------------------------------------------------------------- the base

    function test_takesWhatWasProvedForIt() external {
        (bytes memory out, bytes memory in_) = (pattern(12, 1), pattern(20, 2));
        IInferenceVerifier.InferenceProof memory p = proofFor(collector, PROVER, "nonce", out, in_);
        vm.prank(PROVER);
        collector.submitInference("nonce", out, p);
        vm.snapshotGasLastCall("submitInference, 32 bytes, with five words stored");
        assertEq(collector.count(), 1, "count");
        assertEq(collector.prover(), PROVER, "prover");
        assertEq(collector.nonce(), "nonce", "nonce");
        assertEq(collector.output(), out, "output");
        assertEq(collector.input(), in_, "input");
        assertTrue(collector.contextUsed(p.ctx), "context");
    }

    function test_aStolenProofIsWorthNothing() external {
        bytes memory out = pattern(12, 1);
        IInferenceVerifier.InferenceProof memory p = proofFor(collector, PROVER, "nonce", out, pattern(20, 2));
        vm.startPrank(THIEF);
        vm.expectPartialRevert(InferenceConsumer.OtherContext.selector);
        collector.submitInference("nonce", out, p);
        p.ctx = collector.contextOf(THIEF, "nonce");
        vm.expectRevert(IZKMLVerifier.InvalidProof.selector);
        collector.submitInference("nonce", out, p);
    }

    /// @dev A proof can be turned into another one of the same statement: neither counts twice.
    function test_aNonceCountsOnce() external {
        bytes memory out = pattern(12, 1);
        IInferenceVerifier.InferenceProof memory p = proofFor(collector, PROVER, "nonce", out, pattern(20, 2));
        vm.startPrank(PROVER);
        collector.submitInference("nonce", out, p);
        bytes memory refused = abi.encodeWithSelector(InferenceConsumer.ContextUsed.selector, p.ctx);
        vm.expectRevert(refused);
        collector.submitInference("nonce", out, p);
        p.points = rerandomised(p.points);
        inference.checkStatement(compressedModel, out, p);
        vm.expectRevert(refused);
        collector.submitInference("nonce", out, p);
        // the same inference under another nonce is another statement
        p = proofFor(collector, PROVER, "other", out, pattern(20, 2));
        collector.submitInference("other", out, p);
        assertEq(collector.count(), 2, "count");
    }

    function test_aRefusedInferenceUsesNoNonce() external {
        bytes memory out = pattern(12, 1);
        IInferenceVerifier.InferenceProof memory p = proofFor(collector, PROVER, "nonce", out, pattern(20, 2));
        p.points[0] ^= 1;
        vm.startPrank(PROVER);
        vm.expectRevert(IZKMLVerifier.InvalidProof.selector);
        collector.submitInference("nonce", out, p);
        assertTrue(!collector.contextUsed(p.ctx), "used");
        p.points[0] ^= 1;
        collector.submitInference("nonce", out, p);
    }

    function test_proofsForAnotherConsumerAreRefused() external {
        Collector twin = new Collector(inference, compressedModel);
        bytes memory out = pattern(12, 1);
        IInferenceVerifier.InferenceProof memory p = proofFor(twin, PROVER, "nonce", out, pattern(20, 2));
        vm.startPrank(PROVER);
        vm.expectPartialRevert(InferenceConsumer.OtherContext.selector);
        collector.submitInference("nonce", out, p);
        twin.submitInference("nonce", out, p);
    }

    function test_theVersionIsPinned() external {
        Simulator.Key memory next = Simulator.Key(3, 3, 91);
        bytes32 vkHash = universal.store(next.words());
        vm.prank(OWNER);
        registry.updateModelWithDetails(compressedModel, commitmentOf(vkHash, COMPRESSED), detailsOf(12, 20, 0));
        bytes memory out = pattern(12, 1);
        bytes32 ctx = collector.contextOf(PROVER, "nonce");
        IInferenceVerifier.InferenceProof memory p = proveCompressed(next, ctx, none(), out, pattern(20, 2));
        vm.prank(PROVER);
        vm.expectPartialRevert(InferenceConsumer.OtherVersion.selector);
        collector.submitInference("nonce", out, p);
    }

    /// @dev With the border moved, one inference would be several: other outputs, and another input for each border.
    function test_theFormOfStatementsIsPinned() external {
        bytes memory x = bytes.concat(pattern(12, 1), pattern(20, 2));
        bytes memory out;
        vm.startPrank(OWNER);
        for (uint32 border = 0; border <= 32; border++) {
            IModelRegistry.ModelDetails memory details = detailsOf(border, 32 - border, 0);
            if (border == 31) (details.weightsBytes, details.weightsHash) = (1, keccak256("weights"));
            registry.updateModelWithDetails(compressedModel, commitmentOf(compressedKey.hash(), COMPRESSED), details);
            out = new bytes(border);
            bytes memory in_ = new bytes(32 - border);
            for (uint256 i = 0; i < 32; i++) {
                if (i < border) out[i] = x[i];
                else in_[i - border] = x[i];
            }
            IInferenceVerifier.InferenceProof memory p = proofFor(collector, OWNER, bytes32(uint256(border)), out, in_);
            if (border != 31) inference.checkStatement(compressedModel, out, p);
            if (border != 12) vm.expectPartialRevert(InferenceConsumer.OtherVersion.selector);
            collector.submitInference(bytes32(uint256(border)), out, p);
        }
        assertEq(collector.count(), 1, "count");
    }

    /// @dev Where more can be read about a model is no matter of its statements.
    function test_updatesThatChangeNothingAreTaken() external {
        IZKMLRegistry.ModelCommitment memory commitment = commitmentOf(compressedKey.hash(), COMPRESSED);
        commitment.uri = "ipfs://more";
        vm.prank(OWNER);
        registry.updateModelWithDetails(compressedModel, commitment, detailsOf(12, 20, 0));
        bytes memory out = pattern(12, 1);
        IInferenceVerifier.InferenceProof memory p = proofFor(collector, PROVER, "nonce", out, pattern(20, 2));
        vm.prank(PROVER);
        collector.submitInference("nonce", out, p);
    }

    function test_deprecatedModelsAreRefused() external {
        bytes memory out = pattern(12, 1);
        IInferenceVerifier.InferenceProof memory p = proofFor(collector, PROVER, "nonce", out, pattern(20, 2));
        vm.prank(OWNER);
        registry.deprecateModel(compressedModel);
        vm.prank(PROVER);
        vm.expectPartialRevert(IZKMLVerifier.VerificationRefused_ModelDeprecated.selector);
        collector.submitInference("nonce", out, p);
    }

    function test_modelsThatBindNoSenderAreRefused() external {
        vm.expectRevert(abi.encodeWithSelector(InferenceConsumer.UnsupportedProofSystem.selector, DIRECT));
        new Collector(inference, directModel);
    }

    // ---------------------------------------------------------------------------------------------------- ClassBounty

    function test_aProvedClassReleasesTheMoney() external {
        bytes memory in_ = pattern(20, 7);
        uint256 id = bounty.offer{value: 1 ether}(keccak256(in_), 2, INSURED, block.timestamp + 100);
        IInferenceVerifier.InferenceProof memory p = proofFor(bounty, PROVER, bytes32(id), outputOf(2), in_);
        vm.expectEmit();
        emit ClassBounty.Released(id, INSURED, PROVER, 1 ether);
        vm.prank(PROVER);
        bounty.submitInference(bytes32(id), outputOf(2), p);
        assertEq(bounty.credit(INSURED), 1 ether, "credit");
        vm.prank(INSURED);
        bounty.withdraw();
        assertEq(INSURED.balance, 1 ether, "paid");
        assertEq(address(bounty).balance, 0, "rest");
    }

    function test_otherClassesInputsAndOffersAreRefused() external {
        bytes memory in_ = pattern(20, 7);
        uint256 id = bounty.offer{value: 1 ether}(keccak256(in_), 2, INSURED, block.timestamp + 100);
        submitExpecting(id, outputOf(1), in_, ClassBounty.OtherClass.selector);
        submitExpecting(id, outputOf(2), pattern(20, 8), ClassBounty.OtherInput.selector);
        submitExpecting(id + 1, outputOf(2), in_, ClassBounty.OfferNotOpen.selector);
        vm.warp(block.timestamp + 101);
        submitExpecting(id, outputOf(2), in_, ClassBounty.OfferNotOpen.selector);
    }

    function submitExpecting(uint256 id, bytes memory out, bytes memory in_, bytes4 selector) internal {
        IInferenceVerifier.InferenceProof memory p = proofFor(bounty, PROVER, bytes32(id), out, in_);
        vm.prank(PROVER);
        vm.expectPartialRevert(selector);
        bounty.submitInference(bytes32(id), out, p);
    }

    function test_nothingIsReleasedTwice() external {
        bytes memory in_ = pattern(20, 7);
        uint256 id = bounty.offer{value: 1 ether}(keccak256(in_), 2, INSURED, block.timestamp + 100);
        IInferenceVerifier.InferenceProof memory p = proofFor(bounty, PROVER, bytes32(id), outputOf(2), in_);
        vm.prank(PROVER);
        bounty.submitInference(bytes32(id), outputOf(2), p);
        p = proofFor(bounty, THIEF, bytes32(id), outputOf(2), in_);
        vm.prank(THIEF);
        vm.expectPartialRevert(ClassBounty.OfferNotOpen.selector);
        bounty.submitInference(bytes32(id), outputOf(2), p);
        vm.warp(block.timestamp + 1000);
        vm.expectPartialRevert(ClassBounty.OfferNotOpen.selector);
        bounty.refund(id);
    }

    function test_fundersGetTheirMoneyBack() external {
        uint256 deadline = block.timestamp + 100;
        uint256 id = bounty.offer{value: 1 ether}("input", 2, INSURED, deadline);
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(ClassBounty.DeadlineNotReached.selector, deadline));
        bounty.refund(id);
        vm.warp(deadline + 1);
        vm.prank(THIEF);
        bounty.refund(id);
        assertEq(bounty.credit(address(this)), 1 ether, "credit");
        vm.expectPartialRevert(ClassBounty.OfferNotOpen.selector);
        bounty.refund(id);
        uint256 before = address(this).balance;
        bounty.withdraw();
        assertEq(address(this).balance, before + 1 ether, "paid");
    }

    receive() external payable {}

    function test_whoComesBackWhileBeingPaidGetsNoMore() external {
        Greedy greedy = new Greedy();
        greedy.offer{value: 1 ether}(bounty, "input");
        bounty.offer{value: 5 ether}("input", 2, INSURED, block.timestamp + 1);
        vm.warp(block.timestamp + 2);
        bounty.refund(1);
        vm.prank(address(greedy));
        bounty.withdraw();
        assertEq(address(greedy).balance, 1 ether, "paid");
        assertEq(address(bounty).balance, 5 ether, "others' money");
    }

    function test_whoRefusesMoneyKeepsTheCredit() external {
        bounty.offer{value: 1 ether}("input", 2, INSURED, block.timestamp + 1);
        Collector refuser = new Collector(inference, compressedModel);
        vm.deal(address(refuser), 1 ether);
        vm.prank(address(refuser));
        uint256 id = bounty.offer{value: 1 ether}("input", 2, INSURED, block.timestamp + 1);
        vm.warp(block.timestamp + 2);
        bounty.refund(id);
        vm.prank(address(refuser));
        vm.expectRevert(ClassBounty.TransferFailed.selector);
        bounty.withdraw();
        assertEq(bounty.credit(address(refuser)), 1 ether, "credit");
    }

    function test_offersNeedMoneyAndTime() external {
        vm.expectRevert(ClassBounty.NothingOffered.selector);
        bounty.offer("input", 2, INSURED, block.timestamp + 1);
        vm.expectRevert(ClassBounty.NothingOffered.selector);
        bounty.offer{value: 1}("input", 2, INSURED, block.timestamp);
    }

    // ------------------------------------------------------------------------------------------------------ GatedMint

    /// @dev The first element, 3 bytes, is the score plus 1000.
    function scored(int256 score) internal pure returns (bytes memory) {
        return bytes.concat(bytes3(uint24(uint256(score + 1000))), new bytes(9));
    }

    function mint(address prover, bytes32 nonce, int256 score, bytes memory in_, bytes4 selector) internal {
        IInferenceVerifier.InferenceProof memory p = proofFor(gate, prover, nonce, scored(score), in_);
        vm.prank(prover);
        if (selector != 0) vm.expectPartialRevert(selector);
        gate.submitInference(nonce, scored(score), p);
    }

    function test_whoComesBackWhileMintingGetsNoMore() external {
        Greedy greedy = new Greedy();
        GatedMint other = new GatedMint(inference, compressedModel, greedy, -1000, 16_000_000, 5000);
        bytes[] memory calls = new bytes[](2);
        for (uint256 i = 0; i < 2; i++) {
            IInferenceVerifier.InferenceProof memory p =
                proofFor(other, address(greedy), bytes32(i), scored(5000), pattern(20, 1));
            calls[i] = abi.encodeCall(InferenceConsumer.submitInference, (bytes32(i), scored(5000), p));
        }
        greedy.begin(other, calls);
        assertEq(greedy.minted(), 1, "minted");
        assertTrue(greedy.refusals(0) == InferenceConsumer.ContextUsed.selector, "the same proof");
        assertTrue(greedy.refusals(1) == GatedMint.AlreadyMinted.selector, "another proof");
    }

    function test_scoresAboveTheThresholdMint() external {
        bytes memory in_ = pattern(20, 1);
        mint(PROVER, "a", 4999, in_, GatedMint.ScoreTooLow.selector);
        mint(PROVER, "a", -1000, in_, GatedMint.ScoreTooLow.selector);
        mint(PROVER, "a", 5000, in_, 0);
        assertEq(token.ownerOf(uint256(keccak256(in_))), PROVER, "owner");
        mint(PROVER, "b", 6000, in_, GatedMint.AlreadyMinted.selector);
        mint(THIEF, "a", 6000, in_, GatedMint.AlreadyMinted.selector);
        mint(THIEF, "a", 6000, pattern(20, 2), 0);
        assertEq(token.ownerOf(uint256(keccak256(pattern(20, 2)))), THIEF, "owner");
    }
}

/// @dev Random offers, proofs, refunds and withdrawals.
contract BountyHandler is ConsumerWorld {
    ClassBounty public bounty;
    address[3] public people = [address(0xA1), address(0xA2), address(0xA3)];
    uint256 public sent;
    uint256 public withdrawn;
    mapping(uint256 id => uint256) public settlements;

    /// @dev Once: forge calls every function of the handler.
    function setUp() public override {
        if (address(bounty) != address(0)) return;
        super.setUp();
        bounty = new ClassBounty(inference, compressedModel, 3);
    }

    function offer(uint256 who, uint256 amount, uint256 class, uint256 time) external {
        amount = bound(amount, 1, 10 ether);
        address funder = people[who % 3];
        vm.deal(funder, amount);
        vm.prank(funder);
        bounty.offer{value: amount}(
            keccak256(pattern(20, class % 2)), class % 4, people[(who + 1) % 3], block.timestamp + 1 + time % 50
        );
        sent += amount;
    }

    function prove(uint256 who, uint256 id, uint256 class, uint256 input) external {
        if (bounty.offerCount() == 0) return;
        id = 1 + id % bounty.offerCount();
        (bytes memory out, bytes memory in_) = (outputOf(class), pattern(20, input % 2));
        IInferenceVerifier.InferenceProof memory p = proofFor(bounty, people[who % 3], bytes32(id), out, in_);
        (,, bytes32 inputHash, uint256 wanted, uint256 amount, uint256 deadline) = bounty.offers(id);
        bool right = amount != 0 && block.timestamp <= deadline && inputHash == keccak256(in_) && wanted == class % 4;
        vm.prank(people[who % 3]);
        try bounty.submitInference(bytes32(id), out, p) {
            require(right, "released without right");
            settlements[id]++;
        } catch {
            require(!right, "not released in spite of right");
        }
    }

    function refund(uint256 id, uint256 time) external {
        if (bounty.offerCount() == 0) return;
        id = 1 + id % bounty.offerCount();
        vm.warp(block.timestamp + time % 20);
        try bounty.refund(id) {
            settlements[id]++;
        } catch {}
    }

    function withdraw(uint256 who) external {
        uint256 amount = bounty.credit(people[who % 3]);
        vm.prank(people[who % 3]);
        bounty.withdraw();
        withdrawn += amount;
    }
}

contract BountyInvariants is ConsumerWorld {
    BountyHandler internal handler;

    function setUp() public override {
        handler = new BountyHandler();
        handler.setUp();
        targetContract(address(handler));
    }

    /// forge-config: default.invariant.runs = 16
    function invariant_moneyIsNeitherMadeNorLost() external view {
        ClassBounty bounty = handler.bounty();
        uint256 owed = 0;
        for (uint256 i = 0; i < 3; i++) {
            owed += bounty.credit(handler.people(i));
        }
        for (uint256 id = 1; id <= bounty.offerCount(); id++) {
            (,,,, uint256 amount,) = bounty.offers(id);
            owed += amount;
        }
        assertEq(address(bounty).balance, owed, "balance");
        assertEq(handler.sent(), owed + handler.withdrawn(), "conservation");
    }

    /// forge-config: default.invariant.runs = 16
    function invariant_offersAreSettledAtMostOnce() external view {
        ClassBounty bounty = handler.bounty();
        for (uint256 id = 1; id <= bounty.offerCount(); id++) {
            (,,,, uint256 amount,) = bounty.offers(id);
            assertEq(handler.settlements(id), amount == 0 ? 1 : 0, "settlements");
        }
    }
}
