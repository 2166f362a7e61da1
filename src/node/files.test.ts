import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileError } from './errors.ts'
import { readFileBytes, writeFileAtomically, writeFilesAtomically } from './files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'permafrost-files-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const content = [Uint8Array.of(1, 2), Uint8Array.of(3)]
const whole = Buffer.from([1, 2, 3])

describe('writeFileAtomically', () => {
  it('writes the pieces one behind the other, over what was there', () => {
    const path = join(folder, 'a')
    writeFileSync(path, 'something longer')
    writeFileAtomically(path, content)
    expect(readFileSync(path)).toEqual(whole)
    expect(readdirSync(folder)).toEqual(['a'])
  })

  it('leaves a link as it is and writes what it leads to', () => {
    const [path, link] = [join(folder, 'a'), join(folder, 'link')]
    writeFileSync(path, '')
    symlinkSync(path, link)
    writeFileAtomically(link, content)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(path)).toEqual(whole)
  })

  it('writes to a device and does not replace it', () => {
    const link = join(folder, 'link')
    symlinkSync('/dev/null', link)
    writeFileAtomically(link, content)
    expect(statSync(link).isCharacterDevice()).toBe(true)
    expect(readdirSync(folder)).toEqual(['link'])
  })

  it('leaves nothing behind where it cannot write', () => {
    for (const path of [folder, join(folder, 'no', 'folder'), join(folder, 'x\0y'), ''])
      expect(() => {
        writeFileAtomically(path, content)
      }).toThrow(FileError)
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('writeFilesAtomically', () => {
  it('writes all files or none', () => {
    const taken = join(folder, 'taken')
    mkdirSync(taken)
    const files = ['a', 'taken'].map((name) => ({ path: join(folder, name), chunks: content }))
    expect(() => {
      writeFilesAtomically(files)
    }).toThrow(/taken: it is a directory/)
    expect(readdirSync(folder)).toEqual(['taken'])
  })
})

describe('readFileBytes', () => {
  it.each([
    ['', /no such file/],
    ['/no/such/file', /no such file/],
    [tmpdir(), /directory/],
    ['a\0b', /null bytes/],
  ])('says why it cannot read %j', (path, reason) => {
    expect(() => readFileBytes(path)).toThrow(FileError)
    expect(() => readFileBytes(path)).toThrow(reason)
  })
})
