import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { simulatedKey } from '../../scripts/support/simulator.ts'
import { packageRoot } from '../../src/packageRoot.ts'
import { generateVerifier } from '../../src/solidity/verifier.ts'
import { options } from './fixtures.ts'

type Notices = Readonly<Record<string, unknown>> | undefined
type Told = {
  readonly abi: readonly { readonly type: string; readonly name?: string }[]
  readonly evm: { readonly methodIdentifiers: Readonly<Record<string, string>> }
  readonly userdoc: {
    readonly methods?: Readonly<Record<string, { readonly notice?: string }>>
    readonly errors?: Notices
    readonly events?: Notices
  }
}

test('functions, events and errors of every contract have a notice', () => {
  const root = join(packageRoot, 'verifier-contracts')
  const shipped = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.sol') && !path.startsWith('test'))
    .map((path) => [path, readFileSync(join(root, path), 'utf8')] as const)
  const generated = [
    ['3', {}],
    ['400', {}],
    ['3', { compressedBytes: 40 }],
  ].map(([n, more], i) => [
    `Verifier${i}.sol`,
    generateVerifier({ ...simulatedKey(Number(n), 1), dev: true }, { ...options, ...(more as object) }),
  ])
  const sources = Object.fromEntries([...shipped, ...generated].map(([path, content]) => [path, { content }]))
  const outputSelection = { '*': { '*': ['abi', 'userdoc', 'evm.methodIdentifiers'] } }
  const solc = createRequire(import.meta.url)('solc')
  const { contracts } = JSON.parse(
    solc.compile(JSON.stringify({ language: 'Solidity', sources, settings: { outputSelection } })),
  ) as { readonly contracts: Readonly<Record<string, Readonly<Record<string, Told>>>> }
  const missing: string[] = []
  let found = 0
  for (const told of Object.values(contracts))
    for (const [contract, { abi, evm, userdoc }] of Object.entries(told)) {
      const functions = Object.keys(evm.methodIdentifiers).map((f) => [f, userdoc.methods?.[f]?.notice] as const)
      const others = abi.flatMap(({ type, name }) => {
        if (type !== 'error' && type !== 'event') return []
        const notices = Object.keys((type === 'error' ? userdoc.errors : userdoc.events) ?? {})
        return [[`${type} ${name}`, notices.find((notice) => notice.startsWith(`${name}(`))] as const]
      })
      found += functions.length + others.length
      for (const [what, notice] of [...functions, ...others]) if (!notice) missing.push(`${contract}: ${what}`)
    }
  expect(missing).toEqual([])
  expect(found).toBeGreaterThan(200)
})
