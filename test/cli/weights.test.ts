import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { decodeModel, encodeModel } from '../../src/graph/onnx.ts'
import { seeded } from '../support/random.ts'
import { tensor } from '../support/tensors.ts'
import { cli, type Json, json, temporaryFolder, tinyFiles } from './support.ts'

const folder = temporaryFolder()
const files = tinyFiles(folder)
const at = (name: string): string => join(folder, name)

/** The tiny model with other weights, none of them as large as the first one's. */
function otherModel(seed: number, spread = 0.3): Uint8Array {
  const random = seeded(seed)
  const weights = (...shape: number[]) =>
    tensor(
      shape,
      Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => spread * (2 * random.unit() - 1)),
    )
  return encodeModel({
    name: 'tiny',
    inputs: [{ name: 'x', shape: [1, 4] }],
    outputs: [{ name: 'logits', shape: [1, 3] }],
    nodes: [
      { op: 'Gemm', name: 'one', inputs: ['x', 'a', 'b'], outputs: ['h'] },
      { op: 'Relu', name: 'two', inputs: ['h'], outputs: ['r'] },
      { op: 'Gemm', name: 'three', inputs: ['r', 'c', 'd'], outputs: ['logits'] },
    ],
    initializers: { a: weights(4, 3), b: weights(3), c: weights(3, 3), d: weights(3) },
  })
}

const compile = (dir: string, ...words: readonly string[]) =>
  json('compile', files.model, '-o', at(dir), '--calibrate', files.calibration, ...words)

beforeAll(() => {
  writeFileSync(at('other.onnx'), otherModel(1))
  writeFileSync(at('large.onnx'), otherModel(1, 900))
})

describe('private weights', () => {
  let digest: string
  let other: Json

  beforeAll(async () => {
    const compiled = await compile('made', '--weights', 'private')
    digest = compiled.json.weights.digest
    expect((await cli('setup', at('made'), '--dev', '--jobs', '1')).code).toBe(0)
    expect((await cli('contract', at('made'))).code).toBe(0)
    // what is published has no weights in it
    cpSync(at('made'), at('published'), { recursive: true })
    rmSync(at('published/weights.vtb'))
    other = await json('commit', at('published'), '--weights', at('other.onnx'), '-o', at('other.vtb'))
  })

  test('are in one file only', () => {
    const secret = [...decodeModel(readFileSync(files.model)).initializers.values()]
    const published = readdirSync(at('published'))
    expect(published).not.toContain('model.onnx')
    expect(existsSync(at('made/weights.vtb'))).toBe(true)
    if (process.platform !== 'win32') expect(statSync(at('made/weights.vtb')).mode & 0o777).toBe(0o600)
    for (const { data } of secret) {
      const bytes = [Float32Array, Float64Array].map((type) => Buffer.from(type.from(data.slice(0, 3)).buffer))
      for (const needle of bytes) {
        expect(readFileSync(at('made/weights.vtb')).includes(needle)).toBe(needle.length === 12)
        for (const name of published)
          expect(readFileSync(join(at('published'), name)).includes(needle), name).toBe(false)
      }
    }
  })

  test('of two models are proved with one key, each under its digest', async () => {
    expect(other.json.weights.digest).not.toBe(digest)
    for (const [dir, own, weights] of [
      ['made', digest, []],
      ['published', other.json.weights.digest, ['--weights', at('other.vtb')]],
    ] as const) {
      const out = at(`proofs-${dir}`)
      const proved = await json('prove', at(dir), '--input', files.proto, '-o', out, '--jobs', '1', ...weights)
      expect([proved.code, proved.json.weights]).toEqual([0, own])
      for (const [expected, given] of [
        [digest, []],
        [other.json.weights.digest, ['--weights-digest', other.json.weights.digest]],
      ] as const) {
        const verified = await json('verify', at('published'), out, ...given)
        expect(verified.json.proofs[0]).toMatchObject({ offChain: true, weights: own, sameWeights: own === expected })
        expect([verified.code, verified.json.valid]).toEqual(own === expected ? [0, true] : [4, false])
      }
    }
    const refused = await cli('verify', at('published'), at('proofs-published'))
    expect(refused.out[0]).toContain(`OTHER WEIGHTS ${other.json.weights.digest}: claims`)
  })

  test('the digest of others in place of one’s own is no proof, here and on a chain', async () => {
    const name = readdirSync(at('proofs-made')).find((file) => file.endsWith('.public.json'))!
    const signals: string[] = JSON.parse(readFileSync(join(at('proofs-made'), name), 'utf8'))
    const forged = signals.map((s) => (BigInt(s) === BigInt(digest) ? String(BigInt(other.json.weights.digest)) : s))
    expect(forged).not.toEqual(signals)
    writeFileSync(at('forged.json'), JSON.stringify(forged))
    const proof = join(at('proofs-made'), name.replace('public', 'proof'))
    const verified = await json(
      ...['verify', at('published'), proof, '--public', at('forged.json'), '--anvil'],
      ...['--weights-digest', other.json.weights.digest],
    )
    expect(verified.code).toBe(4)
    expect(verified.json.proofs[0]).toMatchObject({ offChain: false, onChain: false, sameWeights: true })
    const honest = await json('verify', at('published'), proof, '--anvil')
    expect(honest.json.proofs[0]).toMatchObject({ offChain: true, onChain: true, sameWeights: true })
  })

  test('what is published can be inspected and audited, but not run', async () => {
    const inspected = await json('inspect', at('published'))
    expect(inspected.json).toMatchObject({ graph: null, manifest: { weights: { digest } } })
    expect((await cli('inspect', at('published'))).out[0]).toContain('in weights.vtb, which is not here')
    expect((await json('inspect', at('made'))).json.graph.name).toBe('tiny')
    expect((await json('audit', at('published'))).code).toBe(0)
    const run = await json('run', at('published'), '--input', files.proto)
    expect([run.code, run.json.code]).toEqual([3, 'input/missing-file'])
    expect((await json('commit', at('published'), '--input', files.proto)).code).toBe(0)
    const others = await json('run', at('published'), '--input', files.proto, '--weights', at('other.onnx'))
    expect(others.json.report.maxError).toBeLessThan(0.05)
  })

  test('what does not fit is refused', async () => {
    const refused = async (code: string, ...words: readonly string[]): Promise<void> => {
      const ran = await json(...words)
      expect(ran.json.code, words.join(' ')).toBe(code)
    }
    const made = at('made')
    const prove = ['prove', made, '--input', files.proto, '-o', at('none'), '--weights']
    await refused('usage/weights-salt', ...prove, at('other.onnx'))
    await refused('input/unreadable', ...prove, at('nothing.vtb'))
    await refused('input/wrong-kind', ...prove, join(made, 'circuit.vtb'))
    await refused('input/weights-range', ...prove, at('large.onnx'))
    const broken = readFileSync(at('other.vtb'))
    broken[broken.length - 1]! ^= 1
    writeFileSync(at('broken.vtb'), broken)
    await refused('input/corrupt', ...prove, at('broken.vtb'))
    await refused('usage/command-line', 'commit', made, '--weights', at('other.onnx'))
    await refused('usage/command-line', 'commit', made, '--weights', at('other.onnx'), '--salt', '1', '2')
    await refused('usage/command-line', 'commit', made)
    await refused('usage/command-line', 'commit', made, '--weights', at('other.onnx'), '--input', files.proto)
    await refused('usage/command-line', 'commit', made, '--input', files.proto, '-o', at('x'))
    await refused('usage/command-line', 'verify', made, at('proofs-made'), '--weights-digest', 'xyz')
    // the salt of the registered digest would be lost
    const again = await compile('made', '--weights', 'private')
    expect([again.code, again.json.code]).toEqual([2, 'usage/directory-in-use'])
    expect(again.json.fix).toContain('weights.vtb')
    const salted = await json('commit', made, '--weights', at('other.onnx'), '--salt', '1')
    expect(salted.json.weights).toMatchObject({ out: null })
    expect(salted.json.weights.digest).not.toBe(other.json.weights.digest)
    expect((await json('commit', made, '--weights', at('other.vtb'))).json.weights).toEqual({
      ...other.json.weights,
      ...{ file: at('other.vtb'), out: null },
    })
  })
})

test('committed weights have no salt: their digest can be made again', async () => {
  const { json: compiled } = await compile('committed', '--weights', 'committed', '--weight-bits', '6')
  expect(compiled).toMatchObject({ visibility: { weights: 'committed' }, scheme: { weightBits: 6 } })
  const same = await json('commit', at('committed'), '--weights', files.model)
  expect(same.json).toMatchObject({ salted: false, weights: { digest: compiled.weights.digest } })
  // a file for another model's scales
  await json('commit', at('committed'), '--weights', files.model, '-o', at('six.vtb'))
  await compile('eight', '--weights', 'committed')
  expect((await json('commit', at('eight'), '--weights', at('six.vtb'))).json.code).toBe('input/weights-file')
  const again = await compile('committed', '--weights', 'committed')
  expect(again.code).toBe(0)
})

test('a circuit has room for weights that it is told of', async () => {
  const { code } = await compile('roomy', '--weights', 'committed', '--fit', at('other.onnx'), at('large.onnx'))
  expect(code).toBe(0)
  for (const file of [files.model, at('other.onnx'), at('large.onnx')])
    expect((await json('commit', at('roomy'), '--weights', file)).code).toBe(0)
  expect((await compile('none', '--fit', at('other.onnx'))).json.code).toBe('usage/weights')
  expect((await compile('none', '--weights', 'public', '--fit', at('nothing.onnx'))).json.code).toBe('input/unreadable')
})

test('public weights are signals, fixed ones take no others', async () => {
  const { json: compiled } = await compile('public', '--weights', 'public', '--compress', 'off')
  expect(compiled.signals.map((s: Json) => [s.kind, s.name, s.count])).toEqual([
    ['output', 'logits', 3],
    ['weights', 'dense.weights', 12],
    ['weights', 'dense.bias', 3],
    ['weights', 'head.weights', 9],
    ['weights', 'head.bias', 3],
  ])
  await compile('fixed')
  const words = ['--input', files.proto, '--weights', at('other.onnx')]
  expect((await json('run', at('fixed'), ...words)).json.code).toBe('usage/weights')
  const verified = await json('verify', at('fixed'), at('proofs-made'), '--weights-digest', '1')
  expect(verified.json.code).toBe('usage/command-line')
})
