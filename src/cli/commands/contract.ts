import { basename, join, resolve } from 'node:path'
import { addArtefact, ensureParent, FILES, readManifest } from '../../artefacts/directory.ts'
import { openCheckedKey } from '../../artefacts/keys.ts'
import type { Manifest } from '../../artefacts/manifest.ts'
import { writeWhole } from '../../artefacts/temporary.ts'
import type { VerifyingKey } from '../../groth16/keys.ts'
import { byteCount } from '../../pipeline/signals.ts'
import { generateVerifierTest } from '../../solidity/fixtureTest.ts'
import { generateVerifier, requiredGas, verifyingKeyDigest } from '../../solidity/verifier.ts'
import { one } from '../args.ts'
import { command } from '../command.ts'
import { verifierOptions } from '../contracts.ts'
import { DEV_WARNING } from '../describe.ts'
import { counted, thousands } from '../format.ts'
import { readValidProof } from '../proofFiles.ts'

export const contract = command({
  name: 'contract',
  arguments: 'DIR',
  summary: 'write the Solidity verifier',
  details:
    'One file without imports, MIT-licensed. Keys under which statements can be forged are refused; the contract of a\n' +
    'development key refuses to be deployed on any chain but a local one.',
  options: {
    out: { type: 'string', short: 'o', value: 'FILE', help: 'where it goes (default DIR/Verifier.sol)' },
    name: { type: 'string', value: 'NAME', help: 'name of the contract (default Verifier)' },
    test: {
      type: 'string',
      value: 'PROOF',
      help: 'write a test for forge beside it, FILE.t.sol, from this honest proof',
    },
  },
  examples: ['veritensor contract artifacts/model', 'veritensor contract artifacts/model --name Digits -o Digits.sol'],
  async run({ options, positionals, progress }) {
    const directory = one(positionals, 'contract takes one DIR')
    progress.phase('check key')
    const manifest = await readManifest(directory)
    const key = await openCheckedKey(directory, manifest)
    progress.done()
    const source = generateVerifier(key, verifierOptions(manifest, options.name))
    const file = options.out ?? join(directory, FILES.verifier)
    if (resolve(file) === resolve(directory, FILES.verifier))
      await addArtefact(directory, manifest, FILES.verifier, source)
    else {
      await ensureParent(file)
      await writeWhole({ [file]: source })
    }
    const test = options.test === undefined ? undefined : file.replace(/(\.sol)?$/, '.t.sol')
    if (test !== undefined) await writeWhole({ [test]: await testSource(options, manifest, key, file) })
    const compressedBytes = byteCount(manifest.signals)
    const gas = requiredGas(key.nPublic, 1, compressedBytes)
    return {
      json: {
        schema: 'veritensor/contract@1',
        directory,
        file,
        test: test ?? null,
        dev: key.dev,
        contractName: options.name ?? 'Verifier',
        publicSignals: key.nPublic,
        publicBytes: compressedBytes === 0 ? null : compressedBytes,
        vkDigest: verifyingKeyDigest(key),
        requiredGas: gas,
        warning: key.dev ? DEV_WARNING : null,
      },
      text: [
        ...(key.dev ? [DEV_WARNING] : []),
        `verifier of ${manifest.name} → ${file}`,
        `  ${counted(key.nPublic, 'public signal')}${
          compressedBytes === 0 ? '' : `, of ${counted(compressedBytes, 'byte')}`
        }; a call needs ${thousands(gas)} gas`,
        ...(test === undefined ? [] : [`  test   ${test}: forge test`]),
        `  next   veritensor deploy ${directory} --rpc URL`,
      ].join('\n'),
    }
  },
})

/** A test for forge of one honest proof. Throws what reading it throws, and `proof/invalid`. */
async function testSource(
  { name, test }: { readonly name: string | undefined; readonly test: string | undefined },
  manifest: Manifest,
  key: VerifyingKey,
  file: string,
): Promise<string> {
  const { proof, publicSignals, compressed } = await readValidProof(test!, manifest, key)
  const contractName = name ?? 'Verifier'
  const body = generateVerifierTest(contractName, proof, publicSignals, compressed)
  const imported = `import {${contractName}} from "./${basename(file)}";`
  return `// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\n\n${imported}\n${body}`
}
