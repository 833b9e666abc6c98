import { readManifest } from '../../artefacts/directory.ts'
import { openVerifyingKey } from '../../artefacts/keys.ts'
import { type InferenceAnswer, inferenceId, inferenceRequest } from '../../chain/inference.ts'
import { inferenceStatement, inputCommitmentOf } from '../../chain/registration.ts'
import { verifyRequest } from '../../chain/verifyOnchain.ts'
import { verifyingKeyDigest } from '../../solidity/verifier.ts'
import { UsageError } from '../args.ts'
import { command } from '../command.ts'
import { thousands } from '../format.ts'
import { modelNumber } from '../numbers.ts'
import { readValidProof } from '../proofFiles.ts'

export const calldata = command({
  name: 'calldata',
  arguments: 'DIR PROOF',
  summary: 'print the call that verifies a proof on chain, for wallets and other programs',
  details:
    'Nothing is asked or sent. Without --model it is a call of the model’s own verifier, which answers true or false; with\n' +
    '--model, of the inference verifier, which reverts unless the proof holds. A proof of compressed tensors names its\n' +
    'contract and chain; for others give --chain-id and --contract where they matter. The proof is verified first.',
  options: {
    public: { type: 'string', value: 'FILE', help: 'public signals of PROOF, if not beside it' },
    contract: { type: 'string', value: 'ADDRESS', help: 'the contract, where the proof does not name it' },
    'chain-id': { type: 'integer', value: 'N', min: 1, help: 'the chain, where the proof does not name it' },
    model: { type: 'string', value: 'ID', help: 'call the inference verifier for this registered model' },
    store: { type: 'flag', help: 'with --model: let the inference verifier keep the inference' },
    hex: { type: 'flag', help: 'print the data alone' },
  },
  examples: [
    'veritensor calldata artifacts/model proofs/a.proof.json',
    'cast send 0x5FbD… $(veritensor calldata artifacts/model proofs/a.proof.json --hex) --rpc-url …',
  ],
  async run({ options, positionals }) {
    const [directory, path, ...more] = positionals
    if (directory === undefined || path === undefined || more.length > 0)
      throw new UsageError('calldata takes a DIR and one PROOF')
    if (options.store && options.model === undefined) throw new UsageError('--store belongs to --model ID')
    const manifest = await readManifest(directory)
    const key = await openVerifyingKey(directory, manifest)
    const vkDigest = verifyingKeyDigest(key)
    const { proof, publicSignals, compressed } = await readValidProof(path, manifest, key, options.public)
    const [given, chain] = [options.contract, options['chain-id']]
    const chainId = compressed?.chainId ?? (chain === undefined ? undefined : BigInt(chain))
    const to = compressed?.contract ?? given
    if (compressed !== undefined) {
      const differs =
        (given !== undefined && given.toLowerCase() !== to!.toLowerCase()) ||
        (chain !== undefined && BigInt(chain) !== chainId)
      if (differs || chainId === 0n)
        throw new UsageError(
          `the proof is for ${chainId === 0n ? 'verification off the chain' : `${to} on chain id ${chainId}`}`,
          'prove again with --for CHAINID:ADDRESS',
        )
    }
    const call = (): { readonly signature: string; readonly data: string; readonly answer?: InferenceAnswer } => {
      if (options.model === undefined) return verifyRequest(to ?? '', proof, publicSignals, compressed)
      if (to === undefined || chainId === undefined)
        throw new UsageError('a call of the inference verifier needs --contract ADDRESS and --chain-id N')
      const statement = inferenceStatement(manifest.signals, proof, publicSignals, compressed)
      const modelId = modelNumber(options.model)
      const inputCommitment = inputCommitmentOf(vkDigest, chainId, to, statement)
      const answer = { modelId, inputCommitment, inferenceId: inferenceId(modelId, inputCommitment, statement.output) }
      const name = options.store ? 'verifyAndStoreInference' : 'verifyInference'
      const { data } = inferenceRequest(to, answer, statement, options.store)
      return { signature: `${name}(uint256,bytes32,bytes,bytes)`, data, answer }
    }
    const { signature, data, answer } = call()
    const bytes = data.length / 2 - 1
    return {
      json: {
        schema: 'veritensor/calldata@1',
        ...{
          directory,
          proof: path,
          to: to ?? null,
          chainId: chainId === undefined ? null : String(chainId),
        },
        ...{ signature, data, bytes },
        inputCommitment: answer?.inputCommitment ?? null,
        inferenceId: answer?.inferenceId ?? null,
      },
      text: options.hex
        ? data
        : [
            `to         ${to ?? '(the verifier)'}${chainId === undefined ? '' : ` on chain id ${chainId}`}`,
            `function   ${signature}`,
            ...(answer === undefined ? [] : [`inference  ${answer.inferenceId}`]),
            `data       ${thousands(bytes)} bytes`,
            data,
          ].join('\n'),
    }
  },
})
