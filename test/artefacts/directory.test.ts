import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openCompiled, saveCompiled } from '../../src/artefacts/compiled.ts'
import { FILES, readManifest, sha256 } from '../../src/artefacts/directory.ts'
import {
  openCheckedKey,
  openDirectoryKeys,
  openVerifyingKey,
  quotientDirectory,
  setupDirectory,
} from '../../src/artefacts/keys.ts'
import type { Manifest } from '../../src/artefacts/manifest.ts'
import { writeWhole } from '../../src/artefacts/temporary.ts'
import { VeritensorError } from '../../src/errors.ts'
import { importOnnx } from '../../src/graph/import.ts'
import { encodeVerifyingKey, type VerifyingKey } from '../../src/groth16/keys.ts'
import { type Compiled, compileModel } from '../../src/pipeline/compileModel.ts'
import { readSamples } from '../../src/samples/files.ts'
import { json, temporaryFolder, tinyFiles, tinyModel } from '../cli/support.ts'

const folder = temporaryFolder()
const at = (...names: string[]): string => join(folder, ...names)
const made = at('made')
const dir = at('dir')
let compiled: Compiled
let other: Compiled
let theirs: Manifest
const KEY = [FILES.zkey, FILES.qkey, FILES.verificationKey]

const refused = async (action: () => unknown): Promise<string> => {
  try {
    await action()
  } catch (error) {
    if (error instanceof VeritensorError) return `${error.code}: ${error.message}; ${error.fix}`.replaceAll(folder, '')
    throw error
  }
  return 'nothing was thrown'
}
const edit = async (change: (manifest: Manifest) => object): Promise<void> =>
  writeFileSync(join(dir, FILES.manifest), JSON.stringify(change(await readManifest(dir))))

beforeAll(async () => {
  const { calibration } = tinyFiles(folder)
  const compileOf = async (hidden: number): Promise<Compiled> => {
    const onnx = tinyModel(hidden)
    const samples = await readSamples(importOnnx(onnx), [calibration])
    return compileModel(onnx, { calibration: samples.map(({ sample }) => sample) })
  }
  compiled = await compileOf(3)
  other = await compileOf(4)
  await saveCompiled(made, compiled)
  await setupDirectory(made, { dev: true, threads: 1 })
  await saveCompiled(at('theirs'), other)
  theirs = (await setupDirectory(at('theirs'), { dev: true, threads: 1 })).manifest
})

beforeEach(() => {
  rmSync(dir, { recursive: true, force: true })
  cpSync(made, dir, { recursive: true })
})

describe('a directory', () => {
  test('gives back what was saved', async () => {
    const { manifest, model, circuit, graph } = await openCompiled(dir)
    expect(manifest).toMatchObject({ name: 'tiny', key: { kind: 'dev' }, rows: compiled.circuit.rows })
    expect(model).toEqual(compiled.model)
    expect(circuit).toEqual(compiled.circuit)
    expect(graph).toEqual(compiled.graph)
    const { key: _, ...files } = FILES as typeof FILES & { key?: never }
    const absent: string[] = [FILES.verifier, FILES.weights]
    const present = Object.values(files).filter((name) => !absent.includes(name))
    expect(readdirSync(dir).sort()).toEqual([...present].sort())
    for (const [name, digest] of Object.entries(manifest.files))
      expect(sha256(readFileSync(join(dir, name))), name).toBe(digest)
  })

  test('behind a link is replaced, and the link stays', async () => {
    const link = at('link to dir')
    symlinkSync(dir, link)
    writeFileSync(join(dir, 'notes.txt'), '')
    await saveCompiled(link, other)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect((await readManifest(dir)).rows).toBe(other.circuit.rows)
    expect(existsSync(join(dir, 'notes.txt'))).toBe(true)
  })

  test.skipIf(process.platform === 'win32')('with a device in the place of a file is told of, not read', async () => {
    rmSync(join(dir, FILES.r1cs))
    symlinkSync('/dev/zero', join(dir, FILES.r1cs))
    const { json: line } = await json('inspect', dir)
    expect(line.files).toContainEqual({ name: FILES.r1cs, bytes: 0, state: 'CHANGED' })
  })

  test('that is none is refused, with the command that makes one', async () => {
    const fix = 'make it with: veritensor compile MODEL.onnx -o DIR'
    mkdirSync(at('empty'), { recursive: true })
    expect(await refused(() => readManifest(at('empty')))).toBe(
      `input/no-artefacts: /empty holds no manifest.json; ${fix}`,
    )
    expect(await refused(() => readManifest(at('nowhere')))).toContain('input/no-artefacts')
    expect(await refused(() => readManifest(at('model.onnx')))).toContain('input/no-artefacts')
  })

  test.each([FILES.onnx, FILES.model, FILES.circuit])('with a changed %s is refused', async (name) => {
    const bytes = readFileSync(join(dir, name))
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(join(dir, name), bytes)
    expect(await refused(() => openCompiled(dir))).toMatch(
      new RegExp(`^input/digest-mismatch: /dir/${name} has digest \\w{12}…, the manifest names \\w{12}…; .*compile`),
    )
  })

  test.each([FILES.onnx, FILES.model, FILES.circuit])('without %s says what makes it', async (name) => {
    rmSync(join(dir, name))
    expect(await refused(() => openCompiled(dir))).toBe(
      `input/missing-file: /dir holds no ${name}; make it with: veritensor compile MODEL.onnx -o /dir`,
    )
  })

  test('with a file that the manifest does not list is refused', async () => {
    await edit(({ files, ...rest }) => ({ ...rest, files: { ...files, [FILES.model]: undefined } }))
    expect(await refused(() => openCompiled(dir))).toContain('model.vtb is not listed in manifest.json')
  })

  test('whose manifest tells of another model is refused', async () => {
    await edit((m) => ({ ...m, inputs: m.inputs.map((p) => ({ ...p, lo: p.lo - 1 })) }))
    expect(await refused(() => openCompiled(dir))).toContain('input/manifest: /dir/model.vtb and manifest.json')
    await edit((m) => ({ ...m, inputs: compiled.model.inputs.map(({ value: _, ...p }) => p), rows: m.rows + 1 }))
    expect(await refused(() => openCompiled(dir))).toContain('input/manifest: /dir/circuit.vtb and manifest.json')
  })

  test('whose manifest gives another scale for the outputs is refused', async () => {
    await edit((m) => ({
      ...m,
      outputs: m.outputs.map((p) => ({ ...p, scale: 2 * p.scale })),
      signals: m.signals.map((s) => ({ ...s, scale: 2 * s.scale })),
    }))
    expect(await refused(() => openCompiled(dir))).toContain('input/manifest: /dir/model.vtb and manifest.json')
  })
})

describe('saving where something is already', () => {
  test('keeps the key of the same circuit and the files of others', async () => {
    const before = await readManifest(dir)
    mkdirSync(join(dir, 'proofs'))
    writeFileSync(join(dir, 'proofs', 'a.proof.json'), 'mine')
    writeFileSync(join(dir, 'notes.txt'), 'mine too')
    writeFileSync(join(dir, FILES.verifier), 'of the old model')
    const manifest = await saveCompiled(dir, compiled)
    expect(manifest).toEqual(before)
    expect(await readManifest(dir)).toEqual(before)
    expect(openDirectoryKeys(dir, manifest).qkey).toHaveLength(readFileSync(join(dir, FILES.qkey)).length)
    expect(readFileSync(join(dir, 'proofs', 'a.proof.json'), 'utf8')).toBe('mine')
    expect(readFileSync(join(dir, 'notes.txt'), 'utf8')).toBe('mine too')
    expect(existsSync(join(dir, FILES.verifier))).toBe(false)
  })

  test('keeps a key without a quotient key, which nobody needs', async () => {
    rmSync(join(dir, FILES.qkey))
    expect(openDirectoryKeys(dir, await readManifest(dir)).qkey).toBeUndefined()
    const manifest = await saveCompiled(dir, compiled)
    expect(Object.keys(manifest.files)).toContain(FILES.zkey)
    expect(Object.keys(manifest.files)).not.toContain(FILES.qkey)
    expect(openDirectoryKeys(dir, manifest).qkey).toBeUndefined()
  })

  test('drops a development key of another circuit', async () => {
    const manifest = await saveCompiled(dir, other)
    expect(existsSync(join(dir, FILES.qkey))).toBe(false)
    expect(manifest.key).toBeUndefined()
    expect(existsSync(join(dir, FILES.zkey))).toBe(false)
    expect(await refused(() => openDirectoryKeys(dir, manifest))).toBe(
      'input/missing-file: /dir holds no circuit.zkey; make it with: veritensor setup /dir --dev',
    )
  })

  test('refuses to lose a ceremony’s key, or one that no manifest explains', async () => {
    const lost = /^usage\/directory-in-use: \/dir holds the proving key of another circuit, which would be lost; choose/
    await edit((m) => ({ ...m, key: { kind: 'ptau' } }))
    expect(await refused(() => saveCompiled(dir, other))).toMatch(lost)
    expect((await saveCompiled(dir, compiled)).key).toEqual({ kind: 'ptau' })
    writeFileSync(join(dir, FILES.manifest), 'not a manifest')
    expect(await refused(() => saveCompiled(dir, other))).toMatch(lost)
    expect(existsSync(join(dir, FILES.zkey))).toBe(true)
  })

  test('refuses folders that are no artefact directories, and files', async () => {
    mkdirSync(at('foreign'), { recursive: true })
    writeFileSync(at('foreign', 'thesis.tex'), 'years of work')
    expect(await refused(() => saveCompiled(at('foreign'), compiled))).toBe(
      'usage/directory-in-use: /foreign exists and is no artefact directory; choose another folder with -o, or remove this one',
    )
    expect(readdirSync(at('foreign'))).toEqual(['thesis.tex'])
    expect(await refused(() => saveCompiled(at('model.onnx'), compiled))).toContain('usage/directory-in-use')
  })

  test('takes an empty folder, a new one with its parents, and a link', async () => {
    mkdirSync(at('void'), { recursive: true })
    symlinkSync(dir, at('link'))
    for (const name of ['void', 'new/deep', 'link']) {
      await saveCompiled(at(name), compiled)
      await openCompiled(at(name))
    }
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([])
  })

  test('a place that can’t be written to is told', async () => {
    expect(await refused(() => saveCompiled(at('model.onnx', 'below'), compiled))).toMatch(
      /^(input\/unwritable|usage\/directory-in-use): \/model.onnx\/below/,
    )
    expect(await refused(() => writeWhole({ [at('nowhere', 'x')]: 'x' }))).toContain('input/unwritable: /nowhere/x')
  })
})

describe('keys of a directory', () => {
  const key = async () => openVerifyingKey(dir, await readManifest(dir))

  test('come with the mark of development, whoever dropped it', async () => {
    expect((await key()).dev).toBe(true)
    // what snarkjs exports has no mark
    const bare = (vk: VerifyingKey) => JSON.stringify(encodeVerifyingKey({ ...vk, dev: false }))
    const text = bare(await key())
    writeFileSync(join(dir, FILES.verificationKey), text)
    expect(await refused(key)).toMatch(/^key\/digest-mismatch: .*put the right one back or set up a new key$/)
    const listed = (m: Manifest) => ({ ...m.files, [FILES.verificationKey]: sha256(Buffer.from(text)) })
    await edit((m) => ({ ...m, files: listed(m) }))
    expect((await key()).dev).toBe(true)
    await edit((m) => ({ ...m, key: { kind: 'ptau' } }))
    expect((await key()).dev).toBe(true)
    expect((await openCheckedKey(dir, await readManifest(dir))).dev).toBe(true)
    expect(openDirectoryKeys(dir, await readManifest(dir)).verifyingKey.dev).toBe(true)
    rmSync(join(dir, FILES.zkey)) // nothing says so any more
    expect((await key()).dev).toBe(false)
    await edit((m) => ({ ...m, key: { kind: 'dev' } }))
    expect((await key()).dev).toBe(true)
  })

  test('that were cut short or replaced are refused', async () => {
    const path = join(dir, FILES.zkey)
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.subarray(0, bytes.length >> 1))
    const manifest = await readManifest(dir)
    expect(await refused(() => openDirectoryKeys(dir, manifest))).toContain('key/digest-mismatch: /dir/circuit.zkey')
    // and if somebody files the digest of the damaged key
    const digest = sha256(bytes.subarray(0, bytes.length >> 1))
    const damaged = { ...manifest, files: { ...manifest.files, [FILES.zkey]: digest } }
    expect(await refused(() => openDirectoryKeys(dir, damaged))).toContain('key/malformed-zkey')
    writeFileSync(path, bytes)
    writeFileSync(join(dir, FILES.qkey), 'no quotient key')
    const damage = await refused(() => openDirectoryKeys(dir, manifest))
    expect(damage).toContain('key/digest-mismatch: /dir/circuit.qkey')
    expect(damage).toContain('setup quotient /dir')
    // nobody else needs it, and it can be made again
    expect(await refused(() => openCheckedKey(dir, manifest))).toBe('nothing was thrown')
    await quotientDirectory(dir, { threads: 1 })
    expect(await refused(() => openDirectoryKeys(dir, manifest))).toBe('nothing was thrown')
    expect((await key()).dev).toBe(true)
  })

  test('of another circuit are refused for a contract', async () => {
    const key = KEY.map((name) => [name, theirs.files[name]] as const)
    for (const name of KEY) cpSync(at('theirs', name), join(dir, name))
    await edit((m) => ({ ...m, files: { ...m.files, ...Object.fromEntries(key) } }))
    expect(await refused(async () => openCheckedKey(dir, await readManifest(dir)))).toContain('key/other-circuit')
  })

  test('are replaced whole, and the contract of the old key goes', async () => {
    const before = await readManifest(dir)
    const text = readFileSync(join(dir, FILES.verificationKey))
    writeFileSync(join(dir, FILES.verifier), 'of the old key')
    await edit((m) => ({ ...m, files: { ...m.files, [FILES.verifier]: sha256(Buffer.from('of the old key')) } }))
    const { manifest } = await setupDirectory(dir, { dev: true, threads: 1 })
    expect(manifest.files[FILES.zkey]).not.toBe(before.files[FILES.zkey])
    expect(manifest.files).not.toHaveProperty(FILES.verifier)
    expect(existsSync(join(dir, FILES.verifier))).toBe(false)
    await openCheckedKey(dir, await readManifest(dir))
    // the old key's .json beside the new .zkey
    writeFileSync(join(dir, FILES.verificationKey), text)
    await edit((m) => ({ ...m, files: { ...m.files, [FILES.verificationKey]: sha256(text) } }))
    expect(await refused(async () => openCheckedKey(dir, await readManifest(dir)))).toBe(
      'key/other-circuit: verification_key.json and circuit.zkey in /dir are different keys; Use the key that was set up for this very circuit.',
    )
  })

  test('from a ceremony, or from nobody knows where, are not replaced', async () => {
    for (const key of [{ kind: 'ptau' }, undefined]) {
      await edit((m) => ({ ...m, key }))
      const again = setupDirectory(dir, { dev: true, threads: 1 })
      expect(await refused(() => again)).toBe(
        'usage/key-in-the-way: /dir holds a circuit.zkey that can not be made again; move circuit.zkey away first, or compile into another folder',
      )
    }
  })

  test('stay as they were when a set-up is aborted or overtaken', async () => {
    const before = await readManifest(dir)
    const listed = readdirSync(dir)
    const abort = new AbortController()
    const stopped = setupDirectory(dir, {
      dev: true,
      threads: 1,
      signal: abort.signal,
      onProgress: () => abort.abort(),
    })
    expect(await refused(() => stopped)).toContain('aborted/by-caller')
    let changed = false
    const overtaken = setupDirectory(dir, {
      dev: true,
      threads: 1,
      onProgress: () => {
        if (changed) return
        changed = true
        writeFileSync(join(dir, FILES.manifest), JSON.stringify({ ...before, name: 'another' }))
      },
    })
    expect(await refused(() => overtaken)).toContain('input/changed: /dir was changed by another command meanwhile')
    writeFileSync(join(dir, FILES.manifest), JSON.stringify(before))
    expect(readdirSync(dir)).toEqual(listed)
    await openCheckedKey(dir, await readManifest(dir))
  })
})
