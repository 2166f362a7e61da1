import fc from 'fast-check'
import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  directoryHeader,
  errorOf,
  fixture,
  withBytes,
  withDirectoryField,
  zipBytes,
} from '../../test/support/archives.ts'
import {
  ArchiveLimitError,
  ChecksumError,
  EntryNameError,
  TruncatedArchiveError,
  UnsupportedArchiveError,
  ZipFormatError,
} from './errors.ts'
import { defaultLimits } from './limits.ts'
import { encodeUtf8 } from './utf8.ts'
import { readZip } from './zip-reader.ts'

const two = zipBytes({ 'top/one': 'first', 'top/two': 'second entry' })
const scripted = fixture('scripted.pt')
const deflatedName = 'functional.py'

describe('readZip', () => {
  it('reads stored and deflated entries of a real archive', () => {
    const entries = readZip(scripted)
    expect(entries.size).toBe(17)
    expect(Buffer.from(entries.get('scripted/version')?.read() ?? []).toString()).toBe('3\n')
    const code = entries.get('scripted/code/__torch__/torch/nn/functional.py')
    expect(Buffer.from(code?.read() ?? []).toString()).toContain('def batch_norm(input: Tensor')
  })

  it('gives stored contents as views of the file', () => {
    expect(readZip(two).get('top/two')?.read().buffer).toBe(two.buffer)
  })

  it('says that a file is cut off, wherever it is cut', () => {
    for (let length = 4; length < two.length; length += 7)
      expect(errorOf(() => readZip(two.subarray(0, length)))).toBeInstanceOf(TruncatedArchiveError)
  })

  it('refuses a directory that is not where the end record says', () => {
    const view = new DataView(two.slice().buffer)
    view.setUint32(two.length - 6, 3, true)
    expect(errorOf(() => readZip(new Uint8Array(view.buffer)))).toBeInstanceOf(ZipFormatError)
  })

  it('refuses a directory with another number of entries', () => {
    for (const [entries, zip64] of [
      [1, 1],
      [3, 3],
      [2, 500000],
    ] as const) {
      const copy = two.slice()
      const view = new DataView(copy.buffer)
      const end = copy.length - 22
      view.setUint16(end + 10, entries, true)
      view.setUint32(end - 20 - 56 + 32, zip64, true)
      expect(errorOf(() => readZip(copy))).toBeInstanceOf(ZipFormatError)
    }
  })

  it('refuses an entry whose header lies elsewhere or names another', () => {
    expect(errorOf(() => readZip(withDirectoryField(two, 'two', { headerOffset: 5 })))).toBeInstanceOf(
      ZipFormatError,
    )
    expect(errorOf(() => readZip(withDirectoryField(two, 'two', { headerOffset: 0 })))).toMatchObject({
      found: expect.stringContaining('says it is "top/one"') as string,
    })
  })

  it('refuses entries beyond the file and entries that overlap', () => {
    const beyond = withDirectoryField(two, 'two', { compressedSize: 1e6, size: 1e6 })
    expect(errorOf(() => readZip(beyond))).toBeInstanceOf(TruncatedArchiveError)
    const overlapping = withDirectoryField(two, 'one', { compressedSize: 100, size: 100 })
    expect(errorOf(() => readZip(overlapping))).toMatchObject({
      found: 'the zip entries top/one and top/two overlap',
    })
  })

  it('finds changed contents by their checksum, in stored and deflated entries', () => {
    const changed = withBytes(two, 'second', 'sekond')
    expect(errorOf(() => readZip(changed).get('top/two')?.read())).toBeInstanceOf(ChecksumError)
    expect(readZip(changed).get('top/one')?.read()).toHaveLength(5)
    const wrong = withDirectoryField(scripted, deflatedName, { crc32: 1 })
    expect(errorOf(() => readEntry(wrong, deflatedName))).toMatchObject({
      place: { entry: 'scripted/code/__torch__/torch/nn/functional.py' },
    })
  })

  it('refuses an entry that declares to inflate beyond all measure', () => {
    const bomb = withDirectoryField(scripted, deflatedName, { size: 2 ** 31 })
    expect(errorOf(() => readZip(bomb))).toBeInstanceOf(ArchiveLimitError)
    const lesser = withDirectoryField(scripted, deflatedName, { size: 2 ** 20 })
    expect(errorOf(() => readZip(lesser))).toBeInstanceOf(ArchiveLimitError)
  })

  it('refuses entries that together declare to inflate beyond the limit', () => {
    const limits = { inflatedBytes: 1000 }
    const error = errorOf(() => readZip(scripted, { ...defaultLimits, ...limits }))
    expect(error).toBeInstanceOf(ArchiveLimitError)
  })

  it('stops inflating an entry that gives more than it declares', () => {
    const noise = Uint8Array.from({ length: 1e5 }, (_, i) => (i * i * 31 + (i >> 3)) % 251)
    for (const start of [new Uint8Array(), noise]) {
      const content = Buffer.concat([start, new Uint8Array(2 ** 26 - 2 ** 20)])
      const bomb = withDeflated(deflateRawSync(content, { level: 9 }), start.length + 1000)
      expect(errorOf(() => readEntry(bomb, 'bomb'))).toBeInstanceOf(ZipFormatError)
    }
  })

  it('refuses an entry that gives less than it declares, or is no deflate data', () => {
    expect(errorOf(() => readEntry(withDeflated(deflateRawSync('some text'), 20), 'bomb'))).toBeInstanceOf(
      ZipFormatError,
    )
    expect(
      errorOf(() => readEntry(withDeflated(encodeUtf8('\u0007\u0007'.repeat(9)), 20), 'bomb')),
    ).toBeInstanceOf(ZipFormatError)
  })

  it.each([
    ['climbs', '../../etc/passwd'],
    ['climbs from within', 'top/../../x'],
    ['is absolute', '/etc/passwd'],
    ['names a drive', 'C:/windows'],
    ['has backslashes', 'top\\..\\x'],
    ['has a NUL', 'top/a\0b'],
    ['is empty', ''],
  ])('refuses a name that %s', (_, name) => {
    const zip = zipBytes({ [name]: 'x' })
    expect(errorOf(() => readZip(zip))).toBeInstanceOf(EntryNameError)
  })

  it('refuses two entries of one name', () => {
    expect(errorOf(() => readZip(withBytes(two, 'top/two', 'top/one')))).toMatchObject({
      found: 'two zip entries have the name top/one',
    })
  })

  it('names what it does not support', () => {
    expect(errorOf(() => readZip(withDirectoryField(two, 'two', { flags: 1 })))).toBeInstanceOf(
      UnsupportedArchiveError,
    )
    expect(errorOf(() => readZip(withDirectoryField(two, 'two', { method: 93 })))).toBeInstanceOf(
      UnsupportedArchiveError,
    )
    expect(errorOf(() => readZip(withDirectoryField(two, 'two', { disk: 2 })))).toBeInstanceOf(
      UnsupportedArchiveError,
    )
  })

  it('reads what writeZip writes', () => {
    const files = fc.dictionary(fc.stringMatching(/^[a-zé][a-z0-9_.é]{0,20}$/), fc.uint8Array(), {
      maxKeys: 20,
    })
    fc.assert(
      fc.property(files, (contents) => {
        const read = [...readZip(zipBytes(contents))].map(([name, entry]) => [name, [...entry.read()]])
        expect(read).toEqual(Object.entries(contents).map(([name, bytes]) => [name, [...bytes]]))
      }),
    )
  })
})

function readEntry(zip: Uint8Array, name: string): Uint8Array | undefined {
  return [...readZip(zip)].find(([path]) => path.endsWith(name))?.[1].read()
}

/** A zip with one deflated entry that declares a size. */
function withDeflated(compressed: Uint8Array, size: number): Uint8Array {
  const zip = withDirectoryField(zipBytes({ bomb: compressed }), 'bomb', { method: 8, size })
  const header = directoryHeader(zip, 'bomb')
  const local = new DataView(zip.buffer).getUint32(header + 42, true)
  zip[local + 8] = 8
  return zip
}
