import { describe, expect, test } from 'vitest'
import { one, parseArguments, suggestion, UsageError } from '../../src/cli/args.ts'

const specs = {
  verbose: { type: 'flag', short: 'v', help: '' },
  out: { type: 'string', short: 'o', value: 'FILE', help: '' },
  mode: { type: 'string', choices: ['public', 'private'], help: '' },
  jobs: { type: 'integer', min: 1, max: 8, help: '' },
  input: { type: 'strings', value: 'FILE', help: '' },
} as const

const parse = (...words: string[]) => parseArguments(words, specs)
const refusal = (...words: string[]): string => {
  try {
    parse(...words)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    expect(error.code).toBe('usage/command-line')
    return error.fix === undefined ? error.message : `${error.message}; ${error.fix}`
  }
  return 'nothing was thrown'
}

describe('parseArguments', () => {
  test('options that are not given are undefined, false or empty', () => {
    expect(parse()).toEqual({
      options: { verbose: false, out: undefined, mode: undefined, jobs: undefined, input: [] },
      positionals: [],
    })
  })

  test('takes --name value, --name=value, -n value and flags, between positionals', () => {
    const { options, positionals } = parse('DIR', '-o', 'a', '--jobs=3', '-v', 'X', '--mode', 'public')
    expect(options).toEqual({ verbose: true, out: 'a', mode: 'public', jobs: 3, input: [] })
    expect(positionals).toEqual(['DIR', 'X'])
  })

  test('a list takes every word up to the next option, and may be given again', () => {
    const { options, positionals } = parse('DIR', '--input', 'a', 'b', '-v', '--input=c', 'P')
    expect(options.input).toEqual(['a', 'b', 'c'])
    expect(positionals).toEqual(['DIR', 'P'])
  })

  test('-- ends options, - is a word, and values may hold =', () => {
    expect(parse('--', '--out', '-v').positionals).toEqual(['--out', '-v'])
    expect(parse('-o', '-').options.out).toBe('-')
    expect(parse('--out=a=b').options.out).toBe('a=b')
    expect(parse('--out=').options.out).toBe('')
  })

  test.each([
    [['--ouy', 'x'], 'unknown option --ouy; did you mean --out?'],
    [['--zzzzzz'], 'unknown option --zzzzzz'],
    [['-x'], 'unknown option -x'],
    [['--__proto__', 'x'], 'unknown option --__proto__'],
    [['--constructor'], 'unknown option --constructor'],
    [['-vo', 'x'], 'unknown option -vo'],
    [['--out', 'a', '--out', 'b'], 'option --out is given twice'],
    [['-v', '--verbose'], 'option --verbose is given twice'],
    [['--out'], 'option --out needs a value: --out FILE'],
    [['--out', '--verbose'], 'option --out needs a value: --out FILE'],
    [['--input'], 'option --input needs a value: --input FILE'],
    [['--verbose=yes'], 'option --verbose takes no value'],
    [['--jobs', '0'], 'option --jobs: "0" is not an integer from 1 to 8'],
    [['--jobs', '9'], 'option --jobs: "9" is not an integer from 1 to 8'],
    [['--jobs', '2.5'], 'option --jobs: "2.5" is not an integer from 1 to 8'],
    [['--jobs', '0x2'], 'option --jobs: "0x2" is not an integer from 1 to 8'],
    [['--jobs='], 'option --jobs: "" is not an integer from 1 to 8'],
    [['--mode', 'secret'], 'option --mode: "secret" is not one of public, private'],
  ])('%j: %s', (words, message) => {
    expect(refusal(...words)).toBe(message)
  })

  test('a required option must be there', () => {
    const required = { out: { type: 'string', value: 'FILE', required: true, help: '' } } as const
    expect(() => parseArguments([], required)).toThrow('option --out FILE is required')
    expect(parseArguments(['--out', 'x'], required).options.out).toBe('x')
  })
})

test('one takes exactly one word', () => {
  expect(one(['a'], 'takes one DIR')).toBe('a')
  expect(() => one([], 'takes one DIR')).toThrow('takes one DIR')
  expect(() => one(['a', 'b'], 'takes one DIR')).toThrow('takes one DIR')
})

test('a suggestion is a word that is close', () => {
  const known = ['compile', 'prove', 'verify']
  expect(suggestion('complie', known)).toBe('did you mean compile?')
  expect(suggestion('verifyy', known)).toBe('did you mean verify?')
  expect(suggestion('deploy', known)).toBeUndefined()
  expect(suggestion('x', [])).toBeUndefined()
})
