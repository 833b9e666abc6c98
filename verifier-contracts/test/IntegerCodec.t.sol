// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IntegerCodec} from "../libraries/IntegerCodec.sol";
import {Vectors} from "./generated/Vectors.sol";
import {Test} from "./support/Test.sol";

/// @dev The library as a contract.
contract Codec {
    function widthOf(int256 lo, int256 hi) external pure returns (uint256) {
        return IntegerCodec.widthOf(lo, hi);
    }

    function encode(int256[] memory elements, int256 lo, int256 hi) external pure returns (bytes memory) {
        return IntegerCodec.encode(elements, lo, hi);
    }

    function decode(bytes calldata data, int256 lo, int256 hi) external pure returns (int256[] memory) {
        return IntegerCodec.decode(data, lo, hi);
    }

    function elementAt(bytes calldata data, uint256 i, uint256 width, int256 lo) external pure returns (int256) {
        return IntegerCodec.elementAt(data, i, width, lo);
    }

    function argmax(bytes calldata data, uint256 width) external pure returns (uint256) {
        return IntegerCodec.argmax(data, width);
    }
}

contract IntegerCodecTest is Test {
    Codec internal codec;

    function setUp() public {
        codec = new Codec();
    }

    /// @dev Bounds of up to 31 bytes anywhere among the integers, and elements within them.
    function tensor(uint256 seed, uint256 count)
        internal
        pure
        returns (int256[] memory elements, int256 lo, int256 hi)
    {
        uint256 span = uint256(keccak256(abi.encode(seed))) >> (8 + uint256(keccak256(abi.encode(seed, 1))) % 248);
        uint256 from = uint256(keccak256(abi.encode(seed, 2)));
        unchecked {
            lo = int256(from);
            if (lo > type(int256).max - int256(span)) lo -= int256(span);
            hi = lo + int256(span);
            elements = new int256[](count);
            for (uint256 i = 0; i < count; i++) {
                elements[i] = lo + int256(uint256(keccak256(abi.encode(seed, 3, i))) % (span + 1));
            }
        }
    }

    function testFuzz_decodingUndoesEncoding(uint256 seed, uint256 count) external view {
        (int256[] memory elements, int256 lo, int256 hi) = tensor(seed, bound(count, 0, 20));
        bytes memory data = codec.encode(elements, lo, hi);
        uint256 width = codec.widthOf(lo, hi);
        assertEq(data.length, width * elements.length, "length");
        int256[] memory decoded = codec.decode(data, lo, hi);
        for (uint256 i = 0; i < elements.length; i++) {
            assertEq(decoded[i], elements[i], "decode");
            assertEq(codec.elementAt(data, i, width, lo), elements[i], "elementAt");
        }
    }

    function testFuzz_bytesThatDecodeAreEncodedAgain(bytes memory data, uint256 seed) external view {
        (, int256 lo, int256 hi) = tensor(seed, 0);
        try codec.decode(data, lo, hi) returns (int256[] memory elements) {
            assertEq(codec.encode(elements, lo, hi), data, "two codes for one tensor");
        } catch (bytes memory reason) {
            assertTrue(
                bytes4(reason) == IntegerCodec.NonCanonicalElement.selector
                    || bytes4(reason) == IntegerCodec.TensorLength.selector,
                "another error"
            );
        }
    }

    function testFuzz_theWidthIsTheLeast(uint256 seed) external view {
        (, int256 lo, int256 hi) = tensor(seed, 0);
        uint256 width = codec.widthOf(lo, hi);
        unchecked {
            uint256 span = uint256(hi) - uint256(lo);
            assertTrue(width >= 1 && width <= 31 && span >> (8 * width) == 0, "too narrow");
            assertTrue(width == 1 || span >> (8 * (width - 1)) != 0, "too wide");
        }
    }

    function testFuzz_argmaxIsTheFirstLargest(uint256 seed, uint256 count) external view {
        (int256[] memory elements, int256 lo, int256 hi) = tensor(seed, bound(count, 1, 12));
        if (seed % 2 == 0) elements[elements.length / 2] = elements[0];
        uint256 best = 0;
        for (uint256 i = 1; i < elements.length; i++) {
            if (elements[i] > elements[best]) best = i;
        }
        assertEq(codec.argmax(codec.encode(elements, lo, hi), codec.widthOf(lo, hi)), best, "argmax");
    }

    function test_equalsTypeScript() external view {
        for (uint256 i = 0; i < Vectors.CODEC; i++) {
            (bytes memory words, int256 lo, int256 hi, uint256 width, bytes memory data, uint256 length) =
                Vectors.codec(i);
            assertEq(codec.widthOf(lo, hi), width, "width");
            assertEq(data.length, length, "length");
            int256[] memory elements = codec.decode(data, lo, hi);
            assertEq(abi.encodePacked(elements), words, "decode");
            assertEq(codec.encode(elements, lo, hi), data, "encode");
        }
    }

    function test_boundsHaveBounds() external {
        vm.expectRevert(abi.encodeWithSelector(IntegerCodec.BoundsOutOfRange.selector, int256(1), int256(0)));
        codec.widthOf(1, 0);
        vm.expectRevert(abi.encodeWithSelector(IntegerCodec.BoundsOutOfRange.selector, int256(0), int256(1 << 248)));
        codec.widthOf(0, 1 << 248);
        vm.expectPartialRevert(IntegerCodec.BoundsOutOfRange.selector);
        codec.widthOf(type(int256).min, type(int256).max);
        assertEq(codec.widthOf(0, (1 << 248) - 1), 31, "widest");
        assertEq(codec.widthOf(-7, -7), 1, "narrowest");
        assertEq(codec.widthOf(-128, 128), 2, "signed");
    }

    function test_elementsOutsideAreRefused() external {
        int256[] memory elements = new int256[](2);
        elements[1] = 4;
        vm.expectRevert(abi.encodeWithSelector(IntegerCodec.ElementOutOfRange.selector, 1, int256(4)));
        codec.encode(elements, -3, 3);
        elements[1] = -4;
        vm.expectRevert(abi.encodeWithSelector(IntegerCodec.ElementOutOfRange.selector, 1, int256(-4)));
        codec.encode(elements, -3, 3);
    }

    function test_bytesThatAreNoTensorAreRefused() external {
        vm.expectRevert(abi.encodeWithSelector(IntegerCodec.NonCanonicalElement.selector, 1, 7));
        codec.decode(hex"0007", -3, 3);
        vm.expectRevert(abi.encodeWithSelector(IntegerCodec.TensorLength.selector, 3, 2));
        codec.decode(hex"000000", 0, 300);
        vm.expectRevert(abi.encodeWithSelector(IntegerCodec.TensorLength.selector, 3, 2));
        codec.argmax(hex"000000", 2);
        vm.expectRevert(abi.encodeWithSelector(IntegerCodec.TensorLength.selector, 0, 2));
        codec.argmax("", 2);
        vm.expectRevert(abi.encodeWithSelector(IntegerCodec.TensorLength.selector, 4, 2));
        codec.elementAt(hex"00000000", 2, 2, 0);
        vm.expectRevert(abi.encodeWithSelector(IntegerCodec.TensorLength.selector, 4, 0));
        codec.elementAt(hex"00000000", 0, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IntegerCodec.TensorLength.selector, 64, 32));
        codec.elementAt(new bytes(64), 0, 32, 0);
    }
}
