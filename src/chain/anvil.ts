/**
 * A private development chain: finds anvil, starts it on a free loopback port, ends it with this process.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { HDNodeWallet } from 'ethers'
import { AbortedError, VeritensorError } from '../errors.ts'

/** The public test phrase of Ethereum's development nodes. Everybody has these keys. */
const PHRASE = 'test test test test test test test test test test test junk'

export type DevAccount = { readonly address: string; readonly privateKey: string }

export type Anvil = {
  /** http://127.0.0.1:PORT */
  readonly url: string
  readonly chainId: bigint
  /** Funded accounts. Their keys are public knowledge: for this chain only. */
  readonly accounts: readonly DevAccount[]
  /** Process id of anvil itself. */
  readonly pid: number
  /** Ends anvil; resolves when the process is gone. Idempotent. */
  readonly stop: () => Promise<void>
}

export type AnvilOptions = {
  /** Path of the binary; default is the npm package's, else one on the PATH. */
  readonly binary?: string
  /** Default 31337. */
  readonly chainId?: bigint
  /** Default osaka. */
  readonly hardfork?: string
  /** Further command line arguments. */
  readonly args?: readonly string[]
  /** How long to wait until it answers, default 20,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** anvil is not on this machine. */
export class AnvilMissingError extends VeritensorError {
  constructor(looked: readonly string[]) {
    super(
      'environment/anvil-missing',
      `anvil, the development chain, was not found (looked for ${looked.join(', ')})`,
      {
        details: { looked, platform: process.platform, arch: process.arch },
        fix: 'Run `npm install @foundry-rs/anvil` with optional dependencies on, or install Foundry (https://getfoundry.sh), or name another chain with --rpc URL.',
      },
    )
  }
}

/** anvil is there but did not start. */
export class AnvilStartError extends VeritensorError {
  constructor(binary: string, reason: string) {
    super('environment/anvil-failed', `anvil (${binary}) did not start: ${reason}`, {
      details: { binary, reason },
      fix: 'Run the binary by hand to see why, or name another chain with --rpc URL.',
    })
  }
}

/**
 * Path of the anvil binary: from the optional npm dependency of @foundry-rs/anvil for this platform, which needs no
 * install script, else from the PATH.
 * @throws AnvilMissingError
 */
export function findAnvil(searchPath: string = process.env.PATH ?? '', from: string = import.meta.url): string {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  const file = process.platform === 'win32' ? 'anvil.exe' : 'anvil'
  const name = `@foundry-rs/anvil-${process.platform}-${arch}`
  try {
    // resolved from the wrapper package, where package managers with strict layouts put it
    const wrapper = createRequire(from).resolve('@foundry-rs/anvil/package.json')
    const manifest = createRequire(wrapper).resolve(`${name}/package.json`)
    const binary = join(manifest, '..', 'bin', file)
    if (existsSync(binary)) return binary
  } catch {
    // not installed: an optional dependency
  }
  const onPath = searchPath
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, file))
    .find((path) => existsSync(path))
  if (onPath !== undefined) return onPath
  throw new AnvilMissingError([`npm package ${name}`, `${file} on the PATH`])
}

/**
 * Runs between us and anvil, so that anvil ends when we do, however we end: its standard input is a pipe from us, which
 * the system closes even after a kill. Reports on standard output, one JSON line: {pid, port} or {error}.
 */
const KEEPER = `
const { spawn } = require('node:child_process')
const child = spawn(process.argv[1], process.argv.slice(2), { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
let text = '', last = '', told = false
const tell = (message) => { if (!told) { told = true; process.stdout.write(JSON.stringify(message) + '\\n') } }
child.stdout.on('data', (chunk) => {
  if (told) return
  text += chunk
  const port = /^Listening on .*:(\\d+)\\s*$/m.exec(text)
  if (port) { text = ''; tell({ pid: child.pid, port: Number(port[1]) }) }
})
child.stderr.on('data', (chunk) => { last = (last + chunk).slice(-2000) })
child.on('error', (error) => { tell({ error: error.message }); process.exitCode = 1; process.stdin.destroy() })
child.on('close', (code, signal) => { tell({ error: last.trim() || 'it ended with ' + (signal || 'code ' + code) }); process.stdin.destroy() })
const end = () => child.kill('SIGKILL')
process.stdin.on('end', end).on('error', end).resume()
process.stdout.on('error', end)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end)
`

/**
 * Starts anvil on a free port of 127.0.0.1 and waits until it answers. It does not keep this process alive.
 *
 * @throws AnvilMissingError, AnvilStartError; AbortedError if the signal fires while it starts
 */
export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  const binary = options.binary ?? findAnvil()
  if (!existsSync(binary)) throw new AnvilMissingError([binary])
  if (options.signal?.aborted) throw new AbortedError('starting anvil')
  const chainId = options.chainId ?? 31337n
  // port 0: the system picks a free one and anvil prints it, so no other process can take it in between
  const keeper = spawn(
    process.execPath,
    [
      ...['-e', KEEPER, binary, '--host', '127.0.0.1', '--port', '0', '--chain-id', String(chainId)],
      ...['--mnemonic', PHRASE, '--hardfork', options.hardfork ?? 'osaka', ...(options.args ?? [])],
    ],
    // not our execArgv and NODE_OPTIONS: loaders would only slow it down
    { stdio: ['pipe', 'pipe', 'ignore'], windowsHide: true, env: { ...process.env, NODE_OPTIONS: '' } },
  )
  const ended = new Promise<void>((resolve) => {
    keeper.once('close', () => resolve())
    keeper.once('error', () => resolve())
  })
  keeper.stdin.on('error', () => {}) // it may end before we tell it to
  const stop = async (): Promise<void> => {
    keeper.ref()
    keeper.stdin.end()
    await ended
  }

  try {
    const { pid, port } = await reported(keeper, binary, options)
    for (const handle of [keeper, keeper.stdin, keeper.stdout] as { unref?: () => void }[]) handle.unref?.()
    const url = `http://127.0.0.1:${port}`
    await answers(url, binary, options)
    const root = HDNodeWallet.fromPhrase(PHRASE, undefined, "m/44'/60'/0'/0")
    const accounts = Array.from({ length: 10 }, (_, i) => {
      const { address, privateKey } = root.deriveChild(i)
      return { address, privateKey }
    })
    return { url, chainId, accounts, pid, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The keeper's one line. */
async function reported(
  keeper: ChildProcess,
  binary: string,
  { timeoutMs = 20_000, signal }: AnvilOptions,
): Promise<{ pid: number; port: number }> {
  const line = await new Promise<string>((resolve, reject) => {
    let text = ''
    const timer = setTimeout(() => reject(new AnvilStartError(binary, `no answer within ${timeoutMs} ms`)), timeoutMs)
    const abort = (): void => reject(new AbortedError('starting anvil'))
    signal?.addEventListener('abort', abort, { once: true })
    const settle = (action: () => void): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      action()
    }
    keeper.stdout!.on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) settle(() => resolve(text))
    })
    keeper.once('error', (error) => settle(() => reject(new AnvilStartError(binary, error.message))))
    keeper.once('close', () => settle(() => reject(new AnvilStartError(binary, 'it ended at once'))))
  })
  const report = JSON.parse(line) as { pid: number; port: number } | { error: string }
  if ('error' in report) throw new AnvilStartError(binary, report.error)
  return report
}

/** Waits until the RPC answers. */
async function answers(url: string, binary: string, { timeoutMs = 20_000, signal }: AnvilOptions): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    if (signal?.aborted) throw new AbortedError('starting anvil')
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}',
        signal: AbortSignal.timeout(2_000),
      })
      await response.arrayBuffer()
      return
    } catch (cause) {
      if (Date.now() > deadline) throw new AnvilStartError(binary, `${url} does not answer: ${String(cause)}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}
