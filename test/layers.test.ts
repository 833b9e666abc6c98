import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Lowest first; a file may import its own layer and those before it. The longest matching prefix decides. */
const layers = [
  'circuits/field.ts',
  'circuits/',
  'src/errors.ts',
  'src/files.ts',
  'src/visibility.ts',
  'src/tensor.ts',
  'src/packageRoot.ts',
  'src/version.ts',
  'src/model/',
  'src/graph/graph.ts',
  'src/ops/',
  'src/graph/',
  'src/samples/',
  'src/quantise/',
  'src/compile.ts',
  'src/groth16/',
  'src/estimate.ts',
  'src/engine/',
  'src/workers/',
  'src/solidity/',
  'src/pipeline/',
  'src/artefacts/',
  'src/chain/',
  'src/index.ts',
  'src/cli/',
]

const layerOf = (file: string): number => {
  const prefixes = layers.filter((l) => file.startsWith(l))
  const longest = prefixes.sort((a, b) => b.length - a.length)[0]
  return longest === undefined ? -1 : layers.indexOf(longest)
}

const files = ['circuits', 'src'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith('.ts'))
    .map((f) => join(folder, f)),
)

test('every file belongs to a layer', () => {
  expect(files.filter((f) => layerOf(f) < 0)).toEqual([])
})

test('imports only point down', () => {
  const wrong: string[] = []
  for (const file of files)
    for (const [statement, target] of readFileSync(join(root, file), 'utf8').matchAll(
      /^(?:import|export)\b[^'\n]*(?:\n[^'\n]*)*?from '(\.[^']+)'/gm,
    )) {
      const to = normalize(join(dirname(file), target!))
      // types of a graph are shared by the operators that it is made of
      if (/^import type/.test(statement) && to === 'src/graph/graph.ts') continue
      if (layerOf(to) > layerOf(file)) wrong.push(`${file} imports ${to}`)
    }
  expect(wrong).toEqual([])
})
