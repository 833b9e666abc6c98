#!/usr/bin/env node
/**
 * npm's WebAssembly solc in the shape that forge expects of a native compiler: `--version`, and `--standard-json` on
 * standard input. Anything else is refused.
 */
const { existsSync, readFileSync } = require('node:fs')
const { resolve } = require('node:path')
const solc = require('solc')

const words = process.argv.slice(2)
if (words.some((word) => word === '--version' || word === '-V')) {
  // forge reads the second line and knows native platforms only
  process.stdout.write(`solc, npm package\nVersion: ${solc.version().replace('Emscripten.clang', 'Linux.g++')}\n`)
} else if (words.includes('--standard-json')) {
  const valuesOf = (name) => words.flatMap((word, i) => (word === name ? [words[i + 1]] : []))
  const roots = [valuesOf('--base-path')[0] ?? process.cwd(), ...valuesOf('--include-path')]
  const read = (path) => {
    const found = roots.map((root) => resolve(root, path)).find((file) => existsSync(file))
    return found === undefined ? { error: `${path} not found` } : { contents: readFileSync(found, 'utf8') }
  }
  process.stdout.write(solc.compile(readFileSync(0, 'utf8'), { import: read }))
} else {
  process.stderr.write(`solc.cjs knows --version and --standard-json, not ${words.join(' ')}\n`)
  process.exitCode = 2
}
