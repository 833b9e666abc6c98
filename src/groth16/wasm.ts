type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** The part of WebAssembly's JavaScript API that we use: Node's type definitions name its types, but no values. */
type Api = {
  readonly Memory: new (options: { initial: number; maximum?: number; shared?: boolean }) => WasmMemory
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => WasmModule
  readonly Instance: new (
    module: WasmModule,
    imports: Imports,
  ) => { readonly exports: Readonly<Record<string, unknown>> }
  validate(bytes: Uint8Array<ArrayBuffer>): boolean
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<WasmModule>
  instantiate(module: WasmModule, imports: Imports): Promise<{ readonly exports: Readonly<Record<string, unknown>> }>
}

/** A linear memory. */
export type WasmMemory = { readonly buffer: ArrayBuffer }

/** Compiled code, opaque; it crosses threads by reference. */
export type WasmModule = object & { readonly wasmModule?: never }

export const Wasm = (globalThis as unknown as { readonly WebAssembly: Api }).WebAssembly
