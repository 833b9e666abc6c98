import { join, resolve } from 'node:path'
import { addArtefact, ensureParent, FILES, readManifest } from '../../artefacts/directory.ts'
import { openCheckedKey } from '../../artefacts/keys.ts'
import { writeWhole } from '../../artefacts/temporary.ts'
import { generateVerifier, requiredGas, verifyingKeyDigest } from '../../solidity/verifier.ts'
import { one } from '../args.ts'
import { command } from '../command.ts'
import { verifierOptions } from '../contracts.ts'
import { DEV_WARNING } from '../describe.ts'
import { counted, thousands } from '../format.ts'

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
    const gas = requiredGas(key.nPublic)
    return {
      json: {
        schema: 'veritensor/contract@1',
        directory,
        file,
        dev: key.dev,
        contractName: options.name ?? 'Verifier',
        publicSignals: key.nPublic,
        vkDigest: verifyingKeyDigest(key),
        requiredGas: gas,
        warning: key.dev ? DEV_WARNING : null,
      },
      text: [
        ...(key.dev ? [DEV_WARNING] : []),
        `verifier of ${manifest.name} → ${file}`,
        `  ${counted(key.nPublic, 'public signal')}; a call needs ${thousands(gas)} gas`,
        `  next   veritensor deploy ${directory} --rpc URL`,
      ].join('\n'),
    }
  },
})
