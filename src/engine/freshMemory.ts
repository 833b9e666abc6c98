/**
 * A shared memory with what all threads need of it, and an instance whose kernels were found to compute rightly.
 * @module
 */
import { R } from '../groth16/bn254.ts'
import { Wasm, type WasmMemory, type WasmModule } from '../groth16/wasm.ts'
import type { Variant } from './kernels/build.ts'
import { EngineMemoryError } from './layout.ts'
import { openRuntime, type Runtime, writeShared } from './runtime.ts'
import { selfTest } from './selfTest.ts'

/**
 * Makes a memory of `bytes`, for `what`. The instance has its room at `slot`; the self-test overwrites a few kilobytes from
 * `spare` on.
 *
 * Throws EngineMemoryError, if the machine does not give as much, and SelfTestError.
 */
export function freshMemory(
  { variant, module }: { readonly variant: Variant; readonly module: WasmModule },
  bytes: number,
  what: string,
  { slot, spare }: { readonly slot: number; readonly spare: number },
): { readonly memory: WasmMemory; readonly runtime: Runtime } {
  const memory = allocate(bytes, what)
  const runtime = openRuntime(variant, module, memory, slot)
  writeShared(runtime, R)
  selfTest(runtime, spare)
  return { memory, runtime }
}

function allocate(bytes: number, what: string): WasmMemory {
  try {
    return new Wasm.Memory({ initial: Math.ceil(bytes / 65536), maximum: 65536, shared: true })
  } catch {
    throw new EngineMemoryError(bytes, what)
  }
}
