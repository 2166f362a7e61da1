import { describe, expect, it } from 'vitest'
import { errorOf, fixture, plain } from '../../test/support/archives.ts'
import { readArchive, type Archive } from './archive.ts'
import { writeArchive, type ArchiveInput, type CodeInput } from './archive-writer.ts'
import { EntryNameError } from './errors.ts'
import { PickleTuple } from './pickle-values.ts'
import type { SourceRangeRecord } from './source-ranges.ts'
import { concatBytes } from './bytes.ts'

const fixtures = [
  'attributes.pt',
  'attributes-2.pt',
  'scripted.pt',
  'traced.pt',
  'quantized-tensors.pt',
  'legacy.pt',
]

function inputOf(archive: Archive): ArchiveInput {
  const code = new Map<string, CodeInput>()
  for (const [path, file] of archive.code)
    code.set(path, { text: file.text, sourceRanges: recordsOf(archive, path) })
  const extra = new Map([...archive.extra].map(([path, { bytes }]) => [path, bytes]))
  return {
    name: 'copy',
    version: archive.version,
    data: archive.data,
    constants: archive.constants,
    code,
    extra,
  }
}

/** A record wherever the range changes. */
function recordsOf(archive: Archive, path: string): SourceRangeRecord[] {
  const records: SourceRangeRecord[] = []
  const length = archive.code.get(path)?.text.length ?? 0
  for (let offset = 0; offset < length; offset++) {
    const range = archive.sourceRanges(path)?.at(offset)
    const last = records.at(-1)?.range
    const isLast = range?.source === last?.source && range?.start === last?.start && range?.end === last?.end
    if (range !== undefined && !isLast) records.push({ offset, range })
  }
  return records
}

describe('writeArchive', () => {
  it.each(fixtures)('keeps everything that readArchive reads from %s', (name) => {
    const original = readArchive(fixture(name))
    const copy = readArchive(concatBytes(writeArchive(inputOf(original))))
    expect(copy.name).toBe('copy')
    expect(copy.version).toBe(original.version)
    expect(plain(copy.data)).toEqual(plain(original.data))
    expect(plain(new PickleTuple(copy.constants))).toEqual(plain(new PickleTuple(original.constants)))
    expect([...copy.code].map(([path, { text }]) => [path, text])).toEqual(
      [...original.code].map(([path, { text }]) => [path, text]),
    )
    expect([...copy.extra].map(([path, { bytes }]) => [path, [...bytes]])).toEqual(
      [...original.extra].map(([path, { bytes }]) => [path, [...bytes]]),
    )
    for (const path of original.code.keys())
      expect(recordsOf(copy, path).map(({ offset, range }) => [offset, range.text])).toEqual(
        recordsOf(original, path).map(({ offset, range }) => [offset, range.text]),
      )
  })

  it('gives the same bytes each time', () => {
    const input = inputOf(readArchive(fixture('attributes.pt')))
    expect(Buffer.compare(concatBytes(writeArchive(input)), concatBytes(writeArchive(input)))).toBe(0)
  })

  it('hands storages on without copying them', () => {
    const file = fixture('scripted.pt')
    const chunks = writeArchive(inputOf(readArchive(file)))
    expect(chunks.filter((chunk) => chunk.buffer === file.buffer).length).toBeGreaterThan(5)
  })

  it('keeps the version where libtorch looks for it', () => {
    const input = inputOf(readArchive(fixture('traced.pt')))
    expect(readArchive(concatBytes(writeArchive({ ...input, version: 10 }))).version).toBe(10)
  })

  it('makes one folder of any name', () => {
    const input = inputOf(readArchive(fixture('traced.pt')))
    const nameOf = (name: string) => readArchive(concatBytes(writeArchive({ ...input, name }))).name
    expect(nameOf('a/b\\c')).toBe('a_b_c')
    expect(nameOf('..')).toBe('archive')
    expect(nameOf('mödel v2.0')).toBe('mödel v2.0')
  })

  it('refuses entry names that no reader would take', () => {
    const input = inputOf(readArchive(fixture('traced.pt')))
    const extra = new Map([['../x', new Uint8Array()]])
    expect(errorOf(() => writeArchive({ ...input, extra }))).toBeInstanceOf(EntryNameError)
  })
})
