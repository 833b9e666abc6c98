/**
 * Writes the kernel modules that src/engine loads. A test makes them again and compares.
 *
 * npm run kernels
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { buildKernels, VARIANTS } from '../src/engine/kernels/build.ts'
import { packageRoot } from '../src/packageRoot.ts'

const folder = join(packageRoot, 'src/engine/kernels/generated')
mkdirSync(folder, { recursive: true })
for (const variant of VARIANTS) {
  const bytes = buildKernels(variant)
  const text = deflateRawSync(bytes, { level: 9 }).toString('base64')
  const lines = text.match(/.{1,112}/g)!.map((line) => `  '${line}',\n`)
  const file = join(folder, `${variant}.ts`)
  writeFileSync(
    file,
    `/** Made by \`npm run kernels\`: deflated WebAssembly in base64. */\nexport default [\n${lines.join('')}].join('')\n`,
  )
  console.log(`${variant}: ${bytes.length} bytes, ${text.length} characters`)
}
