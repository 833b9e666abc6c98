import { describe, expect, test } from 'vitest'
import { flipBit, forgeClass } from '../../src/cli/demo/forgery.ts'
import { gallery, halfBlocks } from '../../src/cli/demo/picture.ts'
import { demoResult, type Findings } from '../../src/cli/demo/result.ts'
import type { Proof } from '../../src/groth16/keys.ts'

/** Pixels of a drawing: '#' is ink, '+' too light to be. */
const draw = (...rows: string[]): number[] => rows.flatMap((row) => [...row].map((c) => ({ '#': 1, '+': 0.3 })[c] ?? 0))

describe('pictures', () => {
  test('two rows of pixels make a line of half blocks', () => {
    expect(halfBlocks(draw('##..', '#.#.'), 4)).toEqual(['█▀▄'])
  })

  test('empty margins are cut off, gaps inside stay', () => {
    const image = draw('......', '......', '..#...', '......', '......', '......', '..##..', '..#...')
    expect(halfBlocks(image, 6)).toEqual(['▀', '', '█▀'])
  })

  test('an odd number of rows ends in upper halves; faint pixels are no ink', () => {
    expect(halfBlocks(draw('#+', '##', '.#'), 2)).toEqual(['█▄', ' ▀'])
  })

  test('an image without ink is an empty line', () => {
    expect(halfBlocks(new Float64Array(16), 4)).toEqual([''])
  })

  const picture = (width: number, height: number, caption: string) => ({
    lines: Array.from({ length: height }, () => '█'.repeat(width)),
    caption,
  })

  test('pictures stand side by side, bottoms aligned', () => {
    expect(gallery([picture(3, 2, 'a'), picture(2, 1, 'bcd')], 20)).toBe('███\n███   ██\na     bcd')
  })

  test('rows are as even as they can be and as few as the width allows', () => {
    const four = Array.from({ length: 4 }, (_, i) => picture(4, 1, String(i)))
    const captions = (columns: number) =>
      gallery(four, columns)
        .split('\n\n')
        .map((row) => row.split('\n').at(-1)!.replace(/\s+/g, ''))
    expect(captions(25)).toEqual(['0123'])
    expect(captions(24)).toEqual(['01', '23'])
    expect(captions(1)).toEqual(['0', '1', '2', '3'])
  })

  test('no line is wider than the terminal', () => {
    const ten = Array.from({ length: 10 }, (_, i) => picture(5 + ((7 * i) % 15), 4 + (i % 3), `class ${i}`))
    for (const columns of [20, 40, 60, 80, 200])
      expect(
        Math.max(
          ...gallery(ten, columns)
            .split('\n')
            .map((line) => line.length),
        ),
      ).toBeLessThanOrEqual(columns)
  })
})

describe('forgeries', () => {
  const scores = (...values: number[]) => values.map(BigInt)

  test('the second best class becomes the best by one', () => {
    expect(forgeClass(scores(-5, 70, 12, 40))).toEqual({ scores: scores(-5, 70, 12, 71), from: 1, to: 3 })
  })

  test('negative scores are compared as such', () => {
    expect(forgeClass(scores(-9, -3, -7))).toEqual({ scores: scores(-9, -3, -2), from: 1, to: 2 })
    expect(forgeClass(scores(-1, -8))).toEqual({ scores: scores(-1, 0), from: 0, to: 1 })
  })

  test('the first of equal scores is the class', () => {
    expect(forgeClass(scores(6, 6, 6))).toEqual({ scores: scores(6, 7, 6), from: 0, to: 1 })
  })

  test('one score is no class', () => {
    expect(() => forgeClass([1n])).toThrow(RangeError)
  })

  test('one bit of the proof is flipped, nothing else', () => {
    const proof: Proof = { a: { x: 6n, y: 1n }, b: { x: [2n, 3n], y: [4n, 5n] }, c: { x: 8n, y: 9n } }
    expect(flipBit(proof)).toEqual({ ...proof, a: { x: 7n, y: 1n } })
    expect(flipBit(flipBit(proof))).toEqual(proof)
  })
})

describe('the result', () => {
  const chain = { valid: true, chainId: 31337n, address: '0xA', gasUsed: 277_791n, transactionHash: '0xB' }
  const compiled = {
    model: { name: 'mnist', inputs: [], layers: [], outputs: [] },
    circuit: { rows: 26_365, wires: 25_566 },
    report: { samples: 60, maxError: 0.2, meanError: 0.05, relativeError: 0.01, argmaxAgreement: 1 },
  } as unknown as Findings['compiled']
  const digit = {
    ...{ label: 7, pixels: new Float64Array(784).fill(1, 0, 56), proved: 7, float: 7, seconds: 2.5 },
    ...{ offChain: true, onChain: chain },
  }
  const answer = { refused: true, why: 'the contract answers false' }
  const attempt = { what: 'claim class 9 instead of 7', offChain: answer, onChain: answer }
  const good: Findings = {
    ...{ digits: [digit], attempts: [attempt], compiled, seconds: { compile: 0.5 }, total: 12, kept: undefined },
    verifier: {
      ...{ address: '0xA', transactionHash: '0xC', chainId: 31337n, blockNumber: 1, gasUsed: 659_190n },
      ...{ from: '0xD', codeBytes: 2803 },
    },
  }

  test('all as it should be: exit code 0, a table, loud about the key', () => {
    const { exitCode, text, json } = demoResult(good, 80)
    expect(exitCode).toBe(0)
    expect(text).toMatch(/^ +7 +7 +7 +26,365 +2\.5 s +valid +valid +277,791$/m)
    expect(text).toContain('UNSAFE DEVELOPMENT KEY')
    expect(text).toContain('1 digits proved and verified, 1 forgeries refused, in 12 s')
    expect(json).toMatchObject({ schema: 'veritensor/demo@1', ok: true, digits: [{ digit: 7, gas: 277_791 }] })
    expect(JSON.parse(JSON.stringify(json))).toEqual(json)
  })

  test('without a chain nothing is said about one', () => {
    const { onChain: _, ...offDigit } = digit
    const { onChain: __, ...offAttempt } = attempt
    const { exitCode, text } = demoResult({ ...good, digits: [offDigit], attempts: [offAttempt], verifier: undefined })
    expect(exitCode).toBe(0)
    expect(text).not.toMatch(/on-chain|gas/)
  })

  const refuses: Readonly<Record<string, Partial<Findings>>> = {
    'an honest proof refused off-chain': { digits: [{ ...digit, offChain: false }] },
    'an honest proof refused on-chain': { digits: [{ ...digit, onChain: { ...chain, valid: false } }] },
    'a forgery accepted off-chain': { attempts: [{ ...attempt, offChain: { ...answer, refused: false } }] },
    'a forgery accepted on-chain': { attempts: [{ ...attempt, onChain: { ...answer, refused: false } }] },
  }
  test.each(Object.entries(refuses))('%s: exit code 4', (_, change) => {
    const { exitCode, text, json } = demoResult({ ...good, ...change }, 80)
    expect(exitCode).toBe(4)
    expect(json.ok).toBe(false)
    expect(text).toMatch(/FAILED: (an honest proof was refused|a forgery was accepted)/)
    expect(text).not.toContain('digits proved and verified')
  })
})
