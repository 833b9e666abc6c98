// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IERC165} from "../interfaces/IERC165.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IZKMLRegistry} from "../interfaces/IZKMLRegistry.sol";
import {ModelRegistry} from "../registry/ModelRegistry.sol";
import {Test} from "./support/Test.sol";

contract ModelRegistryTest is Test {
    ModelRegistry internal registry;
    address internal constant ALICE = address(0xA11CE);
    address internal constant BOB = address(0xB0B);

    function setUp() public {
        registry = new ModelRegistry();
    }

    function commitment(uint256 seed) internal pure returns (IZKMLRegistry.ModelCommitment memory) {
        return IZKMLRegistry.ModelCommitment(
            keccak256(abi.encode(seed, 1)),
            keccak256(abi.encode(seed, 2)),
            keccak256(abi.encode(seed, 3)),
            bytes4(keccak256("groth16-bn254-v1")),
            seed % 2 == 0 ? "" : "https://example.org/a-model-with-a-name-of-more-than-thirty-two-bytes"
        );
    }

    function details(uint256 seed) internal pure returns (IModelRegistry.ModelDetails memory) {
        bool open = seed % 3 == 0 && uint32(seed >> 32) != 0;
        return IModelRegistry.ModelDetails(
            keccak256(abi.encode(seed, 4)),
            "pot16.ptau",
            false,
            uint32(seed),
            uint32(seed >> 32),
            uint16(seed >> 64),
            open ? uint32(seed >> 80) % uint32(seed >> 32) : 0,
            open ? 1 : 0,
            open ? keccak256(abi.encode(seed, 5)) : bytes32(0)
        );
    }

    function register(address owner, uint256 seed) internal returns (uint256) {
        vm.prank(owner);
        return registry.registerModelWithDetails(commitment(seed), details(seed));
    }

    function assertSame(IZKMLRegistry.ModelCommitment memory a, IZKMLRegistry.ModelCommitment memory b) internal pure {
        assertEq(abi.encode(a), abi.encode(b), "commitment");
    }

    function test_selectorsAreTheStandards() external pure {
        assertTrue(IZKMLRegistry.registerModel.selector == 0x88e9606f, "registerModel");
        assertTrue(IZKMLRegistry.updateModel.selector == 0x871f5cce, "updateModel");
        assertTrue(IZKMLRegistry.deprecateModel.selector == 0xb0453384, "deprecateModel");
        assertTrue(IZKMLRegistry.getModel.selector == 0x6d361694, "getModel");
    }

    function test_registers() external {
        vm.expectEmit();
        emit IZKMLRegistry.ModelRegistered(1, ALICE, commitment(5));
        vm.expectEmit();
        emit IModelRegistry.ModelVersionAdded(1, 1, commitment(5).vkHash, details(5));
        assertEq(register(ALICE, 5), 1, "id");
        (IZKMLRegistry.ModelCommitment memory c, bool deprecated, address owner) = registry.getModel(1);
        assertSame(c, commitment(5));
        assertTrue(!deprecated, "deprecated");
        assertEq(owner, ALICE, "owner");
        assertEq(registry.modelCount(), 1, "count");
        assertEq(registry.versionCount(1), 1, "versions");
    }

    function test_registersWithoutDetailsAsTheStandardSays() external {
        vm.prank(BOB);
        uint256 id = registry.registerModel(commitment(6));
        (IZKMLRegistry.ModelCommitment memory c, IModelRegistry.ModelDetails memory d,) = registry.getVersion(id, 1);
        assertSame(c, commitment(6));
        IModelRegistry.ModelDetails memory zero;
        assertEq(abi.encode(d), abi.encode(zero), "details");
        vm.prank(BOB);
        registry.updateModel(id, commitment(7));
        assertEq(registry.versionCount(id), 2, "versions");
    }

    function testFuzz_versionsAreKept(uint256 seed, uint256 updates) external {
        uint256 id = register(ALICE, seed);
        updates = bound(updates, 0, 4);
        for (uint256 i = 1; i <= updates; i++) {
            vm.warp(1000 * i);
            vm.expectEmit();
            unchecked {
                emit IZKMLRegistry.ModelUpdated(id, commitment(seed + i - 1), commitment(seed + i));
                vm.prank(ALICE);
                registry.updateModelWithDetails(id, commitment(seed + i), details(seed + i));
            }
        }
        for (uint256 i = 0; i <= updates; i++) {
            unchecked {
                (IZKMLRegistry.ModelCommitment memory c, IModelRegistry.ModelDetails memory d, uint64 addedAt) =
                    registry.getVersion(id, i + 1);
                assertSame(c, commitment(seed + i));
                assertEq(abi.encode(d), abi.encode(details(seed + i)), "details");
                assertEq(addedAt, i == 0 ? 1 : 1000 * i, "time");
            }
        }
        unchecked {
            IModelRegistry.Verification memory v = registry.verificationOf(id);
            (IZKMLRegistry.ModelCommitment memory c, IModelRegistry.ModelDetails memory d) =
                (commitment(seed + updates), details(seed + updates));
            assertEq(
                abi.encode(v),
                abi.encode(
                    IModelRegistry.Verification(
                        c.vkHash,
                        c.proofSystemId,
                        d.outputBytes,
                        d.inputBytes,
                        d.commitments,
                        d.weightsFrom,
                        d.weightsBytes,
                        d.weightsHash,
                        false
                    )
                ),
                "verification"
            );
        }
    }

    function test_weightsAreWithinTheStatement() external {
        IModelRegistry.ModelDetails memory d;
        (d.inputBytes, d.commitments) = (10, 2);
        (d.weightsFrom, d.weightsBytes, d.weightsHash) = (64, 10, keccak256("weights"));
        registry.registerModelWithDetails(commitment(1), d);
        d.weightsFrom = 65;
        expectOutOfRange(d);
        (d.weightsFrom, d.weightsBytes) = (type(uint32).max, type(uint32).max);
        expectOutOfRange(d);
        (d.weightsFrom, d.weightsBytes) = (0, 0);
        expectOutOfRange(d);
        (d.weightsBytes, d.weightsHash) = (10, 0);
        expectOutOfRange(d);
    }

    function expectOutOfRange(IModelRegistry.ModelDetails memory d) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.WeightsOutOfRange.selector, d.weightsFrom, d.weightsBytes)
        );
        registry.registerModelWithDetails(commitment(1), d);
    }

    function test_onlyTheOwnerChangesAModel() external {
        uint256 id = register(ALICE, 1);
        bytes memory refused = abi.encodeWithSelector(IZKMLRegistry.NotModelOwner.selector, id, BOB);
        vm.startPrank(BOB);
        vm.expectRevert(refused);
        registry.updateModel(id, commitment(2));
        vm.expectRevert(refused);
        registry.updateModelWithDetails(id, commitment(2), details(2));
        vm.expectRevert(refused);
        registry.deprecateModel(id);
        vm.expectRevert(refused);
        registry.offerModel(id, BOB);
        vm.stopPrank();
        assertEq(registry.versionCount(id), 1, "versions");
    }

    function test_deprecationIsFinal() external {
        uint256 id = register(ALICE, 1);
        vm.startPrank(ALICE);
        vm.expectEmit();
        emit IZKMLRegistry.ModelDeprecated(id);
        registry.deprecateModel(id);
        bytes memory refused = abi.encodeWithSelector(IZKMLRegistry.ModelIsDeprecated.selector, id);
        vm.expectRevert(refused);
        registry.deprecateModel(id);
        vm.expectRevert(refused);
        registry.updateModel(id, commitment(2));
        (, bool deprecated,) = registry.getModel(id);
        assertTrue(deprecated && registry.verificationOf(id).deprecated, "deprecated");
        registry.getVersion(id, 1);
    }

    function test_ownershipTakesTwoSteps() external {
        uint256 id = register(ALICE, 1);
        vm.prank(ALICE);
        vm.expectEmit();
        emit IModelRegistry.ModelTransferOffered(id, ALICE, BOB);
        registry.offerModel(id, BOB);
        assertEq(registry.offeredTo(id), BOB, "offered");
        (,, address owner) = registry.getModel(id);
        assertEq(owner, ALICE, "still");
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotOffered.selector, id, address(this)));
        registry.acceptModel(id);
        vm.prank(BOB);
        vm.expectEmit();
        emit IModelRegistry.ModelTransferred(id, ALICE, BOB);
        registry.acceptModel(id);
        (,, owner) = registry.getModel(id);
        assertEq(owner, BOB, "owner");
        assertEq(registry.offeredTo(id), address(0), "used up");
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IZKMLRegistry.NotModelOwner.selector, id, ALICE));
        registry.deprecateModel(id);
        vm.prank(BOB);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotOffered.selector, id, BOB));
        registry.acceptModel(id);
    }

    function test_offersCanBeTakenBack() external {
        uint256 id = register(ALICE, 1);
        vm.startPrank(ALICE);
        registry.offerModel(id, BOB);
        registry.offerModel(id, address(0));
        vm.stopPrank();
        vm.prank(BOB);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotOffered.selector, id, BOB));
        registry.acceptModel(id);
        // nor does the zero address accept what was not offered
        vm.prank(address(0));
        registry.acceptModel(id);
    }

    function test_unknownModelsAndVersionsAreNamed() external {
        uint256 id = register(ALICE, 1);
        for (uint256 i = 0; i < 3; i++) {
            uint256 unknown = [uint256(0), id + 1, type(uint256).max][i];
            bytes memory refused = abi.encodeWithSelector(IZKMLRegistry.ModelNotFound.selector, unknown);
            vm.expectRevert(refused);
            registry.getModel(unknown);
            vm.expectRevert(refused);
            registry.verificationOf(unknown);
            vm.expectRevert(refused);
            registry.deprecateModel(unknown);
            vm.expectRevert(refused);
            registry.updateModel(unknown, commitment(1));
            vm.expectRevert(refused);
            registry.acceptModel(unknown);
        }
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.VersionNotFound.selector, id, 0));
        registry.getVersion(id, 0);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.VersionNotFound.selector, id, 2));
        registry.getVersion(id, 2);
    }

    function test_incompleteCommitmentsAreRefused() external {
        IZKMLRegistry.ModelCommitment memory c = commitment(1);
        c.vkHash = 0;
        vm.expectRevert(IModelRegistry.IncompleteCommitment.selector);
        registry.registerModel(c);
        c = commitment(1);
        c.proofSystemId = 0;
        vm.expectRevert(IModelRegistry.IncompleteCommitment.selector);
        registry.registerModel(c);
    }

    function test_developmentKeysStayAtHome() external {
        IModelRegistry.ModelDetails memory d = details(1);
        d.dev = true;
        registry.registerModelWithDetails(commitment(1), d);
        vm.chainId(1337);
        uint256 id = registry.registerModelWithDetails(commitment(1), d);
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnsafeDevelopmentKey.selector, 1));
        registry.registerModelWithDetails(commitment(1), d);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnsafeDevelopmentKey.selector, 1));
        registry.updateModelWithDetails(id, commitment(1), d);
        d.dev = false;
        registry.registerModelWithDetails(commitment(1), d);
    }

    function test_interfacesAreAnnounced() external view {
        assertTrue(registry.supportsInterface(type(IERC165).interfaceId), "ERC-165");
        assertTrue(registry.supportsInterface(type(IZKMLRegistry).interfaceId), "ERC-7992");
        assertTrue(registry.supportsInterface(type(IModelRegistry).interfaceId), "ours");
        assertTrue(!registry.supportsInterface(0xffffffff), "none");
    }

    function test_gas() external {
        register(ALICE, 1);
        vm.snapshotGasLastCall("register, uri of 68 bytes");
    }
}

/// @dev Random owners do random things to random models; ghosts keep account of what must hold.
contract RegistryHandler is Test {
    ModelRegistry public registry = new ModelRegistry();
    address[3] internal owners = [address(0xA), address(0xB), address(0xC)];
    mapping(uint256 id => address) public owner;
    mapping(uint256 id => address) internal offered;
    mapping(uint256 id => bytes32[]) internal versions;
    mapping(uint256 id => bool) public deprecated;
    uint256 public models;
    uint256 public refusals;

    function commitment(uint256 seed) internal pure returns (IZKMLRegistry.ModelCommitment memory) {
        return IZKMLRegistry.ModelCommitment(
            bytes32(seed), bytes32(seed), keccak256(abi.encode(seed)), bytes4(keccak256("groth16-bn254-v1")), "uri"
        );
    }

    function versionsOf(uint256 id) external view returns (bytes32[] memory) {
        return versions[id];
    }

    function register(uint256 who, uint256 seed) external {
        vm.prank(owners[who % 3]);
        uint256 id = registry.registerModel(commitment(seed));
        models++;
        require(id == models, "number");
        owner[id] = owners[who % 3];
        versions[id].push(keccak256(abi.encode(seed)));
    }

    function update(uint256 who, uint256 id, uint256 seed) external {
        if (models == 0) return;
        id = 1 + id % models;
        vm.prank(owners[who % 3]);
        try registry.updateModel(id, commitment(seed)) {
            require(owner[id] == owners[who % 3] && !deprecated[id], "an update that must be refused");
            versions[id].push(keccak256(abi.encode(seed)));
        } catch {
            require(owner[id] != owners[who % 3] || deprecated[id], "an update that must not be refused");
            refusals++;
        }
    }

    function deprecate(uint256 who, uint256 id) external {
        if (models == 0) return;
        id = 1 + id % models;
        vm.prank(owners[who % 3]);
        try registry.deprecateModel(id) {
            require(owner[id] == owners[who % 3] && !deprecated[id], "a deprecation that must be refused");
            deprecated[id] = true;
        } catch {
            refusals++;
        }
    }

    function offer(uint256 who, uint256 id, uint256 to) external {
        if (models == 0) return;
        id = 1 + id % models;
        vm.prank(owners[who % 3]);
        try registry.offerModel(id, owners[to % 3]) {
            require(owner[id] == owners[who % 3], "an offer that must be refused");
            offered[id] = owners[to % 3];
        } catch {
            refusals++;
        }
    }

    function accept(uint256 who, uint256 id) external {
        if (models == 0) return;
        id = 1 + id % models;
        vm.prank(owners[who % 3]);
        try registry.acceptModel(id) {
            require(offered[id] == owners[who % 3], "an acceptance that must be refused");
            owner[id] = owners[who % 3];
            offered[id] = address(0);
        } catch {
            refusals++;
        }
    }
}

contract ModelRegistryInvariants is Test {
    RegistryHandler internal handler;

    function setUp() public {
        handler = new RegistryHandler();
        targetContract(address(handler));
    }

    function invariant_modelsHaveTheOwnersThatAccepted() external view {
        ModelRegistry registry = handler.registry();
        for (uint256 id = 1; id <= handler.models(); id++) {
            (, bool deprecated, address owner) = registry.getModel(id);
            assertEq(owner, handler.owner(id), "owner");
            assertTrue(deprecated == handler.deprecated(id), "deprecated");
        }
        assertEq(registry.modelCount(), handler.models(), "count");
    }

    function invariant_versionsAreNeitherLostNorChanged() external view {
        ModelRegistry registry = handler.registry();
        for (uint256 id = 1; id <= handler.models(); id++) {
            bytes32[] memory versions = handler.versionsOf(id);
            assertEq(registry.versionCount(id), versions.length, "count");
            for (uint256 v = 0; v < versions.length; v++) {
                (IZKMLRegistry.ModelCommitment memory c,,) = registry.getVersion(id, v + 1);
                assertEq(c.vkHash, versions[v], "version");
            }
            assertEq(registry.verificationOf(id).vkHash, versions[versions.length - 1], "current");
        }
    }
}
