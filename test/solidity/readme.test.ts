import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../src/packageRoot.ts'
import { compileSources } from '../../src/solidity/compile.ts'

test('the consumer in the README compiles against what is shipped', async () => {
  const [, code] = /```solidity\n([\s\S]*?)```/.exec(readFileSync(join(packageRoot, 'README.md'), 'utf8')) ?? []
  const contracts = join(packageRoot, 'verifier-contracts')
  const shipped = readdirSync(contracts, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.sol') && !path.startsWith('test'))
    .map((path) => [`veritensor/${path}`, readFileSync(join(contracts, path), 'utf8')] as const)
  const header = '// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\n'
  const sources = { ...Object.fromEntries(shipped), 'DigitLog.sol': header + code }
  const { contracts: made, warnings } = await compileSources(sources, 'DigitLog.sol')
  expect(warnings).toEqual([])
  expect(made.DigitLog!.bytecode.length).toBeGreaterThan(1000)
})
