// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {AgentValidator} from "../adapters/AgentValidator.sol";
import {ProvedContent} from "../adapters/ProvedContent.sol";
import {IERC7007} from "../interfaces/IERC7007.sol";
import {IERC8004Validation} from "../interfaces/IERC8004Validation.sol";
import {IInferenceVerifier} from "../interfaces/IInferenceVerifier.sol";
import {IKeyVerifier} from "../interfaces/IKeyVerifier.sol";
import {IZKMLVerifier} from "../interfaces/IZKMLVerifier.sol";
import {World} from "./support/World.sol";

contract Content is ProvedContent {
    constructor(IInferenceVerifier verifier, uint256 modelId) ProvedContent(verifier, modelId) {}

    function _requireToken(uint256 tokenId) internal pure override {
        require(tokenId == 1, "no such token");
    }
}

/// @dev ERC-8004's validation registry, as far as a validator sees it.
contract ValidationRegistry is IERC8004Validation {
    struct Status {
        address validator;
        uint256 agentId;
        uint8 response;
        bytes32 responseHash;
        string tag;
        uint256 lastUpdate;
    }

    mapping(bytes32 requestHash => Status) internal statuses;

    function validationRequest(address validator, uint256 agentId, string calldata, bytes32 requestHash) external {
        (statuses[requestHash].validator, statuses[requestHash].agentId) = (validator, agentId);
    }

    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata,
        bytes32 responseHash,
        string calldata tag
    ) external {
        Status storage s = statuses[requestHash];
        require(s.validator == msg.sender && response <= 100, "not the validator");
        (s.response, s.responseHash, s.tag, s.lastUpdate) = (response, responseHash, tag, block.timestamp);
    }

    function getValidationStatus(bytes32 requestHash)
        external
        view
        returns (address, uint256, uint8, bytes32, string memory, uint256)
    {
        Status memory s = statuses[requestHash];
        return (s.validator, s.agentId, s.response, s.responseHash, s.tag, s.lastUpdate);
    }
}

contract AdaptersTest is World {
    Content internal content;
    AgentValidator internal validator;
    ValidationRegistry internal validations;
    bytes internal output;
    bytes internal input;

    function setUp() public override {
        super.setUp();
        content = new Content(inference, compressedModel);
        validations = new ValidationRegistry();
        validator = new AgentValidator(validations, inference);
        (output, input) = (pattern(12, 1), pattern(20, 2));
    }

    function contentProof() internal view returns (bytes memory) {
        IInferenceVerifier.InferenceProof memory p = proveCompressed(compressedKey, "ctx", none(), output, input);
        return abi.encode(p.points, p.commitments, p.y, p.ctx);
    }

    function test_contentHasTheStandardsInterface() external pure {
        assertTrue(type(IERC7007).interfaceId == 0x702c55a6, "ERC-7007");
    }

    function test_provedContentIsAdded() external {
        bytes memory proof = contentProof();
        assertTrue(content.verify(input, output, proof), "verify");
        vm.expectEmit();
        emit IERC7007.AigcData(1, input, output, proof);
        content.addAigcData(1, input, output, proof);
        vm.expectRevert("no such token");
        content.addAigcData(2, input, output, proof);
    }

    function test_otherContentIsNot() external {
        bytes memory proof = contentProof();
        assertTrue(!content.verify(input, pattern(12, 9), proof), "other output");
        assertTrue(!content.verify(input, pattern(11, 1), proof), "shorter output");
        assertTrue(!content.verify(pattern(20, 9), output, proof), "other prompt");
        vm.expectRevert(ProvedContent.ContentNotProved.selector);
        content.addAigcData(1, pattern(20, 9), output, proof);
    }

    function test_whatWasNotDecidedReverts() external {
        bytes memory proof = contentProof();
        for (uint256 gas = 60_000; gas < 400_000; gas += 10_000) {
            try content.verify{gas: gas}(input, output, proof) returns (bool success) {
                assertTrue(success, "valid content was called invalid");
            } catch (bytes memory reason) {
                assertTrue(
                    reason.length == 0 || bytes4(reason) == IKeyVerifier.InsufficientGas.selector, "another error"
                );
            }
        }
        vm.prank(OWNER);
        registry.deprecateModel(compressedModel);
        vm.expectPartialRevert(IZKMLVerifier.VerificationRefused_ModelDeprecated.selector);
        content.verify(input, output, proof);
    }

    function test_validatesWhatWasProved() external {
        IInferenceVerifier.InferenceProof memory p = proveCompressed(compressedKey, "ctx", none(), output, input);
        bytes32 c = inference.inputCommitmentOf(compressedModel, p.ctx, p.commitments, p.input);
        bytes32 requestHash = keccak256(abi.encodePacked(compressedModel, c, output));
        validations.validationRequest(address(validator), 7, "ipfs://request", requestHash);
        validator.respond(requestHash, compressedModel, c, output, abi.encode(p), "ipfs://proof");
        (address v, uint256 agent, uint8 response, bytes32 hash, string memory tag,) =
            validations.getValidationStatus(requestHash);
        assertEq(v, address(validator), "validator");
        assertEq(agent, 7, "agent");
        assertEq(response, 100, "response");
        assertEq(hash, keccak256(abi.encode(p)), "hash");
        assertEq(bytes(tag), "zkml-groth16", "tag");
    }

    function test_validatesNothingElse() external {
        IInferenceVerifier.InferenceProof memory p = proveCompressed(compressedKey, "ctx", none(), output, input);
        bytes32 c = inference.inputCommitmentOf(compressedModel, p.ctx, p.commitments, p.input);
        bytes32 requestHash = keccak256(abi.encodePacked(compressedModel, c, output));
        // a valid proof for somebody else's request
        bytes32 other = keccak256("another request");
        validations.validationRequest(address(validator), 7, "", other);
        vm.expectRevert(abi.encodeWithSelector(AgentValidator.OtherInference.selector, other, requestHash));
        validator.respond(other, compressedModel, c, output, abi.encode(p), "");
        // a request for the inference that was claimed, without a proof
        bytes memory lie = pattern(12, 9);
        bytes32 claimed = keccak256(abi.encodePacked(compressedModel, c, lie));
        validations.validationRequest(address(validator), 7, "", claimed);
        vm.expectRevert(IZKMLVerifier.InvalidProof.selector);
        validator.respond(claimed, compressedModel, c, lie, abi.encode(p), "");
        // a request that names another validator
        vm.expectRevert("not the validator");
        validator.respond(requestHash, compressedModel, c, output, abi.encode(p), "");
    }
}
