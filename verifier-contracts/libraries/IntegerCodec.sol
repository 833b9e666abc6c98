// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title Integers of a tensor as bytes
/// @notice A tensor whose elements lie in [lo, hi] is the concatenation of its elements in row-major order, each as
/// element - lo in `width` bytes, big-endian, with the least width, from 1 to 31, in which hi - lo fits. Bytes and
/// integers determine each other as long as no element exceeds hi, which proofs guarantee and {decode} checks.
/// @dev The same codec as `circuits/compression.ts` and the circuits themselves; docs/input-compression.md specifies it.
library IntegerCodec {
    // Differences are taken mod 2^256, where they are right whatever the signs: hi - lo < 2^248.
    // forge-lint: disable-start(unsafe-typecast)

    /// @notice The bounds are those of no tensor: lo > hi, or hi - lo needs more than 31 bytes.
    error BoundsOutOfRange(int256 lo, int256 hi);

    /// @notice An element is not in [lo, hi].
    error ElementOutOfRange(uint256 index, int256 element);

    /// @notice The bytes of an element stand for more than hi, hence for no element.
    error NonCanonicalElement(uint256 index, uint256 digits);

    /// @notice The number of bytes is no multiple of the width, or ends before the element that was asked for.
    error TensorLength(uint256 length, uint256 width);

    /// @notice Bytes that each element in [lo, hi] takes, from 1 to 31.
    function widthOf(int256 lo, int256 hi) internal pure returns (uint256 width) {
        unchecked {
            // Wraps to the true difference where it exceeds int256.
            uint256 span = uint256(hi) - uint256(lo);
            if (lo > hi || span >> 248 != 0) revert BoundsOutOfRange(lo, hi);
            width = 1;
            while (span >> (8 * width) != 0) width++;
        }
    }

    /// @notice Element `index` of a tensor, lo plus its digits. It is at most hi if the bytes come from a proof.
    /// @param data The tensor's bytes and nothing before them.
    /// @param width From {widthOf}, in [1, 31].
    function elementAt(bytes calldata data, uint256 index, uint256 width, int256 lo) internal pure returns (int256) {
        return lo + int256(digitsAt(data, index, width));
    }

    /// @notice Digits of element `index`, element - lo. Within one tensor they compare as the elements do.
    function digitsAt(bytes calldata data, uint256 index, uint256 width) internal pure returns (uint256 digits) {
        if (width == 0 || width > 31 || index >= data.length / width) revert TensorLength(data.length, width);
        assembly ("memory-safe") {
            digits := shr(sub(256, shl(3, width)), calldataload(add(data.offset, mul(index, width))))
        }
    }

    /// @notice Index of the first largest element of a tensor with at least one element: the class that a classifier's
    /// scores name.
    function argmax(bytes calldata data, uint256 width) internal pure returns (uint256 index) {
        uint256 largest = digitsAt(data, 0, width);
        if (data.length % width != 0) revert TensorLength(data.length, width);
        uint256 count = data.length / width;
        for (uint256 i = 1; i < count; i++) {
            uint256 digits = digitsAt(data, i, width);
            if (digits > largest) (largest, index) = (digits, i);
        }
    }

    /// @notice The bytes of a tensor.
    function encode(int256[] memory elements, int256 lo, int256 hi) internal pure returns (bytes memory data) {
        uint256 width = widthOf(lo, hi);
        data = new bytes(elements.length * width);
        for (uint256 i = 0; i < elements.length; i++) {
            int256 element = elements[i];
            if (element < lo || element > hi) revert ElementOutOfRange(i, element);
            unchecked {
                uint256 digits = uint256(element) - uint256(lo);
                for (uint256 k = 0; k < width; k++) {
                    data[i * width + k] = bytes1(uint8(digits >> (8 * (width - 1 - k))));
                }
            }
        }
    }

    /// @notice The elements of a tensor, each checked to lie in [lo, hi].
    function decode(bytes calldata data, int256 lo, int256 hi) internal pure returns (int256[] memory elements) {
        uint256 width = widthOf(lo, hi);
        if (data.length % width != 0) revert TensorLength(data.length, width);
        elements = new int256[](data.length / width);
        for (uint256 i = 0; i < elements.length; i++) {
            uint256 digits = digitsAt(data, i, width);
            unchecked {
                if (digits > uint256(hi) - uint256(lo)) revert NonCanonicalElement(i, digits);
                elements[i] = int256(uint256(lo) + digits);
            }
        }
    }

    // forge-lint: disable-end(unsafe-typecast)
}
