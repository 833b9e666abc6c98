/**
 * A test in Solidity to ship with a generated verifier: an honest proof must pass, its corruptions must not. It catches
 * a wrong order of public signals or G2 limbs, which no compiler can.
 * @module
 */
import { R } from '../groth16/bn254.ts'
import type { Proof } from '../groth16/keys.ts'
import { inputWords, proofWords, wordHex } from './calldata.ts'
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
 * @param contractName name that the verifier was generated with
 * @param proof an honest proof
 * @param publicSignals its public signals, in wire order
 * @throws CalldataRangeError if proof or signals are out of range
 */
export function generateVerifierTest(contractName: string, proof: Proof, publicSignals: readonly bigint[]): string {
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
  // Data to decode rather than an assignment for each word, which solc takes ten seconds and more to compile.
  const decode = (words: readonly bigint[]): string => {
    const hex = words.map((word) => wordHex(word).slice(2))
    return `        return abi.decode(
            hex"${hex.join('"\n            hex"')}",
            (uint256[${words.length}])
        );`
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
