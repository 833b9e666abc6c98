import { describe, expect, test } from 'vitest'
import { solve } from '../../../circuits/solve.ts'
import { compile } from '../../../src/compile.ts'
import { arrange, type Rewrite, rewrites } from '../../../src/model/arrange.ts'
import type { Layer } from '../../../src/model/layers/index.ts'
import { analyse, type IntegerModel, prepareInteger } from '../../../src/model/model.ts'
import { seeded } from '../../support/random.ts'
import { randomInput, randomModel } from '../../support/randomModel.ts'

const SEED = 31

const outputOf = (model: IntegerModel, x: Float64Array): number[] =>
  Array.from(prepareInteger(model)([x])[model.outputs[0]!.value]!, Number)

const rowsOf = (model: IntegerModel, rewrite: Rewrite): number =>
  compile(model, { input: 'private', output: 'public' }, { rewrite }).rows

/** The rewritten model, after checks that it is the same function, also as a circuit. */
function checked(model: IntegerModel, rewrite: Rewrite, inputs: readonly Float64Array[]): IntegerModel {
  const rewritten = rewrite(model)
  analyse(rewritten)
  const circuit = compile(model, { input: 'private', output: 'public' }, { rewrite })
  for (const x of inputs) {
    const y = outputOf(model, x)
    expect(outputOf(rewritten, x)).toEqual(y)
    expect(Array.from(solve(circuit, x).small.subarray(1, 1 + y.length))).toEqual(y)
  }
  return rewritten
}

describe('every rewrite keeps the function', () => {
  test.each([...Object.entries(rewrites), ['all of them', arrange] as const])(`%s (seed ${SEED})`, (_, rewrite) => {
    const random = seeded(SEED)
    for (let k = 0; k < 60; k++) {
      const model = randomModel(random, 8)
      checked(
        model,
        rewrite,
        Array.from({ length: 3 }, () => randomInput(random, model)),
      )
    }
  })
})

/** A model of one input of `size` integers in [lo, hi]. */
function modelOf(layers: readonly Layer[], lo: number, hi: number, size = 6): IntegerModel {
  const { shape } = layers.at(-1)!
  return {
    name: 'test',
    inputs: [{ name: 'x', shape: [size], scale: 1, value: 0, lo, hi }],
    layers,
    outputs: [{ name: 'y', shape, scale: 1, value: layers.length }],
  }
}

const kinds = ({ layers }: IntegerModel): string[] => layers.map(({ kind }) => kind)

const requantise = (from: number, shift: number, lo: number, hi: number, size = 6): Layer => ({
  ...{ kind: 'requantise', name: `requantise${from}`, inputs: [from], shape: [size] },
  ...{ shifts: Uint8Array.of(shift), inner: size, lo, hi },
})
const gather = (from: readonly number[], map: readonly number[], fill = 0): Layer => ({
  ...{ kind: 'gather', name: `gather${from}`, inputs: from, shape: [map.length] },
  ...{ map: Int32Array.from(map), fill },
})
const lookup = (from: number, first: number, table: readonly number[], size = 6): Layer => ({
  ...{ kind: 'lookup', name: `lookup${from}`, inputs: [from], shape: [size] },
  ...{ table: Float64Array.from(table), first },
})
const linear = (
  from: readonly number[],
  rows: readonly (readonly (readonly [number, number])[])[],
  bias = 0,
): Layer => ({
  kind: 'linear',
  name: `linear${from}`,
  inputs: from,
  shape: [rows.length],
  map: {
    type: 'sparse',
    starts: Uint32Array.from([0, ...rows.map((_, j) => rows.slice(0, j + 1).reduce((n, row) => n + row.length, 0))]),
    positions: Uint32Array.from(rows.flat(), ([p]) => p),
    weights: Float64Array.from(rows.flat(), ([, w]) => w),
    bias: new Float64Array(rows.length).fill(bias),
  },
})
const max = (from: number, windows: readonly (readonly number[])[]): Layer => ({
  kind: 'max',
  name: `max${from}`,
  inputs: [from],
  shape: [windows.length],
  starts: Uint32Array.from([0, ...windows.map((_, j) => windows.slice(0, j + 1).reduce((n, w) => n + w.length, 0))]),
  positions: Uint32Array.from(windows.flat()),
})
const relu = (from: number, size = 6): Layer => ({ kind: 'relu', name: `relu${from}`, inputs: [from], shape: [size] })

const range = (n: number, f: (i: number) => number): number[] => Array.from({ length: n }, (_, i) => f(i))
const each = (n: number): number[] => range(n, (i) => i)

describe('a rewrite does what it is for', () => {
  const random = seeded(SEED + 1)
  const removeUnused = rewrites.removeUnusedLayers!
  /** The rewritten model without what nothing reads any more, which takes fewer rows than the model as it is. */
  const better = (model: IntegerModel, given: Rewrite): IntegerModel => {
    const rewrite: Rewrite = (m) => removeUnused(given(m))
    const inputs = range(8, () => 0).map(() => randomInput(random, model))
    const rewritten = checked(model, rewrite, inputs)
    expect(rowsOf(model, rewrite)).toBeLessThan(rowsOf(model, (m) => m))
    return rewritten
  }
  const name = (key: string): Rewrite => rewrites[key]!

  test('moves of moves', () => {
    const model = modelOf([gather([0], [3, -1, 1, 1], 4), gather([1, 0], [1, 0, 9, -1], 4)], -9, 9)
    const merged = checked(model, name('mergeMoves'), [Float64Array.of(1, 2, 3, 4, 5, 6)])
    expect(merged.layers.at(-1)).toMatchObject({ inputs: [0], map: Int32Array.of(-1, 3, 5, -1), fill: 4 })
    const apart = modelOf([gather([0], [3, -1], 4), gather([1], [1, -1], 5)], -9, 9)
    expect(kinds(checked(apart, name('mergeMoves'), [Float64Array.of(1, 2, 3, 4, 5, 6)]))).toEqual(['gather', 'gather'])
  })

  test('equal layers, and equal elements of different ones', () => {
    const twice = modelOf(
      [
        requantise(0, 3, -4, 3),
        requantise(0, 3, -4, 3),
        linear(
          [1, 2],
          [
            [
              [0, 1],
              [6, 2],
            ],
          ],
        ),
      ],
      -60,
      60,
    )
    expect(kinds(better(twice, name('shareLayers')))).toEqual(['requantise', 'linear'])
    const repeated = modelOf([gather([0], [2, 2, 5, 2, -1, 5], 7), requantise(1, 2, 0, 7)], -60, 60)
    expect(better(repeated, name('shareElements')).layers[2]).toMatchObject({ kind: 'requantise', shape: [3] })
    const partly = modelOf(
      [
        requantise(0, 2, 0, 7),
        gather([0], [5, 0, 5]),
        requantise(2, 2, 0, 7, 3),
        linear(
          [1, 3],
          [
            [
              [0, 1],
              [6, 3],
              [7, 9],
            ],
          ],
        ),
      ],
      ...[-60, 60],
    )
    expect(kinds(better(partly, name('shareElements')))).toEqual(['requantise', 'gather', 'linear'])
    const tables = modelOf(
      [
        gather([0], [1, 1, 0]),
        lookup(
          1,
          0,
          range(8, (i) => (i * i) % 5),
          3,
        ),
        relu(0),
        gather([3], [0, 0]),
        relu(4, 2),
        linear(
          [2, 5],
          [
            [
              [0, 1],
              [1, 2],
              [4, 3],
            ],
          ],
        ),
      ],
      0,
      7,
    )
    better(tables, name('shareElements'))
  })

  test('clamps behind roundings', () => {
    expect(kinds(better(modelOf([requantise(0, 3, -128, 127), relu(1)], -5000, 5000), name('mergeClamps')))).toEqual([
      'requantise',
    ])
    expect(kinds(arrange(modelOf([requantise(0, 3, -128, 127), relu(1)], -5000, 5000)))).toEqual(['requantise'])
    for (const [lo, hi] of [
      [-3, 9],
      [2, 5],
      [-9, -4],
      [200, 300],
    ] as const)
      better(modelOf([requantise(0, 3, -128, 127), requantise(1, 0, lo, hi)], -5000, 5000), name('mergeClamps'))
    for (const [shift, lo, hi] of [
      [4, -8, 7],
      [2, 3, 9],
      [0, -5, 5],
      [3, -9, -2],
    ] as const)
      better(modelOf([relu(0), requantise(1, shift, lo, hi)], -5000, 5000), name('mergeClamps'))
    // read by something else too
    const shared = modelOf(
      [
        requantise(0, 3, -128, 127),
        relu(1),
        linear(
          [1, 2],
          [
            [
              [0, 1],
              [6, 1],
            ],
          ],
        ),
      ],
      -5000,
      5000,
    )
    expect(kinds(checked(shared, name('mergeClamps'), [Float64Array.of(1, -900, 3, 4, 5, 6)]))).toEqual(kinds(shared))
  })

  const odd = range(64, (i) => ((i * 37) % 29) - 9)

  test('functions behind tables', () => {
    better(modelOf([lookup(0, -8, odd.slice(0, 16)), relu(1)], -8, 7), name('mergeIntoTables'))
    better(modelOf([lookup(0, -8, odd.slice(0, 16)), requantise(1, 2, -3, 2)], -8, 7), name('mergeIntoTables'))
    // the second table has no entries for what the first one never gives
    better(
      modelOf([lookup(0, -9, [999, ...odd.slice(0, 16)]), lookup(1, -9, odd.slice(0, 29))], -8, 7),
      name('mergeIntoTables'),
    )
  })

  test('tables that are lines, clamps or steps', () => {
    const to = name('tablesToComparisons')
    expect(
      kinds(
        better(
          modelOf(
            [
              lookup(
                0,
                -8,
                range(16, (i) => 5 - 3 * i),
              ),
            ],
            -8,
            7,
          ),
          to,
        ),
      ),
    ).toEqual(['linear'])
    const clamp = range(64, (i) => Math.min(Math.max(i - 20, 4), 11))
    expect(kinds(better(modelOf([lookup(0, -32, clamp)], -32, 31), to))).toEqual(['requantise', 'linear'])
    const steps = range(256, (i) => (i < 77 ? 3 : i < 200 ? -5 : 6))
    expect(kinds(better(modelOf([lookup(0, -128, steps)], -128, 127), to))).toEqual(['locate', 'linear'])
    const model = modelOf([lookup(0, -32, odd)], -32, 31)
    expect(kinds(to(model))).toEqual(['lookup'])
  })

  test('tables of one index, and roundings before tables', () => {
    const two = modelOf(
      [
        lookup(0, -32, odd),
        lookup(
          0,
          -32,
          odd.map((v) => v * v),
        ),
        linear(
          [1, 2],
          [
            [
              [0, 1],
              [7, 2],
            ],
          ],
        ),
      ],
      -32,
      31,
    )
    expect(kinds(better(two, name('shareIndices')))).toEqual(['lookup', 'gather', 'gather', 'linear'])
    for (const [lo, hi] of [
      [-500, 900],
      [-2, 900],
      [3, 900],
      [-500, -1],
      [-20, 19],
      [0, 63],
    ] as const) {
      const model = modelOf([requantise(0, 2, -32, 31), lookup(1, -32, odd)], lo, hi)
      expect(kinds(better(model, name('mergeRoundings')))).toEqual(['lookup'])
    }
  })

  test('shifts of even sums', () => {
    const even = modelOf(
      [
        linear(
          [0],
          [
            [
              [0, 8],
              [1, -24],
            ],
            [
              [2, 4],
              [3, 12],
            ],
          ],
          16,
        ),
        requantise(1, 5, -8, 7, 2),
      ],
      -50,
      50,
    )
    expect(better(even, name('shortenShifts')).layers.at(-1)).toMatchObject({ shifts: Uint8Array.of(2, 3) })
    const whole = modelOf([linear([0], [[[0, 8]], [[2, 8]]]), requantise(1, 3, -8, 7, 2)], -50, 50)
    expect(better(whole, name('shortenShifts')).layers.at(-1)).toMatchObject({ shifts: Uint8Array.of(0) })
    // divided unequally, the bound of both would outgrow the table
    const steps = (first: number): Layer[] => [
      linear([0], [[[0, first]], [[1, 32]]]),
      requantise(1, 6, -128, 127, 2),
      lookup(2, -80, each(161), 2),
    ]
    const rewrite = name('shortenShifts')
    const kept = checked(modelOf(steps(97), -50, 50), rewrite, [Float64Array.of(1, 2, 3, 4, 5, 6)])
    expect(kept.layers[1]).toMatchObject({ shifts: Uint8Array.of(6) })
    expect(better(modelOf(steps(100), -50, 50), rewrite).layers[1]).toMatchObject({ shifts: Uint8Array.of(4) })
  })

  test('shifts that differ stay where their sums together would seem to leave a table', () => {
    const table = range(16, (i) => i * i - 5 * i)
    const mixed = modelOf(
      [linear([0], [[[0, 16]], [[1, 15]]]), requantise(1, 4, -100, 99, 2), lookup(2, -8, table, 2)],
      -8,
      7,
    )
    const input = Float64Array.of(-8, 7, 0, 0, 0, 0)
    const rounded = checked(mixed, name('shortenShifts'), [input]).layers.find(({ kind }) => kind === 'requantise')
    expect(rounded).toMatchObject({ shifts: Uint8Array.of(4) })
  })

  test('maxima of maxima and of what pads', () => {
    const nested = modelOf(
      [
        max(0, [
          [0, 1, 2],
          [2, 3],
          [4, 5],
        ]),
        max(1, [[0, 1], [2]]),
      ],
      -50,
      50,
    )
    expect(kinds(better(nested, name('mergeMaxima')))).toEqual(['max'])
    const overlapping = modelOf(
      [
        max(0, [
          [0, 1, 2, 3],
          [4, 5],
        ]),
        max(1, [[0, 1], [0]]),
      ],
      -50,
      50,
    )
    expect(kinds(removeUnused(name('mergeMaxima')(overlapping)))).toEqual(['max', 'max'])
    const padded = modelOf(
      [
        gather([0], [-1, 0, 1, 2, 3, 4, 5, -1], -60),
        max(1, [
          [0, 1, 2],
          [3, 4, 4],
          [6, 7],
        ]),
      ],
      -50,
      50,
    )
    expect(kinds(better(padded, name('mergeMaxima')))).toEqual(['max'])
    const high = modelOf([gather([0], [-1, 0], 0), max(1, [[0, 1]])], -50, 50)
    expect(kinds(checked(high, name('mergeMaxima'), [new Float64Array(6).fill(-9)]))).toEqual(['gather', 'max'])
  })

  test('what no output reads', () => {
    const rest = modelOf([requantise(0, 3, -8, 7), relu(0), gather([1], [0, 2])], -90, 90)
    expect(kinds(better(rest, name('removeUnusedLayers')))).toEqual(['requantise', 'gather'])
    better(rest, name('removeUnusedElements'))
    better(
      modelOf(
        [
          requantise(0, 3, -8, 7),
          linear(
            [1],
            [
              [
                [0, 1],
                [1, 0],
              ],
              [[2, 1]],
            ],
          ),
        ],
        -90,
        90,
      ),
      name('removeUnusedElements'),
    )
    const divisor = modelOf(
      [
        requantise(0, 1, 1, 8),
        requantise(0, 0, 0, 255),
        { kind: 'divide', name: 'd', inputs: [2, 1], shape: [6] },
        gather([3], each(3)),
      ],
      1,
      300,
    )
    better(divisor, name('removeUnusedElements'))
  })

  test('no bounds that readers rest on grow', () => {
    const values = (n: number, lo: number, hi: number): number[] => range(n, () => random.integer(lo, hi))
    const ends = [Float64Array.of(-90, -1, 0, 1, 90, 7), Float64Array.of(15, 8, 31, 3, 0, 12)]
    const sound = (layers: readonly Layer[], lo: number, hi: number, key: string): IntegerModel => {
      const model = modelOf(layers, lo, hi)
      const inputs = ends.map((x) => x.map((v) => Math.min(Math.max(v, lo), hi)))
      checked(model, arrange, inputs)
      return checked(model, name(key), inputs)
    }
    // two tables of one index, of which one is the index of a third
    const tables = [lookup(0, 0, values(256, 0, 99)), lookup(0, 0, values(256, -300, 300))]
    const third = [lookup(1, 0, values(100, -500, 500)), requantise(3, 1, 0, 255), gather([4], [0, 2])]
    const shared = sound(
      [
        ...tables,
        ...third,
        gather(
          [1, 2, 5],
          range(14, (i) => i),
        ),
      ],
      0,
      255,
      'shareIndices',
    )
    expect(kinds(shared)).toEqual([
      'lookup',
      'gather',
      'requantise',
      'gather',
      'lookup',
      'requantise',
      'gather',
      'gather',
    ])
    // steps up and down, whose heights add up to more than the function takes
    const upAndDown = [
      lookup(
        0,
        -90,
        range(181, (i) => [0, 1, 0, 1, 0, 1][Math.floor(i / 31)]!),
      ),
      lookup(1, 0, [4, 9]),
    ]
    expect(kinds(sound([...upAndDown, gather([1, 2], each(12))], -90, 90, 'tablesToComparisons'))).toEqual([
      ...['locate', 'linear', 'requantise', 'linear', 'gather'],
    ])
    // results that lie beside those of wider elements
    const beside = [
      linear([0], [[[0, 40]]]),
      gather([0, 1], each(7)),
      requantise(2, 1, -2000, 2000, 7),
      requantise(0, 1, -2000, 2000),
      lookup(4, -45, values(91, -9, 9)),
      gather([3, 5], [6, 7, 8, 9]),
    ]
    expect(kinds(sound(beside, -90, 90, 'shareElements')).filter((kind) => kind === 'requantise')).toHaveLength(2)
    // an element that no maximum reads has no shift of its own
    const windows = Array.from({ length: 4 }, () => each(5))
    const pooled = [max(0, windows), requantise(1, 13, 0, 255, 4), lookup(2, 0, values(9, -9, 9), 4)]
    expect(kinds(sound(pooled, 0, 65535, 'orderMaxima'))).toEqual(['requantise', 'max', 'lookup'])
  })

  test('all together never take more rows', () => {
    const draw = seeded(SEED + 2)
    let [plain, arranged] = [0, 0]
    for (let k = 0; k < 100; k++) {
      const model = randomModel(draw, 8)
      const [before, after] = [rowsOf(model, (m) => m), rowsOf(model, arrange)]
      expect(after, `model ${k}`).toBeLessThanOrEqual(before)
      plain += before
      arranged += after
    }
    expect(arranged).toBeLessThan(0.95 * plain)
  })
})
