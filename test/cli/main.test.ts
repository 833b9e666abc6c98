import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { exitCodes } from '../../src/cli/command.ts'
import { encodeModel } from '../../src/graph/onnx.ts'
import { version } from '../../src/version.ts'
import { cli, compileTiny, json, temporaryFolder, tinyFiles } from './support.ts'

const folder = temporaryFolder()
const files = tinyFiles(folder)
let dir: string
beforeAll(async () => {
  dir = await compileTiny(folder, 'dir')
})

describe('wrong usage ends with 2', () => {
  test.each([
    [['verfy', 'DIR'], 'veritensor: there is no command "verfy"\n  → did you mean verify?\n'],
    [['frobnicate'], 'veritensor: there is no command "frobnicate"\n  → run veritensor --help for the list\n'],
    [['help', 'setpu'], 'veritensor: there is no command "setpu"\n  → did you mean setup?\n'],
    [['setup', 'DIR', '--deb'], 'veritensor setup: unknown option --deb\n  → did you mean --dev?\n'],
    [['setup', 'DIR'], 'veritensor setup: setup takes either --dev or --ptau FILE\n  → for a first try: --dev\n'],
    [
      ['setup', 'DIR', '--dev', '--ptau', 'F'],
      'veritensor setup: setup takes either --dev or --ptau FILE\n  → for a first try: --dev\n',
    ],
    [['setup', '--dev'], 'veritensor setup: setup takes one DIR\n'],
    [['setup', 'D', '--dev', '--beacon', '00'], 'veritensor setup: --beacon belongs to --ptau\n'],
    [
      ['setup', 'D', '--ptau', 'F', '--beacon-iterations', '10'],
      'veritensor setup: --beacon-iterations needs --beacon\n',
    ],
    [
      ['setup', 'D', '--ptau', 'P', '--ptau-digest', '00'],
      'veritensor setup: --ptau-digest takes the 128 hexadecimal digits of a BLAKE2b-512 digest\n',
    ],
    [['setup', 'D', '--dev', '--ptau-digest', '00'], 'veritensor setup: --ptau-digest belongs to --ptau\n'],
    [['setup', 'D', '--dev', '--name', 'n'], 'veritensor setup: --name belongs to contribute\n'],
    [['setup', 'contribute', 'D', '--dev'], 'veritensor setup: setup contribute takes no option but --name\n'],
    [['setup', 'beacon', 'D'], 'veritensor setup: setup beacon takes --beacon\n'],
    [['setup', 'verify', 'D'], 'veritensor setup: setup verify takes --ptau FILE\n'],
    [['compile', 'M', '--calibrate', 'C'], 'veritensor compile: option --directory DIR is required\n'],
    [['compile', '-o', 'D', '--calibrate', 'M'], 'veritensor compile: compile takes one MODEL.onnx\n'],
    [['prove', 'DIR', '--input', 'a'], 'veritensor prove: option --out OUT is required\n'],
    [['prove', 'DIR', '-o', 'a', '--input', 'a', '--jobs', '0'], /"0" is not an integer from 1 to 256/],
    [['verify', 'DIR'], 'veritensor verify: verify takes a DIR and at least one PROOF\n'],
    [['verify', 'D', 'P', '--rpc', 'U'], /--rpc URL belongs to --contract ADDRESS, --inference ADDRESS or --onchain/],
    [['verify', 'D', 'P', '--contract', 'A'], /--rpc URL belongs to/],
    [['verify', 'D', 'P', '--onchain'], /--rpc URL belongs to/],
    [['verify', 'D', 'P', '--rpc', 'U', '--onchain', '--contract', 'A'], /exclude each other/],
    [['verify', 'D', 'P', '--rpc', 'U', '--inference', 'A'], /--inference ADDRESS and --model ID belong together/],
    [['verify', 'D', 'P', '--rpc', 'U', '--contract', 'A', '--store'], /--store belongs to a registered model/],
    [['verify', 'D', 'P', '--record'], /--record and --store need --rpc/],
    [['deploy', '--phase-one', 'D', '--rpc', 'U'], /--phase-one belongs to --shared/],
    [['deploy', '--shared', 'D', '--rpc', 'U'], /deploy --shared takes no DIR/],
    [['register', 'D', '--rpc', 'U'], /option --inference ADDRESS is required/],
    [['register', 'D', '--rpc', 'U', '--inference', 'A', '--update', 'x'], /"x" is no model's number/],
    [['register', 'D', '--rpc', 'U', '--inference', 'A', '--update', '1', '--deprecate', '1'], /exclude each other/],
    [['calldata', 'D'], /calldata takes a DIR and one PROOF/],
    [['calldata', 'D', 'P', '--store'], /--store belongs to --model/],
    [
      ['verify', 'D', 'P', '--anvil', '--rpc', 'U', '--contract', 'A'],
      'veritensor verify: --anvil and --rpc exclude each other\n',
    ],
    [['deploy', 'DIR'], 'veritensor deploy: option --rpc URL is required\n'],
    [['inspect'], 'veritensor inspect: inspect takes one DIR or MODEL.onnx\n'],
    [['doctor', 'x'], 'veritensor doctor: doctor takes no arguments\n'],
    [['run', 'a', 'b', '--input', 'x'], 'veritensor run: run takes one DIR\n'],
  ] as const)('%j', async (words, message) => {
    const { code, out, err } = await cli(...words)
    expect({ code, out }).toEqual({ code: 2, out: [] })
    if (typeof message === 'string') expect(err).toBe(message)
    else expect(err).toMatch(message)
  })
})

test('the version', async () => {
  for (const flag of ['--version', '-V']) expect(await cli(flag)).toEqual({ code: 0, out: [version], err: '' })
  expect((await json('--version')).json).toEqual({ schema: 'veritensor/version@1', version })
})

test('every category of error has its exit code', () => {
  expect(exitCodes).toEqual({
    ...{ internal: 1, usage: 2, input: 3, model: 3, circuit: 3, proof: 4, key: 5 },
    ...{ chain: 6, environment: 6, limit: 7, aborted: 130 },
  })
})

describe('--json prints one line, errors too', () => {
  test('wherever it stands', async () => {
    const expected = {
      schema: 'veritensor/error@1',
      command: '',
      code: 'usage/command-line',
      message: 'there is no command "nothing"',
      details: {},
      fix: 'run veritensor --help for the list',
    }
    for (const words of [
      ['nothing', '--json'],
      ['--json', 'nothing'],
    ]) {
      const { code, out, err } = await cli(...words)
      expect(code).toBe(2)
      expect(out).toEqual([JSON.stringify(expected)])
      expect(err).toContain('there is no command')
    }
  })

  const corrupt = () => {
    const path = files.at('corrupt.onnx')
    writeFileSync(path, 'this is not protobuf')
    return path
  }
  const withOp = (op: string) => {
    const path = files.at(`${op}.onnx`)
    const node = { op, inputs: ['x'], outputs: ['y'] }
    writeFileSync(
      path,
      encodeModel({ inputs: [{ name: 'x', shape: [1, 4] }], outputs: [{ name: 'y' }], nodes: [node] }),
    )
    return path
  }
  const samples = (name: string, value: unknown) => {
    writeFileSync(files.at(name), typeof value === 'string' ? value : JSON.stringify(value))
    return files.at(name)
  }
  const compiling = (model: string) => ['compile', model, '-o', join(folder, 'x'), '--calibrate', files.calibration]

  test.each<[string, () => string[], number, string]>([
    ['a model that is not there', () => compiling(files.at('absent.onnx')), 3, 'input/unreadable'],
    ['a corrupt model', () => compiling(corrupt()), 3, 'model/not-onnx'],
    ['an operator that is not supported', () => compiling(withOp('NonMaxSuppression')), 3, 'model/unsupported'],
    ['a corrupt model to inspect', () => ['inspect', corrupt()], 3, 'model/not-onnx'],
    ['nothing to inspect', () => ['inspect', files.at('absent')], 3, 'input/unreadable'],
    ['a folder without artefacts', () => ['inspect', folder], 3, 'input/no-artefacts'],
    ['a set-up of nothing', () => ['setup', files.at('absent'), '--dev'], 3, 'input/no-artefacts'],
    ['a ceremony that is not there', () => ['setup', dir, '--ptau', files.at('no.ptau')], 3, 'input/unreadable-file'],
    ['a ceremony that is none', () => ['setup', dir, '--ptau', files.model], 5, 'key/malformed-ptau'],
    ['a proof without a key', () => ['prove', dir, '--input', files.inputs, '-o', folder], 3, 'input/missing-file'],
    ['a contract without a key', () => ['contract', dir], 3, 'input/missing-file'],
    ['a deployment without a key', () => ['deploy', dir, '--rpc', 'http://127.0.0.1:1'], 3, 'input/missing-file'],
    ['inputs that are not there', () => ['run', dir, '--input', files.at('absent.pb')], 3, 'input/unreadable'],
    ['inputs of no known format', () => ['run', dir, '--input', files.model], 3, 'input/format'],
    ['a corrupt .pb', () => ['run', dir, '--input', samples('bad.pb', 'xxxxxxx')], 3, 'model/not-onnx'],
    ['a corrupt .npy', () => ['run', dir, '--input', samples('bad.npy', 'xxxxxxx')], 3, 'input/npy'],
    ['a corrupt .json', () => ['run', dir, '--input', samples('bad.json', '[1,')], 3, 'input/json'],
    ['a wrong shape', () => ['run', dir, '--input', samples('shape.json', [1, 2, 3])], 3, 'input/wrong-shape'],
    ['a value out of range', () => ['run', dir, '--input', samples('far.json', [9, 0, 0, 0])], 3, 'input/out-of-range'],
    ['a size that does not parse', () => [...compiling(files.model), '--shape', 'x=1x'], 2, 'usage/command-line'],
    ['a shape of no input', () => [...compiling(files.model), '--shape', 'z=1x4'], 3, 'input/unknown'],
  ])('%s', async (_, words, exitCode, errorCode) => {
    const { code, json: line } = await json(...words())
    expect([code, line.code]).toEqual([exitCode, errorCode])
    expect(Object.keys(line)).toEqual(['schema', 'command', 'code', 'message', 'details', 'fix'])
  })

  test('a value that is saturated instead', async () => {
    const { code, json: line } = await json('run', dir, '--input', samples('far.json', [9, 0, 0, 0]), '--saturate')
    expect([code, line.schema, line.results.length]).toEqual([0, 'veritensor/run@1', 1])
  })
})

test('--quiet says nothing but the result, and errors', async () => {
  expect((await cli('inspect', dir, '--quiet')).err).toBe('')
  expect((await cli('run', dir, '--input', files.inputs, '-q')).err).toBe('')
  expect((await cli('run', dir, '--input', files.inputs)).err).toMatch(/^run · 0\.\d\d s · 3 inputs\n$/)
})

test('inspect tells rows per layer, operator and gadget, which add up', async () => {
  const { json: line } = await json('inspect', dir)
  const sum = (o: Record<string, number>): number => Object.values(o).reduce((a, b) => a + b, 0)
  expect(line.layers.map((l: { rows: number }) => l.rows).reduce((a: number, b: number) => a + b, 0)).toBe(line.rows)
  expect([sum(line.ops), sum(line.gadgets)]).toEqual([line.rows, line.rows])
  expect(line.macs).toBe(4 * 3 + 3 * 3)
  expect(line.layers.map((l: { name: string; op: string; kind: string }) => [l.name, l.op, l.kind])).toEqual([
    ['x', null, 'input range'],
    ['dense', 'Gemm', 'linear'],
    ['relu', 'Relu', 'requantise'],
    ['head', 'Gemm', 'linear'],
    ['logits', null, 'output'],
  ])
  expect(line.graph.nodes.map((n: { op: string }) => n.op)).toEqual(['Gemm', 'Relu', 'Gemm'])
  expect(line.files.map((f: { state: string }) => f.state)).toEqual(['ok', 'ok', 'ok', 'ok'])
  const { out } = await cli('inspect', dir)
  for (const part of ['Graph "tiny"', 'input range', 'requantise', 'model.vtb', 'none: make one with veritensor setup'])
    expect(out[0]).toContain(part)
})

test('inspect of a model needs no directory', async () => {
  const { code, json: line } = await json('inspect', files.model)
  expect([code, line.graph.nodes.length, line.graph.parameters]).toEqual([0, 3, 4 * 3 + 3 + 9 + 3])
  expect((await cli('inspect', files.model)).out[0]).toContain('float32[1, 4] float32[4, 3] float32[3]')
  expect((await cli('inspect', dir, '--shape', 'x=1x4')).code).toBe(2)
})

test('names in a model can not steer the terminal', async () => {
  const evil = 'x\u001b[31m\r'
  const path = files.at('evil.onnx')
  const model = (op: string) =>
    encodeModel({
      inputs: [{ name: evil, shape: [1, 4] }],
      outputs: [{ name: 'y' }],
      nodes: [{ op, name: evil, inputs: [evil], outputs: ['y'] }],
    })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
  const steering = /[\u0000-\u0009\u000b-\u001f]/
  writeFileSync(path, model('Relu'))
  const shown = await cli('inspect', path)
  expect(shown.code).toBe(0)
  expect(shown.out[0]).not.toMatch(steering)
  writeFileSync(path, model('Evil'))
  const refused = await cli('inspect', path)
  expect(refused.code).toBe(3)
  expect(refused.err).not.toMatch(steering)
})
