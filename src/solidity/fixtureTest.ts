/**
 * A test in Solidity to ship with a generated verifier: an honest proof must pass, its corruptions must not. It catches
 * a wrong order of public signals or G2 limbs, which no compiler can.
 * @module
 */
import { R } from '../groth16/bn254.ts'
import type { Proof } from '../groth16/keys.ts'
import { inputWords, proofWords, wordHex } from './calldata.ts'

/**
 * Solidity source of contract `NAMETest`, to be appended to (or compiled with) the source of contract NAME. Forge runs
 * its functions `test_…` as they are; a plain call of each works as well. They revert on failure.
 *
 * @param contractName name that the verifier was generated with
 * @param proof an honest proof
 * @param publicSignals its public signals, in wire order
 * @throws CalldataRangeError if proof or signals are out of range
 */
export function generateVerifierTest(contractName: string, proof: Proof, publicSignals: readonly bigint[]): string {
  const inputs = inputWords(publicSignals)
  const n = inputs.length
  const assign = (words: readonly bigint[]): string =>
    words.map((word, i) => `        p[${i}] = ${wordHex(word)};`).join('\n')
  return `
/// @title Fixture test of ${contractName}: one honest proof and its corruptions
contract ${contractName}Test {
    uint256 private constant R = ${wordHex(R)};
    ${contractName} private immutable verifier = new ${contractName}();

    function honestProof() private pure returns (uint256[8] memory p) {
${assign(proofWords(proof))}
    }

    function honestInput() private pure returns (uint256[${n}] memory p) {
${assign(inputs)}
    }

    function test_acceptsHonestProof() external view {
        require(verifier.verifyProof(honestProof(), honestInput()), "honest proof refused");
    }

    function test_refusesChangedProof() external view {
        for (uint256 i = 0; i < 8; i++) {
            uint256[8] memory p = honestProof();
            p[i] ^= 1;
            require(!verifier.verifyProof(p, honestInput()), "changed proof accepted");
        }
    }

    function test_refusesChangedInput() external view {
        for (uint256 i = 0; i < ${n}; i++) {
            uint256[${n}] memory p = honestInput();
            p[i] ^= 1;
            require(!verifier.verifyProof(honestProof(), p), "changed input accepted");
        }
    }

    function test_refusesAliasedInput() external view {
        for (uint256 i = 0; i < ${n}; i++) {
            uint256[${n}] memory p = honestInput();
            p[i] += R;
            require(!verifier.verifyProof(honestProof(), p), "input of r or more accepted");
        }
    }
}
`
}
