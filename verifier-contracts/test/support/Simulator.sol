// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @dev Groth16 keys with known secrets, and proofs of any statement under them: with the secrets, C can be solved for.
/// All keys have the same alpha, beta and gamma, as those of one phase 1 do. Points of G2 are here as constants;
/// {checkConstants} shows by pairings that they are the multiples that they are said to be.
library Simulator {
    uint256 internal constant Q = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;
    uint256 internal constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    uint256 internal constant ALPHA = uint256(keccak256("alpha")) % R;
    uint256 internal constant BETA = 7;
    uint256 internal constant GAMMA = 11;

    /// @dev A key is told by its delta, 0 to 3, its number of signals, and what its IC are drawn from.
    struct Key {
        uint256 delta;
        uint256 n;
        uint256 salt;
    }

    function deltaOf(uint256 i) internal pure returns (uint256) {
        return [uint256(13), 17, 19, 23][i % 4];
    }

    function bOf(uint256 i) internal pure returns (uint256) {
        return [uint256(101), 103][i % 2];
    }

    function icOf(Key memory key, uint256 i) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(key.salt, i))) % R;
    }

    /// @dev s times the generator of G2 as x1, x0, y1, y0, for the few s that are used.
    function g2(uint256 s) internal pure returns (uint256[4] memory) {
        if (s == 1) {
            return [
                0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2,
                0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed,
                0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b,
                0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa
            ];
        }
        if (s == 7) {
            return [
                0x2903ba015a9abde26a5d081e84551e63be0fd4516e46ee6d593edeba46362455,
                0x224bdc5d4327fcf8ed702e01de1c2f1657a253ba75e32a89c390142aaa28b308,
                0x03c8b7cda6b2dedb7aeeaf5fda464ad17036bea1c4e6f7adbaed1ebe0335e0d8,
                0x1d92fff52a265017eeccb372e37d7a7bd431800eca28dfd82e21e8054114233f
            ];
        }
        if (s == 11) {
            return [
                0x228b515a17f28b89920873207477f8c7fc05582debaf3184febf1cfdedc5ce88,
                0x12bb1156a9f6b360fcb2614e15d8a3ff07f2c699dc69ca830b20d2df91fe9cd3,
                0x2b15dc62a5c9e36597914ddbbfde48806a8eabe45c8d3cccf9578ad08e058f92,
                0x02a4fd764f52470e2fcfff325fb9692f55d6b8b077eefeaa04e07152b4d1fa94
            ];
        }
        if (s == 13) {
            return [
                0x009edaf0698a8c56f51139588acc094cee3c37d427bb6d2eab830aae529097d1,
                0x23ad66f3a7cca9dc75049635faebd124316244b91de5fb2764cd151572a905f7,
                0x2700e8a29b7bb45f3022a18a07bdc66d0254559e17cce64e3b4ad21578fcf410,
                0x1ad4f87d3b4375a39988ac099b042b1e7c0c715678e4c2bea8905f607cf950f8
            ];
        }
        if (s == 17) {
            return [
                0x227071bba5ff3b47ed8b504bb5b215bc701d7a3259b933bff1a4164eae499c2c,
                0x0c51a367b61d3119677b29739ddccbb78002b5558d8f49ff16e299c1b41f8098,
                0x08bb188b2a6187bb1e87834c85a6a917763d65b98febf2c45ea339dd77fac415,
                0x18fd2fd13be8494c39e8a91325d1ef3ba7d1a205d10788e38bc9e09d9be87769
            ];
        }
        if (s == 19) {
            return [
                0x25407be35f18c6594174374841311466c0e66ff003762448c06bca4fa5e9c54e,
                0x15cbba9ab73bc73d0ba4ad132a15cb0c73107a9c19b040c4c73d89f6bf75404d,
                0x1edef86c1a42fa85ab6ae8d268a7e9b46890b2130dd83b91c86c504cf1f93fbf,
                0x2c750c045112e4ab07f18b12475309cebdcb726bda1ca9948bacd498a28cf411
            ];
        }
        if (s == 23) {
            return [
                0x20aed49b057e12a470c54516c18d054a34c29b54f19f28f2ca16a1d6fae791cc,
                0x22f6d37939602e288847e4f9e2a0ed45ac540928172af7362ee7142cbaf32ae9,
                0x22e59db5f68e34350a3b74b87e4e89f491caafdeb348d777b4ec6ee2aec87a42,
                0x0c0f54d50730e7973babf92db45e2d0bfb38a861c0803da6a91f84054090ed69
            ];
        }
        if (s == 101) {
            return [
                0x07dcd04b153db22701ea6bf5a7b8b75a27b3acd7fb6be9d4a9773431932a5fc9,
                0x2de75d4ebe570f6a347061f637c00c154d9bfed1ff45ad50f5a287c135f52b8c,
                0x24b58d3e97086c59b169847728611040e9f3ee4e16e14c6b24366b398559bac6,
                0x1aec76340ca73f8794ca55a60dba664148de588dc4f25989afc75ae40f20f803
            ];
        }
        require(s == 103, "no such multiple");
        return [
            0x1e93c5d5e3826db6f134be26370670773e655682af85257716e506c08afa9f4d,
            0x026f2a51664abd5df20806b106ae16658935d0809aa0e0ef1dd70bc2c58b5c5c,
            0x23a8a7e489423bcd1b057d39505d314ab3519d6bfcf56496c5d40a74236b36f9,
            0x00edec27fdfdfb0691bd86dfae9a6d2421109ae91e433761f258beb6fac2bac5
        ];
    }

    /// @dev s times the generator of G1.
    function g1(uint256 s) internal view returns (uint256[2] memory p) {
        return mul([uint256(1), 2], s);
    }

    function mul(uint256[2] memory p, uint256 s) internal view returns (uint256[2] memory q) {
        (bool success, bytes memory data) = address(7).staticcall(abi.encode(p, s));
        require(success, "ecMul");
        return abi.decode(data, (uint256[2]));
    }

    function add(uint256[2] memory p, uint256[2] memory q) internal view returns (uint256[2] memory) {
        (bool success, bytes memory data) = address(6).staticcall(abi.encode(p, q));
        require(success, "ecAdd");
        return abi.decode(data, (uint256[2]));
    }

    function negate(uint256[2] memory p) internal pure returns (uint256[2] memory) {
        return [p[0], (Q - p[1]) % Q];
    }

    function negate(uint256[4] memory p) internal pure returns (uint256[4] memory) {
        return [p[0], p[1], (Q - p[2]) % Q, (Q - p[3]) % Q];
    }

    function invert(uint256 x) internal view returns (uint256) {
        (, bytes memory data) = address(5).staticcall(abi.encode(32, 32, 32, x, R - 2, R));
        return abi.decode(data, (uint256));
    }

    /// @dev Words of the whole key as UniversalVerifier stores it.
    function words(Key memory key) internal view returns (uint256[] memory all) {
        all = new uint256[](16 + 2 * key.n);
        uint256[10] memory phase = phaseOne();
        for (uint256 i = 0; i < 10; i++) {
            all[i] = phase[i];
        }
        uint256[] memory rest = phaseTwo(key);
        for (uint256 i = 0; i < rest.length; i++) {
            all[10 + i] = rest[i];
        }
    }

    /// @dev alpha, beta, gamma.
    function phaseOne() internal view returns (uint256[10] memory all) {
        (all[0], all[1]) = (g1(ALPHA)[0], g1(ALPHA)[1]);
        (uint256[4] memory beta, uint256[4] memory gamma) = (g2(BETA), g2(GAMMA));
        for (uint256 i = 0; i < 4; i++) {
            (all[2 + i], all[6 + i]) = (beta[i], gamma[i]);
        }
    }

    /// @dev delta and IC: the key as PhaseOneVerifier stores it.
    function phaseTwo(Key memory key) internal view returns (uint256[] memory all) {
        all = new uint256[](6 + 2 * key.n);
        uint256[4] memory delta = g2(deltaOf(key.delta));
        for (uint256 i = 0; i < 4; i++) {
            all[i] = delta[i];
        }
        for (uint256 i = 0; i <= key.n; i++) {
            uint256[2] memory p = g1(icOf(key, i));
            (all[4 + 2 * i], all[5 + 2 * i]) = (p[0], p[1]);
        }
    }

    function hash(Key memory key) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(words(key)));
    }

    /// @dev A proof for signals, which are taken mod R; another one for every seed.
    function prove(Key memory key, uint256[] memory signals, uint256 seed) internal view returns (uint256[8] memory) {
        uint256 a = 1 + uint256(keccak256(abi.encode("a", seed))) % (R - 1);
        uint256 b = bOf(seed);
        uint256 x = icOf(key, 0);
        for (uint256 i = 0; i < key.n; i++) {
            x = addmod(x, mulmod(signals[i], icOf(key, i + 1), R), R);
        }
        // c · delta = a · b - alpha · beta - x · gamma
        uint256 c = addmod(mulmod(a, b, R), R - mulmod(ALPHA, BETA, R), R);
        c = mulmod(addmod(c, R - mulmod(x, GAMMA, R), R), invert(deltaOf(key.delta)), R);
        return assemble(g1(a), g2(b), g1(c));
    }

    function assemble(uint256[2] memory a, uint256[4] memory b, uint256[2] memory c)
        internal
        pure
        returns (uint256[8] memory)
    {
        return [a[0], a[1], b[0], b[1], b[2], b[3], c[0], c[1]];
    }

    /// @dev Signals below R that depend on a seed; every fourth is a small or a large one.
    function drawSignals(uint256 n, uint256 seed) internal pure returns (uint256[] memory all) {
        all = new uint256[](n);
        for (uint256 i = 0; i < n; i++) {
            uint256 h = uint256(keccak256(abi.encode("signal", seed, i)));
            all[i] = h % 8 == 0 ? h % 3 : h % 8 == 1 ? R - 1 - h % 3 : h % R;
        }
    }

    /// @dev Whether g2(s) is s times the generator: e(s · G1, G2) = e(G1, g2(s)).
    function checkConstants(uint256 s) internal view returns (bool) {
        (bool success, bytes memory data) =
            address(8).staticcall(abi.encode(g1(s), g2(1), negate([uint256(1), 2]), g2(s)));
        return success && abi.decode(data, (bool));
    }
}
