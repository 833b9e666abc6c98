// Trains examples/mnist: npx tsx scripts/train-mnist.ts [DIRECTORY]
import { fileURLToPath } from 'node:url'
import { writeExample } from './training/example.ts'
import { mnistExample } from './training/mnistExample.ts'

const directory = process.argv[2] ?? fileURLToPath(new URL('../examples/mnist', import.meta.url))
writeExample(
  directory,
  mnistExample.build((line) => console.error(line)),
)
console.log(`wrote ${directory}`)
