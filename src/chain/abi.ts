/**
 * The contracts of verifier-contracts as ethers reads them: what is called, and every error that may come back.
 * @module
 */

const KEY_ERRORS = [
  'error InsufficientGas()',
  'error UnknownKey(bytes32 vkHash)',
  'error WrongInputCount(uint256 given, uint256 expected)',
  'error MalformedBatch()',
  'error UnsafeKey()',
  'error KeyNotStored()',
  'error GasFactorOutOfRange(uint256 factor)',
] as const

/** UniversalVerifier and, but for what follows below, PhaseOneVerifier. */
export const KEY_VERIFIER_ABI = [
  ...KEY_ERRORS,
  'event KeyStored(bytes32 indexed vkHash, uint256 publicInputs)',
  'function store(uint256[] words) returns (bytes32 vkHash)',
  'function verify(bytes32 vkHash, uint256[8] proof, uint256[] input) view returns (bool)',
  'function verifyCompressed(bytes32 vkHash, uint256[8] proof, uint256[] commitments, uint256 y, bytes32 ctx, bytes x) view returns (bool)',
  'function verifyBatch(bytes32 vkHash, uint256[8][] proofs, uint256[] input) view returns (bool)',
  'function verifyCompressedBatch(bytes32 vkHash, uint256[8][] proofs, tuple(uint256[] commitments, uint256 y, bytes32 ctx, bytes x)[] statements) view returns (bool)',
  'function challenge(bytes32 vkHash, bytes32 ctx, uint256 y, bytes x) view returns (uint256 r, uint256 e)',
  'function publicInputs(bytes32 vkHash) view returns (uint256 n)',
  'function keyAddress(bytes32 vkHash) view returns (address)',
] as const

/** What PhaseOneVerifier has besides. */
export const PHASE_ONE_ABI = [
  ...KEY_VERIFIER_ABI,
  'function PHASE_ONE_NAME() view returns (string)',
  'function PHASE_ONE_HASH() view returns (bytes32)',
  'function verifyMixedBatch(bytes32[] vkHashes, uint256[] counts, uint256[8][] proofs, uint256[] input) view returns (bool)',
] as const

/** ICompressedVerifier: generated verifiers of models with input compression. */
export const COMPRESSED_VERIFIER_ABI = [
  'error InsufficientGas()',
  'error WrongInputCount(uint256 given, uint256 expected)',
  'error WrongLength(uint256 given, uint256 expected)',
  'error UnsafeDevelopmentKey(uint256 chainId)',
  'function verifyCompressed(uint256[8] proof, uint256[] commitments, uint256 y, bytes32 ctx, bytes x) view returns (bool)',
  'function challenge(bytes32 ctx, uint256 y, bytes x) view returns (uint256 r, uint256 e)',
  'function PUBLIC_BYTES() view returns (uint256)',
] as const

const COMMITMENT = 'tuple(bytes32 modelHash, bytes32 circuitHash, bytes32 vkHash, bytes4 proofSystemId, string uri)'
/** The form of a version's statements, in ModelDetails and Verification alike. */
const FORM =
  'uint32 outputBytes, uint32 inputBytes, uint16 commitments, uint32 weightsFrom, uint32 weightsBytes, bytes32 weightsHash'
const DETAILS = `tuple(bytes32 manifestDigest, string phaseOne, bool dev, ${FORM})`

/** ModelRegistry: ERC-7992 and what we add. */
export const REGISTRY_ABI = [
  'error ModelNotFound(uint256 modelId)',
  'error NotModelOwner(uint256 modelId, address caller)',
  'error ModelIsDeprecated(uint256 modelId)',
  'error IncompleteCommitment()',
  'error UnsafeDevelopmentKey(uint256 chainId)',
  'error WeightsOutOfRange(uint256 from, uint256 count)',
  'error VersionNotFound(uint256 modelId, uint256 version)',
  'error NotOffered(uint256 modelId, address caller)',
  `event ModelRegistered(uint256 indexed modelId, address indexed owner, ${COMMITMENT} commitment)`,
  `event ModelUpdated(uint256 indexed modelId, ${COMMITMENT} oldCommitment, ${COMMITMENT} newCommitment)`,
  'event ModelDeprecated(uint256 indexed modelId)',
  `event ModelVersionAdded(uint256 indexed modelId, uint256 indexed version, bytes32 indexed vkHash, ${DETAILS} details)`,
  'event ModelTransferOffered(uint256 indexed modelId, address indexed owner, address indexed offeredTo)',
  'event ModelTransferred(uint256 indexed modelId, address indexed oldOwner, address indexed newOwner)',
  `function registerModel(${COMMITMENT} commitment) returns (uint256 modelId)`,
  `function registerModelWithDetails(${COMMITMENT} commitment, ${DETAILS} details) returns (uint256 modelId)`,
  `function updateModel(uint256 modelId, ${COMMITMENT} newCommitment)`,
  `function updateModelWithDetails(uint256 modelId, ${COMMITMENT} newCommitment, ${DETAILS} details)`,
  'function deprecateModel(uint256 modelId)',
  'function offerModel(uint256 modelId, address to)',
  'function acceptModel(uint256 modelId)',
  `function getModel(uint256 modelId) view returns (${COMMITMENT} commitment, bool deprecated, address owner)`,
  `function getVersion(uint256 modelId, uint256 version) view returns (${COMMITMENT} commitment, ${DETAILS} details, uint64 addedAt)`,
  'function versionCount(uint256 modelId) view returns (uint256)',
  'function modelCount() view returns (uint256)',
  `function verificationOf(uint256 modelId) view returns (tuple(bytes32 vkHash, bytes4 proofSystemId, ${FORM}, bool deprecated))`,
  'function offeredTo(uint256 modelId) view returns (address)',
  'function supportsInterface(bytes4 interfaceId) view returns (bool)',
] as const

const PROOF = 'tuple(uint256[8] points, uint256[] commitments, uint256 y, bytes32 ctx, bytes input)'

/** InferenceVerifier: ERC-7992 with storage, and what we add. */
export const INFERENCE_ABI = [
  ...KEY_ERRORS,
  'error ModelNotFound(uint256 modelId)',
  'error InvalidProof()',
  'error ModelMismatch()',
  'error InputCommitmentMismatch()',
  'error OutputMismatch()',
  'error UnsupportedProofSystem(bytes4 proofSystemId)',
  'error VerificationRefused_ModelDeprecated(uint256 modelId)',
  'error ModelNotVerifiable(uint256 modelId)',
  'error MalformedProof()',
  'error InferenceNotFound(bytes32 inferenceId)',
  'event InferenceVerified(uint256 indexed modelId, bytes32 indexed inputCommitment, bytes output, address indexed caller)',
  'event InferenceStored(bytes32 indexed inferenceId)',
  'function verifyInference(uint256 modelId, bytes32 inputCommitment, bytes output, bytes proof)',
  'function verifyAndStoreInference(uint256 modelId, bytes32 inputCommitment, bytes output, bytes proof) returns (bytes32 inferenceId)',
  'function checkInference(uint256 modelId, bytes32 inputCommitment, bytes output, bytes proof) view',
  `function checkStatement(uint256 modelId, bytes output, ${PROOF} proof) view returns (bytes32 inputCommitment)`,
  'function inputCommitmentOf(uint256 modelId, bytes32 ctx, uint256[] commitments, bytes input) view returns (bytes32)',
  'function getInference(bytes32 inferenceId) view returns (uint256 modelId, bytes32 inputCommitment, bytes output)',
  'function proofSystemOf(uint256 modelId) view returns (bytes4)',
  'function registry() view returns (address registryAddress)',
  'function keyVerifier() view returns (address)',
  'function supportsInterface(bytes4 interfaceId) view returns (bool)',
] as const

/** The form in which `verifyInference` takes a proof. */
export const INFERENCE_PROOF = PROOF
