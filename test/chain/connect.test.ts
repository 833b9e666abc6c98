import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Wallet } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Anvil, startAnvil } from '../../src/chain/anvil.ts'
import { type Connection, connect, signerFor, waitForReceipt } from '../../src/chain/connect.ts'

let anvil: Anvil
let connection: Connection
beforeAll(async () => {
  anvil = await startAnvil()
  connection = await connect(anvil.url)
})
afterAll(async () => {
  connection.close()
  await anvil.stop()
})

/** Runs `use` against a server on loopback that answers as told. */
async function withServer(
  answer: (respond: (status: number, body: string) => void) => void,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const server: Server = createServer((_, response) =>
    answer((status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

describe('connect', () => {
  it('knows the chain', () => {
    expect(connection.chainId).toBe(31337n)
  })

  it('refuses another chain than expected', async () => {
    await expect(connect(anvil.url, { expectedChainId: 1n })).rejects.toMatchObject({ code: 'chain/wrong-chain' })
  })

  it.each(['http://127.0.0.1:1', 'nonsense', 'ftp://127.0.0.1', 'ws://127.0.0.1:8545', ''])(
    'cannot reach %j',
    async (url) => {
      await expect(connect(url)).rejects.toMatchObject({ code: 'chain/unreachable' })
    },
  )

  it.each([
    ['an error status', 500, '{}'],
    ['no JSON', 200, '<html>'],
    ['no result', 200, '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}'],
    ['a result that is no number', 200, '{"jsonrpc":"2.0","id":1,"result":"hello"}'],
    ['null', 200, 'null'],
  ])('refuses %s', async (_, status, body) => {
    await withServer(
      (respond) => respond(status, body),
      (url) => expect(connect(url)).rejects.toMatchObject({ code: 'chain/unreachable' }),
    )
  })

  it('does not wait for ever', async () => {
    await withServer(
      () => {},
      (url) => expect(connect(url, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'chain/unreachable' }),
    )
  })

  it('keeps keys in the URL out of errors', async () => {
    const error = await connect('http://user:secret@127.0.0.1:1/v3/0123456789abcdef?key=hidden').catch((e) => e)
    expect(JSON.stringify([error.message, error.details])).not.toMatch(/secret|0123456789abcdef|hidden/)
  })
})

describe('signerFor', () => {
  const { privateKey, address } = new Wallet(`0x${'12'.repeat(32)}`)

  it('takes a private key, a keystore, an account of the node', async () => {
    expect(await (await signerFor(connection, { privateKey })).getAddress()).toBe(address)
    expect(await (await signerFor(connection, { privateKey: ` ${privateKey.slice(2)}\n` })).getAddress()).toBe(address)
    expect(await (await signerFor(connection, { account: 3 })).getAddress()).toBe(anvil.accounts[3]!.address)
    // N = 2 keeps the test fast
    const { encryptKeystoreJson } = await import('ethers')
    const keystore = await encryptKeystoreJson({ address, privateKey }, 'right', { scrypt: { N: 2, r: 1, p: 1 } })
    expect(await (await signerFor(connection, { keystore, password: 'right' })).getAddress()).toBe(address)
    await expect(signerFor(connection, { keystore, password: 'wrong' })).rejects.toMatchObject({
      code: 'usage/signer',
      message: expect.stringContaining('password'),
    })
  })

  it('refuses what is no key, without repeating it', async () => {
    for (const bad of ['', 'abc', '0'.repeat(64), 'f'.repeat(64), `${privateKey}00`]) {
      const error = await signerFor(connection, { privateKey: bad }).catch((e) => e)
      expect(error).toMatchObject({ code: 'usage/signer' })
      if (bad !== '') expect(JSON.stringify([error.message, error.details, String(error.cause)])).not.toContain(bad)
    }
    await expect(signerFor(connection, { keystore: '{}', password: '' })).rejects.toMatchObject({
      code: 'usage/signer',
    })
    await expect(signerFor(connection, { account: 99 })).rejects.toMatchObject({ code: 'chain/request-failed' })
  })
})

describe('waitForReceipt', () => {
  it('ends by time or abort', async () => {
    const hash = `0x${'ab'.repeat(32)}`
    await expect(waitForReceipt(connection, hash, 'waiting', { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'chain/timeout',
    })
    await expect(waitForReceipt(connection, hash, 'waiting', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted/by-caller',
    })
  })
})
