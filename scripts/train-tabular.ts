// Trains examples/tabular: npx tsx scripts/train-tabular.ts [DIRECTORY]
import { fileURLToPath } from 'node:url'
import { writeExample } from './training/example.ts'
import { tabularExample } from './training/tabularExample.ts'

const directory = process.argv[2] ?? fileURLToPath(new URL('../examples/tabular', import.meta.url))
writeExample(
  directory,
  tabularExample.build((line) => console.error(line)),
)
console.log(`wrote ${directory}`)
