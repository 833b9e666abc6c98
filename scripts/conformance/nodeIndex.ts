import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../../src/cli/args.ts'

/** A row of an index of operator tests. */
export type NodeTest = {
  readonly name: string
  /** Operators of the model, `domain::Op` outside of ai.onnx. */
  readonly ops: readonly string[]
  /** Marked core, without expanded function bodies, of plain element types, and passing in onnxruntime. */
  readonly wanted: boolean
}

/** The tests that FOLDER/index.csv lists. Throws UsageError where there is none. */
export function readNodeIndex(folder: string): NodeTest[] {
  const path = join(folder, 'index.csv')
  if (!existsSync(path)) throw new UsageError(`${folder} holds no index.csv of operator tests`)
  const [header, ...rows] = readFileSync(path, 'utf8').trim().split('\n')
  const columns = header!.split(',')
  return rows.map((row) => {
    const cells = Array.from(row.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g), ([, cell]) => cell!)
    const cell = (name: string): string | undefined => cells[columns.indexOf(name)]
    return {
      name: cell('test')!,
      ops: cell('ops')!.split(' ').filter(Boolean),
      wanted:
        cell('tier') === 'core' &&
        cell('expanded') === '0' &&
        cell('ort_1_30_status') === 'pass' &&
        (cell('plain_dtypes') ?? '1') === '1',
    }
  })
}
