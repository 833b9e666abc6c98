// Measures the committed example models on their held-out data: npx tsx scripts/accuracy-examples.ts [NAME…]
import { readFileSync } from 'node:fs'
import { engines } from './training/engines.ts'
import { formatScore, score } from './training/evaluate.ts'
import { mnistExample } from './training/mnistExample.ts'
import { tabularExample } from './training/tabularExample.ts'

const wanted = process.argv.slice(2)
for (const { name, split } of [mnistExample, tabularExample]) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const read = (file: string) => readFileSync(new URL(`../examples/${name}/${file}`, import.meta.url))
  const { train, test } = split()
  for (const [engine, load] of Object.entries(engines)) {
    const classify = load(read('model.onnx'), read('calibration.npy'))
    console.log(`${name}, ${engine}: held out ${formatScore(score(classify, test))}`)
    console.log(`${name}, ${engine}: training ${formatScore(score(classify, train))}`)
  }
}
