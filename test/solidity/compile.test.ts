import { describe, expect, it } from 'vitest'
import {
  CodeSizeError,
  ContractMissingError,
  compileContract,
  compileSolidity,
  SolidityCompileError,
} from '../../src/solidity/compile.ts'

// solc is loaded on first use, after this
const EVENTS = ['uncaughtException', 'unhandledRejection']
const handlersAtStart = EVENTS.map((event) => process.listenerCount(event))

const head = '// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\n'
const good = `${head}contract A { uint256 public constant X = 7; } contract B { event E(); }`

describe('compileSolidity', () => {
  it('gives ABI and code of each contract', async () => {
    const { contracts, warnings, evmVersion, evmVersionReason, compiler } = await compileSolidity(good)
    expect(Object.keys(contracts)).toEqual(['A', 'B'])
    expect(contracts.A!.abi[0]).toMatchObject({ type: 'function', name: 'X' })
    expect(contracts.A!.bytecode).toMatch(/^0x[0-9a-f]+$/)
    expect(contracts.A!.bytecode).toContain(contracts.A!.deployedBytecode.slice(2))
    expect([warnings, evmVersion, evmVersionReason]).toEqual([[], 'osaka', undefined])
    expect(compiler).toMatch(/^0\.8\.37\+/)
  })

  it('falls back to an older EVM version and says why', async () => {
    const { evmVersion, evmVersionReason } = await compileSolidity(good, { evmVersions: ['amsterdam2099', 'cancun'] })
    expect(evmVersion).toBe('cancun')
    expect(evmVersionReason).toContain('amsterdam2099')
    await expect(compileSolidity(good, { evmVersions: ['amsterdam2099'] })).rejects.toThrow(SolidityCompileError)
  })

  it('reports warnings and errors in the words of the compiler', async () => {
    expect(
      (await compileSolidity(`${head}contract A { function f(uint256 x) external { uint256 y = x; } }`)).warnings[0],
    ).toMatch(/Unused/)
    await expect(compileSolidity(`${head}contract A { nonsense }`)).rejects.toMatchObject({
      code: 'input/solidity',
      message: expect.stringContaining('ParserError'),
    })
    await expect(compileSolidity(`${head}import "./other.sol";`)).rejects.toThrow(/not found/)
  })

  it('leaves no process-wide handlers behind', async () => {
    await compileSolidity(good)
    expect(EVENTS.map((event) => process.listenerCount(event))).toEqual(handlersAtStart)
  })
})

describe('compileContract', () => {
  it('wants the contract to exist and to fit', async () => {
    expect((await compileContract(good, 'B')).name).toBe('B')
    await expect(compileContract(good, 'C')).rejects.toThrow(ContractMissingError)
    await expect(compileContract(good, 'toString')).rejects.toThrow(ContractMissingError)
    const big = `${head}contract A { function f() external pure returns (bytes memory) { return hex"${'ab'.repeat(24_600)}"; } }`
    await expect(compileContract(big, 'A')).rejects.toThrow(CodeSizeError)
    await expect(compileContract(big, 'A')).rejects.toMatchObject({ code: 'limit/code-size' })
    const long = `${head}contract A { constructor() { bytes memory b = hex"${'ab'.repeat(49_200)}"; emit E(b); } event E(bytes b); }`
    await expect(compileContract(long, 'A')).rejects.toMatchObject({ code: 'limit/init-code-size' })
  })
})
