import { execFile, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FILES } from '../../src/artefacts/directory.ts'
import { packageRoot } from '../../src/packageRoot.ts'
import { temporaryFolder, tinyFiles, tinyInputs } from './support.ts'

// built apart from dist/, which others may be using; within the package, so that its dependencies are found
const dist = join(packageRoot, 'node_modules/.cache', `veritensor-test-${process.pid}`)
const program = join(dist, 'src/cli/main.js')
const env = { ...process.env, NODE_OPTIONS: '' }

const folder = temporaryFolder()
const subfolder = (name: string): string => {
  mkdirSync(join(folder, name))
  return join(folder, name)
}
const files = tinyFiles(folder)
const dir = files.at('dir')

beforeAll(async () => {
  const typescript = join(packageRoot, 'node_modules/typescript/bin/tsc')
  const build = [typescript, '-p', join(packageRoot, 'tsconfig.build.json'), '--outDir', dist]
  // types are checked elsewhere; here it counts that the emitted files run
  await promisify(execFile)(process.execPath, [...build, '--noCheck', '--incremental', 'false'], { cwd: packageRoot })
})
afterAll(() => rmSync(dist, { recursive: true, force: true }))

type Ended = {
  readonly code: number | null
  readonly signal: string | null
  readonly out: string
  readonly err: string
}

/** Runs the built program. `when` is asked often; as soon as it is true, so many interrupts are sent. */
function run(words: readonly string[], when?: (err: string) => boolean, interrupts = 1): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  const timer = setInterval(() => {
    if (!when?.(err)) return
    clearInterval(timer)
    for (let i = 0; i < interrupts; i++) setTimeout(() => child.kill('SIGINT'), 20 * i)
  }, 5)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearInterval(timer)
      resolve({ code, signal, out, err })
    })
  })
}

const leftovers = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => /partial|tmp/.test(name))

describe('the built program', () => {
  test('compiles, sets up, proves, verifies and writes the contract, and each command ends by itself', async () => {
    const proofs = files.at('proofs')
    const session = [
      ['compile', files.model, '-o', dir, '--calibrate', files.calibration],
      ['setup', dir, '--dev', '--jobs', '1'],
      ['prove', dir, '--input', files.inputs, '-o', proofs, '--jobs', '2'],
      ['verify', dir, proofs],
      ['contract', dir],
    ]
    for (const words of session) {
      const { code, out, err } = await run([...words, '--json'])
      expect(code, err).toBe(0)
      expect(out.match(/\n/g), out).toHaveLength(1)
      expect(JSON.parse(out).schema).toBe(`veritensor/${words[0]}@1`)
    }
    expect(readdirSync(proofs)).toHaveLength(6)
    const present = Object.values(FILES).filter((name) => name !== FILES.weights)
    expect(readdirSync(dir).sort()).toEqual(present.sort())
    expect(leftovers(folder)).toEqual([])
  })

  test('ends with the code of the error', async () => {
    const lost = await run(['prove', dir, '--input', files.at('absent.json'), '-o', files.at('none')])
    expect([lost.code, lost.out]).toEqual([3, ''])
    expect(lost.err).toMatch(/^veritensor prove: .*absent.json can't be read/)
    expect((await run(['nonsense'])).code).toBe(2)
    const { code, out } = await run([])
    expect([code, out.startsWith('veritensor: zero-knowledge')]).toEqual([2, true])
  })

  test('goes on when nobody reads its progress', async () => {
    const out = files.at('unwatched')
    const words = ['prove', dir, '--input', files.inputs, '-o', out, '--jobs', '1']
    const child = spawn(process.execPath, [program, ...words], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr?.destroy()
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0)
    expect(readdirSync(out)).toHaveLength(6)
  })

  test.skipIf(!existsSync('/dev/full'))('says that its result could not be written', async () => {
    const full = openSync('/dev/full', 'w')
    const child = spawn(process.execPath, [program, '--help'], { env, stdio: ['ignore', full, 'pipe'] })
    closeSync(full)
    let err = ''
    child.stderr?.on('data', (chunk) => (err += chunk))
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(6)
    expect(err).toMatch(/^veritensor: the result can't be written: ENOSPC.*\n$/)
  })

  test('is a library too', async () => {
    const script = `
      const { compile, importOnnx, readSamples, VeritensorError, version } = await import(process.argv[1])
      const onnx = (await import('node:fs')).readFileSync(process.argv[2])
      const samples = await readSamples(importOnnx(onnx), [process.argv[3]])
      const { circuit } = compile(onnx, { calibration: samples.map((s) => s.sample) })
      console.log(JSON.stringify([version, circuit.rows, typeof VeritensorError]))`
    const library = join(dist, 'src/index.js')
    expect(existsSync(join(dist, 'src/index.d.ts'))).toBe(true)
    const words = ['--input-type=module', '-e', script, library, files.model, files.calibration]
    const { stdout } = await promisify(execFile)(process.execPath, words, { env })
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'))
    const { rows } = JSON.parse(readFileSync(join(dir, FILES.manifest), 'utf8'))
    expect(JSON.parse(stdout)).toEqual([version, rows, 'function'])
  })
})

describe('Ctrl-C leaves nothing half-written', () => {
  const large = tinyFiles(subfolder('large'), 600)
  const larger = tinyFiles(subfolder('larger'), 8000)
  const busy = files.at('busy')
  /** Part of the key is on the disk. */
  const settingUp = (): boolean =>
    readdirSync(busy)
      .filter((name) => name.includes('partial'))
      .flatMap((stage) => readdirSync(join(busy, stage)).map((name) => join(busy, stage, name)))
      .some((path) => statSync(path, { throwIfNoEntry: false })?.size)
  let before: string[]

  beforeAll(async () => {
    const { code, err } = await run(['compile', large.model, '-o', busy, '--calibrate', files.calibration])
    expect(code, err).toBe(0)
    before = readdirSync(busy)
  })

  test('in compile: it ends at once', async () => {
    const fresh = files.at('fresh')
    const words = ['compile', larger.model, '-o', fresh, '--calibrate', files.calibration]
    const { code, signal } = await run(words, (err) => err.includes('quantise'))
    expect([code, signal]).toEqual([null, 'SIGINT'])
    expect(existsSync(fresh)).toBe(false)
    expect(leftovers(folder)).toEqual([])
  })

  test.each([1, 2])('in setup, pressed %i times', async (times) => {
    const { code, out, err } = await run(['setup', busy, '--dev', '--jobs', '1', '--json'], settingUp, times)
    expect(code, err).toBe(130)
    if (times === 1) expect(JSON.parse(out).code).toBe('aborted/by-caller')
    expect(readdirSync(busy)).toEqual(before)
  })

  test('in prove: what is there is whole', async () => {
    const many = files.at('many.json')
    writeFileSync(many, JSON.stringify(tinyInputs(200)))
    const proofs = files.at('some')
    const isProof = (name: string): boolean => name.endsWith('.proof.json')
    const begun = (): boolean => existsSync(proofs) && readdirSync(proofs).some(isProof)
    const { code, out } = await run(['prove', dir, '--input', many, '-o', proofs, '--jobs', '1', '--json'], begun)
    expect([code, JSON.parse(out).code]).toEqual([130, 'aborted/by-caller'])
    const names = readdirSync(proofs)
    const made = names.filter(isProof).length
    expect(made).toBeGreaterThan(0)
    expect(made).toBeLessThan(200)
    expect(names).toHaveLength(2 * made)
    const verified = await run(['verify', dir, proofs, '--json'])
    expect([verified.code, JSON.parse(verified.out).proofs.length]).toEqual([0, made])
  })
})
