import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { packageRoot } from '../../src/packageRoot.ts'

/** The forge binary of the npm package for this platform, which needs no install script, and the folder to run it in. */
export function findForge(): { readonly forge: string; readonly cwd: string } {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  const require = createRequire(createRequire(import.meta.url).resolve('@foundry-rs/forge/package.json'))
  const manifest = require.resolve(`@foundry-rs/forge-${process.platform}-${arch}/package.json`)
  const file = process.platform === 'win32' ? 'forge.exe' : 'forge'
  return { forge: join(dirname(manifest), 'bin', file), cwd: join(packageRoot, 'verifier-contracts') }
}
