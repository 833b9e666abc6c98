/**
 * Veritensor as a library: ONNX bytes to circuits, keys, proofs and contracts. The stages are functions from plain data to
 * plain data; every error is a `VeritensorError` (or, from within a circuit, a `CircuitError`) with a stable `code`.
 * @module
 */
export type { Circuit } from '../circuits/circuit.ts'
export { CircuitError } from '../circuits/error.ts'
export { openCompiled, saveCompiled } from './artefacts/compiled.ts'
export { readManifest } from './artefacts/directory.ts'
export {
  type ContributeOptions,
  contributeDirectory,
  type Keys,
  openDirectoryKeys,
  openKeys,
  openVerifyingKey,
  quotientDirectory,
  type SetupOptions,
  setup,
  setupDirectory,
  verifyDirectoryKey,
} from './artefacts/keys.ts'
export type { KeyInfo, Manifest } from './artefacts/manifest.ts'
export { type Anvil, findAnvil, startAnvil } from './chain/anvil.ts'
export { type Connection, connect, signerFor } from './chain/connect.ts'
export { type Deployment, deployVerifier } from './chain/deploy.ts'
export {
  checkInference,
  type InferenceAnswer,
  type InferenceReceipt,
  type InferenceStatement,
  readInference,
  sendInference,
} from './chain/inference.ts'
export { LOCAL_DESTINATION, type LocalVerifier, openLocalVerifier } from './chain/localVerifier.ts'
export { inferenceStatement, modelRecord } from './chain/registration.ts'
export {
  deprecateRequest,
  type ModelRecord,
  type RegisteredModel,
  readModel,
  registerRequest,
  sendRegistration,
  updateRequest,
} from './chain/registry.ts'
export { deployShared, type SharedContracts, sharedContractsOf, storeKey } from './chain/sharedContracts.ts'
export { estimateTransaction, type GasEstimate, sendTransaction } from './chain/transact.ts'
export {
  describeVerifier,
  type OnchainVerification,
  selfTestVerifier,
  type VerifierDescription,
  verifyOnchain,
  verifyRequest,
} from './chain/verifyOnchain.ts'
export type { EngineChoice } from './engine/variant.ts'
export { AbortedError, type ErrorCategory, type ErrorCode, VeritensorError } from './errors.ts'
export { type Estimate, estimateCircuit } from './estimate.ts'
export type { Graph, Node } from './graph/graph.ts'
export { type ImportOptions, importOnnx } from './graph/import.ts'
export { runFloat } from './graph/run.ts'
export {
  decodeProof,
  decodePublicSignals,
  decodeVerifyingKey,
  encodeProof,
  encodePublicSignals,
  encodeVerifyingKey,
  type Proof,
  type ProofJson,
  type VerifyingKey,
  type VerifyingKeyJson,
} from './groth16/keys.ts'
export { verifierOf, verify } from './groth16/verify.ts'
export type { IntegerModel } from './model/model.ts'
export { type Compiled, type CompileModelOptions, compileModel as compile, weightSet } from './pipeline/compileModel.ts'
export { checkCompressed, signalsOf } from './pipeline/compressed.ts'
export { contractFor } from './pipeline/contract.ts'
export { circuitInputs, type Inference, type ProveOptions, prove } from './pipeline/prove.ts'
export { provenStatement } from './pipeline/provenStatement.ts'
export { layoutOf, type PublicTensor, readSignals, type SignalGroup, signalLayout } from './pipeline/signals.ts'
export { statedWeights, type WeightSet } from './pipeline/weights.ts'
export { comparer, type Report } from './quantise/report.ts'
export { type NamedSample, readSamples } from './samples/files.ts'
export { decodeSamples, type Sample, type SampleFile } from './samples/samples.ts'
export { proofWords } from './solidity/calldata.ts'
export { type CompiledContract, compileContract } from './solidity/compile.ts'
export { type Compressed, challengeOf, type Destination, OFF_CHAIN } from './solidity/compression.ts'
export { generateVerifierTest } from './solidity/fixtureTest.ts'
export { compileShipped, type ShippedContract } from './solidity/shipped.ts'
export { generateVerifier, type VerifierOptions, verifyingKeyDigest } from './solidity/verifier.ts'
export type { Shape, Tensor } from './tensor.ts'
export { version } from './version.ts'
export type { TensorVisibility, Visibility, WeightVisibility } from './visibility.ts'
export type { Mode } from './workers/engineProver.ts'
export { openProver, type Prover, type ProverOptions } from './workers/prover.ts'
