/**
 * A test in Solidity to ship with a generated verifier: an honest proof must pass, its corruptions must not. It catches
 * a wrong order of public signals or G2 limbs, which no compiler can.
 * @module
 */
import { getAddress } from 'ethers'
import { R } from '../groth16/bn254.ts'
import type { Proof } from '../groth16/keys.ts'
import { COMPRESSED_SIGNALS } from '../visibility.ts'
import { inputWords, proofWords, wordHex } from './calldata.ts'
import type { Compressed } from './compression.ts'
import { MAX_INPUTS_IN_CODE } from './verifier.ts'

/** Inputs that the test of a large verifier changes, first and last among them: all would take 10⁹ gas and more. */
const INPUTS_CHANGED = 16

/**
 * Solidity source of contract `NAMETest`, to be appended to (or compiled with) the source of contract NAME. Forge runs
 * its functions `test_…` as they are; a plain call of each works as well. They revert on failure. Every input is changed
 * in turn, up to {@link MAX_INPUTS_IN_CODE}; with more it is 16 of them, spread evenly, and the test contract, which has
 * the verifier's init code in its own, soon is larger than chains allow: forge allows it, anvil does with
 * `--disable-code-size-limit`.
 *
 * A proof of compressed tensors is for one contract on one chain, so its test moves there by forge's cheat codes, and runs in
 * forge alone.
 *
 * @param contractName name that the verifier was generated with
 * @param proof an honest proof
 * @param publicSignals its public signals, in wire order
 * @param compressed what goes with a proof of compressed tensors
 * @throws CalldataRangeError if proof or signals are out of range
 */
export function generateVerifierTest(
  contractName: string,
  proof: Proof,
  publicSignals: readonly bigint[],
  compressed?: Compressed,
): string {
  if (compressed !== undefined) return compressedTest(contractName, proof, publicSignals, compressed)
  const inputs = inputWords(publicSignals)
  const n = inputs.length
  // Memory is never freed, so the words are decoded once and put right again after each change.
  const eachInput = (change: string, restore: string, failure: string): string => {
    const [count, i] = n <= MAX_INPUTS_IN_CODE ? [n, 'i'] : [INPUTS_CHANGED, `(i * ${n - 1}) / ${INPUTS_CHANGED - 1}`]
    return `        (uint256[8] memory p, uint256[${n}] memory x) = (honestProof(), honestInput());
        for (uint256 i = 0; i < ${count}; i++) {
            x[${i}] ${change};
            require(!verifier.verifyProof(p, x), "${failure}");
            x[${i}] ${restore};
        }`
  }
  return `
/// @title Fixture test of ${contractName}: one honest proof and its corruptions
contract ${contractName}Test {
    uint256 private constant R = ${wordHex(R)};
    ${contractName} private immutable verifier = new ${contractName}();

    function honestProof() private pure returns (uint256[8] memory) {
${decode(proofWords(proof))}
    }

    function honestInput() private pure returns (uint256[${n}] memory) {
${decode(inputs)}
    }

    function test_acceptsHonestProof() external view {
        require(verifier.verifyProof(honestProof(), honestInput()), "honest proof refused");
    }

    function test_refusesChangedProof() external view {
        (uint256[8] memory p, uint256[${n}] memory x) = (honestProof(), honestInput());
        for (uint256 i = 0; i < 8; i++) {
            p[i] ^= 1;
            require(!verifier.verifyProof(p, x), "changed proof accepted");
            p[i] ^= 1;
        }
    }

    function test_refusesChangedInput() external view {
${eachInput('^= 1', '^= 1', 'changed input accepted')}
    }

    function test_refusesAliasedInput() external view {
${eachInput('+= R', '-= R', 'input of r or more accepted')}
    }
}
`
}

/** Data to decode rather than an assignment for each word, which solc takes ten seconds and more to compile. */
const decode = (words: readonly bigint[]): string => {
  const hex = words.map((word) => wordHex(word).slice(2))
  return `        return abi.decode(
            hex"${hex.join('"\n            hex"')}",
            (uint256[${words.length}])
        );`
}

/** Bytes as a literal, 32 on a line. */
const literal = (bytes: Uint8Array): string =>
  (
    Buffer.from(bytes)
      .toString('hex')
      .match(/.{1,64}/g) ?? ['']
  )
    .map((line) => `hex"${line}"`)
    .join('\n            ')

function compressedTest(
  contractName: string,
  proof: Proof,
  publicSignals: readonly bigint[],
  { chainId, contract, ctx, x }: Compressed,
): string {
  const inputs = inputWords(publicSignals)
  const commitments = inputs.slice(COMPRESSED_SIGNALS)
  return `
interface CheatCodes {
    function etch(address target, bytes calldata code) external;
    function chainId(uint256 id) external;
}

/// @title Fixture test of ${contractName}: one honest proof and its corruptions
contract ${contractName}Test {
    uint256 private constant R = ${wordHex(R)};
    uint256 private constant Y = ${wordHex(inputs[0]!)};
    bytes32 private constant CTX = ${ctx};
    // the contract and the chain that the proof is for
    ${contractName} private constant verifier = ${contractName}(${getAddress(contract)});
    uint256 private constant CHAIN_ID = ${chainId};

    function setUp() external {
        CheatCodes vm = CheatCodes(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
        ${contractName} made = new ${contractName}();
        vm.etch(address(verifier), address(made).code);
        vm.chainId(CHAIN_ID);
    }

    function honestProof() private pure returns (uint256[8] memory) {
${decode(proofWords(proof))}
    }

    function honestBytes() private pure returns (bytes memory) {
        return
            ${literal(x)};
    }

    function commitments() private pure returns (uint256[] memory c) {
        c = new uint256[](${commitments.length});${commitments
          .map(
            (c, i) => `
        c[${i}] = ${wordHex(c)};`,
          )
          .join('')}
    }

    function accepts(uint256[8] memory p, uint256 y, bytes32 ctx, bytes memory x) private view returns (bool) {
        return verifier.verifyCompressed(p, commitments(), y, ctx, x);
    }

    function test_acceptsHonestProof() external view {
        require(accepts(honestProof(), Y, CTX, honestBytes()), "honest proof refused");
    }

    function test_refusesChangedProof() external view {
        uint256[8] memory p = honestProof();
        for (uint256 i = 0; i < 8; i++) {
            p[i] ^= 1;
            require(!accepts(p, Y, CTX, honestBytes()), "changed proof accepted");
            p[i] ^= 1;
        }
    }

    function test_refusesChangedBytes() external view {
        bytes memory x = honestBytes();
        for (uint256 i = 0; i < ${Math.min(x.length, INPUTS_CHANGED)}; i++) {
            uint256 place = (i * ${x.length - 1}) / ${Math.max(1, Math.min(x.length, INPUTS_CHANGED) - 1)};
            x[place] ^= 0x01;
            require(!accepts(honestProof(), Y, CTX, x), "changed bytes accepted");
            x[place] ^= 0x01;
        }
    }

    function test_refusesChangedDigestAndContext() external view {
        require(!accepts(honestProof(), Y ^ 1, CTX, honestBytes()), "changed digest accepted");
        require(!accepts(honestProof(), Y + R, CTX, honestBytes()), "digest of r or more accepted");
        require(!accepts(honestProof(), Y, ~CTX, honestBytes()), "changed context accepted");
    }

    function test_refusesOtherContracts() external {
        ${contractName} other = new ${contractName}();
        require(
            !other.verifyCompressed(honestProof(), commitments(), Y, CTX, honestBytes()), "accepted by another contract"
        );
    }
}
`
}
