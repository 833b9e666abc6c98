// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @dev The cheat codes of forge that the tests use.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function assume(bool condition) external pure;
    function chainId(uint256 id) external;
    function deal(address who, uint256 amount) external;
    function etch(address target, bytes calldata code) external;
    function expectEmit() external;
    function expectPartialRevert(bytes4 selector) external;
    function expectRevert() external;
    function expectRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
    function getRecordedLogs() external returns (Log[] memory);
    function prank(address from) external;
    function recordLogs() external;
    function setNonce(address account, uint64 nonce) external;
    function snapshotGasLastCall(string calldata name) external returns (uint256);
    function startPrank(address from) external;
    function stopPrank() external;
    function warp(uint256 time) external;
}

/// @dev What every test of contracts needs; forge-std is not on npm.
abstract contract Test {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    address[] private targets;

    /// @dev Forge reads it before invariant tests: contracts that random calls go to.
    function targetContracts() public view returns (address[] memory) {
        return targets;
    }

    function targetContract(address target) internal {
        targets.push(target);
    }

    function assertTrue(bool condition, string memory what) internal pure {
        require(condition, what);
    }

    function assertEq(uint256 a, uint256 b, string memory what) internal pure {
        require(a == b, what);
    }

    function assertEq(bytes32 a, bytes32 b, string memory what) internal pure {
        require(a == b, what);
    }

    function assertEq(address a, address b, string memory what) internal pure {
        require(a == b, what);
    }

    function assertEq(int256 a, int256 b, string memory what) internal pure {
        require(a == b, what);
    }

    function assertEq(bytes memory a, bytes memory b, string memory what) internal pure {
        require(keccak256(a) == keccak256(b), what);
    }

    /// @dev A number in [lo, hi] that depends on x.
    function bound(uint256 x, uint256 lo, uint256 hi) internal pure returns (uint256) {
        return lo + (hi - lo == type(uint256).max ? x : x % (hi - lo + 1));
    }
}
