import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { findAnvil, startAnvil } from '../../src/chain/anvil.ts'
import { connect } from '../../src/chain/connect.ts'

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
const until = async (condition: () => boolean, seconds = 20): Promise<boolean> => {
  for (let i = 0; i < seconds * 50 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 20))
  return condition()
}
const elsewhere = pathToFileURL(join(tmpdir(), 'nowhere', 'x.js')).href

describe('findAnvil', () => {
  it('finds the binary of the npm package', () => {
    expect(existsSync(findAnvil(''))).toBe(true)
  })

  it('says what to do when there is none', () => {
    expect(() => findAnvil('/nonexistent', elsewhere)).toThrow(
      expect.objectContaining({
        code: 'environment/anvil-missing',
        fix: expect.stringContaining('npm install @foundry-rs/anvil'),
      }),
    )
  })
})

describe('startAnvil', () => {
  it('serves a funded chain of its own, and stop leaves no process', async () => {
    const [a, b] = await Promise.all([startAnvil(), startAnvil({ chainId: 1337n })])
    expect(a.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(a.url).not.toBe(b.url)
    for (const anvil of [a, b]) {
      const connection = await connect(anvil.url, { expectedChainId: anvil.chainId })
      const unlocked = (await connection.provider.send('eth_accounts', [])) as string[]
      expect(anvil.accounts.map(({ address }) => address.toLowerCase())).toEqual(unlocked.map((x) => x.toLowerCase()))
      expect(await connection.provider.getBalance(anvil.accounts[9]!.address)).toBeGreaterThan(0n)
      connection.close()
      expect(alive(anvil.pid)).toBe(true)
      await anvil.stop()
      await anvil.stop()
      expect(alive(anvil.pid)).toBe(false)
    }
    await expect(connect(a.url)).rejects.toMatchObject({ code: 'chain/unreachable' })
  })

  it('survives anvil ending by itself', async () => {
    const anvil = await startAnvil()
    process.kill(anvil.pid, 'SIGKILL')
    expect(await until(() => !alive(anvil.pid))).toBe(true)
    await anvil.stop()
  })

  it('refuses a binary that is missing or something else, and abort', async () => {
    await expect(startAnvil({ binary: '/nonexistent/anvil' })).rejects.toMatchObject({
      code: 'environment/anvil-missing',
    })
    await expect(startAnvil({ binary: process.execPath })).rejects.toMatchObject({ code: 'environment/anvil-failed' })
    await expect(startAnvil({ binary: import.meta.filename })).rejects.toMatchObject({
      code: 'environment/anvil-failed',
    })
    await expect(startAnvil({ hardfork: 'nonsense' })).rejects.toMatchObject({
      code: 'environment/anvil-failed',
      message: expect.stringContaining('nonsense'),
    })
    await expect(startAnvil({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted/by-caller' })
    const controller = new AbortController()
    const starting = startAnvil({ signal: controller.signal })
    controller.abort()
    await expect(starting).rejects.toMatchObject({ code: 'aborted/by-caller' })
  })
})

describe('a process that starts anvil', () => {
  const module = new URL('../../src/chain/anvil.ts', import.meta.url).href
  const run = (after: string) => {
    const text = `import { startAnvil } from ${JSON.stringify(module)}
const { pid } = await startAnvil()
console.log(pid)
${after}`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', text], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
    const pid = new Promise<number>((resolve, reject) => {
      child.stdout.once('data', (chunk) => resolve(Number(chunk)))
      child.once('exit', () => reject(new Error('it ended first')))
    })
    return { child, pid, exited }
  }

  it('takes it along when it is killed', async () => {
    const { child, pid, exited } = run('setInterval(() => {}, 1000)')
    const anvil = await pid
    expect(alive(anvil)).toBe(true)
    child.kill('SIGKILL')
    await exited
    expect(await until(() => !alive(anvil))).toBe(true)
  })

  it('is not kept alive by it, and takes it along at its end', async () => {
    const { pid, exited } = run('')
    const anvil = await pid
    expect(await exited).toBe(0)
    expect(await until(() => !alive(anvil))).toBe(true)
  })
})
