/**
 * Which kernels this machine runs, found by trying.
 * @module
 */
import { setFlagsFromString } from 'node:v8'
import { inflateRawSync } from 'node:zlib'
import { VeritensorError } from '../errors.ts'
import { Wasm, type WasmModule } from '../groth16/wasm.ts'
import type { Variant } from './kernels/build.ts'
import fma from './kernels/generated/fma.ts'
import int from './kernels/generated/int.ts'

/** VERITENSOR_ENGINE holds something else, or asks for what this machine can't do. */
export class EngineChoiceError extends VeritensorError {
  constructor(message: string, fix: string) {
    super('environment/engine', message, { fix })
  }
}

/** What makes proofs: our kernels on fused multiply-add or on integers, or snarkjs. */
export type EngineChoice = 'fma' | 'int' | 'snarkjs'

/** (func (export "f") (param f64 f64 f64) (result f64)): lane 0 of f64x2.relaxed_madd of the three, splatted. */
const MADD = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 8, 1, 0x60, 3, 0x7c, 0x7c, 0x7c, 1, 0x7c],
  ...[3, 2, 1, 0],
  ...[7, 5, 1, 1, 0x66, 0, 0],
  ...[
    10, 22, 1, 20, 0, 0x20, 0, 0xfd, 0x14, 0x20, 1, 0xfd, 0x14, 0x20, 2, 0xfd, 0x14, 0xfd, 0x87, 0x02, 0xfd, 0x21, 0,
    0x0b,
  ],
)

/**
 * Whether relaxed SIMD is there and its multiply-add rounds once. On Node 20 it is behind a flag, which may be set as long
 * as no module has been compiled that needs it. Without fusion in the processor the kernels would be silently wrong.
 */
function fuses(): boolean {
  if (!Wasm.validate(MADD)) setFlagsFromString('--experimental-wasm-relaxed-simd')
  if (!Wasm.validate(MADD)) return false
  const { f } = new Wasm.Instance(new Wasm.Module(MADD), {}).exports as { f(a: number, b: number, c: number): number }
  const a = 1 + 2 ** -30
  return f(a, a, -(a * a)) === 2 ** -60
}

let fused: boolean | undefined

/**
 * The engine for this process: what VERITENSOR_ENGINE says, or else the fastest that works.
 *
 * Throws EngineChoiceError.
 */
export function chooseEngine(wanted = process.env.VERITENSOR_ENGINE): EngineChoice {
  if (wanted === 'int' || wanted === 'snarkjs') return wanted
  if (wanted !== undefined && wanted !== '' && wanted !== 'fma')
    throw new EngineChoiceError(`VERITENSOR_ENGINE is "${wanted}"`, 'Set it to fma, int or snarkjs, or leave it out.')
  fused ??= fuses()
  if (wanted === 'fma' && !fused)
    throw new EngineChoiceError(
      'this machine has no fused multiply-add in WebAssembly',
      'Leave VERITENSOR_ENGINE out, or set it to int.',
    )
  return fused ? 'fma' : 'int'
}

/** The kernels of this process, also where snarkjs makes the proofs. Throws EngineChoiceError. */
export function kernelVariant(): Variant {
  const engine = chooseEngine()
  return engine === 'snarkjs' ? (chooseEngine('') as Variant) : engine
}

const texts: Readonly<Record<Variant, string>> = { fma, int }
const modules = new Map<Variant, WasmModule>()

/** The compiled kernels of a variant. Throws EngineChoiceError if this machine can't compile them. */
export function kernelModule(variant: Variant): WasmModule {
  let module = modules.get(variant)
  if (module === undefined) {
    if (variant !== 'int') chooseEngine('fma') // sets the flag of relaxed SIMD
    module = new Wasm.Module(Uint8Array.from(inflateRawSync(Buffer.from(texts[variant], 'base64'))))
    modules.set(variant, module)
  }
  return module
}
