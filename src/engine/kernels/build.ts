/**
 * The kernel modules. All variants have the same exports and the same sizes; only limbs differ.
 * @module
 */
import { Q, R } from '../../groth16/bn254.ts'
import { conversionKernels, zeroTest } from './convert.ts'
import { curveKernels } from './curve.ts'
import { extensionKernels, quadraticFunctions } from './extension.ts'
import type { FieldKernels } from './field.ts'
import { fmaField } from './fma.ts'
import { intField } from './int.ts'
import { listKernels } from './lists.ts'
import { pairingKernels } from './pairing.ts'
import { quotientKernels } from './quotient.ts'
import { prime, quadratic } from './tower.ts'
import { transformKernels } from './transform.ts'
import { at, createModule, get, type ModuleBuilder, setGlobal } from './wasm.ts'

/** Kernels on fused multiply-add, and on integers. */
export const VARIANTS = ['fma', 'int'] as const
export type Variant = (typeof VARIANTS)[number]

/** Memory below this belongs to the constants of the modules. */
export const RESERVED = 16384

/** Where the digits of an exponent lie. */
const EXPONENT = 1024

/** Every operation of a field as a function, for the self-test and for tests. */
function exportField(module: ModuleBuilder, name: string, field: FieldKernels): void {
  const { mul, sqr, mulAdd, mulSub, fromDouble, fromBytes, toBytes, copyLane } = field
  const functions = { mul, sqr, mulAdd, mulSub, fromDouble, fromBytes, toBytes, copyLane }
  for (const [operation, func] of Object.entries(functions)) module.export(fieldExport(name, operation), func)
  for (const operation of ['add', 'sub', 'addReduce', 'subReduce'] as const)
    module.func(fieldExport(name, operation), ['i32', 'i32', 'i32'], [], (f, z, x, y) =>
      field[operation](f, at(z!), at(x!), at(y!)),
    )
}

const fieldExport = (name: string, operation: string): string =>
  `${name}${operation[0]!.toUpperCase()}${operation.slice(1)}`

export function buildKernels(variant: Variant): Uint8Array<ArrayBuffer> {
  const module = createModule()
  const scratch = module.global()
  // (address): where this thread has its scratch pairs
  module.func('useScratch', ['i32'], [], (_, address) => setGlobal(scratch, get(address!)))
  const field = (p: bigint): FieldKernels => (variant === 'int' ? intField(module, p) : fmaField(module, p))
  const [fq, fr] = [field(Q), field(R)]
  const g1 = prime(module, fq, scratch, EXPONENT)
  const g2 = quadratic(module, fq, g1, scratch)
  const zero = zeroTest(module, 'fqZero', fq, scratch)
  zeroTest(module, 'frZero', fr, scratch)
  for (const [name, kernels] of Object.entries({ fq, fr })) {
    exportField(module, name, kernels)
    conversionKernels(module, name, kernels, scratch)
  }
  curveKernels(module, 'g1', g1, zero, scratch)
  curveKernels(module, 'g2', g2, zero, scratch)
  const quadraticField = quadraticFunctions(module, fq, g2, scratch)
  extensionKernels(module, fq, g2, quadraticField, scratch)
  pairingKernels(module, fq, g2, quadraticField, scratch)
  module.export('fqInverse', g1.inverse)
  transformKernels(module, fr, scratch)
  quotientKernels(module, fr, scratch)
  listKernels(module)
  return module.finish()
}
