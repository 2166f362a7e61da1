import { describe, expect, it } from 'vitest'
import { fixture } from '../../test/support/archives.ts'
import { concatBytes } from './bytes.ts'
import { encodeUtf8 } from './utf8.ts'
import { readDirectory } from './zip-directory.ts'
import { readZip } from './zip-reader.ts'
import { writeZip } from './zip-writer.ts'

describe('writeZip', () => {
  it('writes the bytes that PyTorchStreamWriter writes', () => {
    const written = writeZip([
      { name: 'records/data/0', data: encodeUtf8('x'.repeat(1000)) },
      { name: 'records/data/1', data: new Uint8Array() },
      { name: 'records/code/a.py', data: encodeUtf8('hello\n') },
      { name: 'records/data.pkl', data: encodeUtf8('\udc80\u0002N.') },
      { name: 'records/version', data: encodeUtf8('3\n') },
    ])
    expect(Buffer.compare(concatBytes(written), fixture('records.pt'))).toBe(0)
  })

  it('begins each content at a multiple of 64 bytes', () => {
    const entries = Array.from({ length: 100 }, (_, i) => ({
      name: 'n'.repeat(i + 1),
      data: new Uint8Array(i),
    }))
    const file = concatBytes(writeZip(entries))
    for (const entry of readZip(file).values())
      expect((entry.read().byteOffset - file.byteOffset) % 64).toBe(0)
  })

  it('hands contents on without copying them', () => {
    const pieces = [new Uint8Array(100), new Uint8Array(50)]
    const chunks = writeZip([{ name: 'a', data: pieces }])
    expect(pieces.every((piece) => chunks.includes(piece))).toBe(true)
  })

  it('uses zip64 for contents and offsets beyond 4 GiB', () => {
    const gibibyte = new Uint8Array(2 ** 30)
    const chunks = writeZip([
      { name: 'large', data: [gibibyte, gibibyte, gibibyte, gibibyte, gibibyte], crc32: 7 },
      { name: 'behind', data: encodeUtf8('small') },
    ])
    expect(directoryOf(chunks)).toMatchObject([
      { name: 'large', size: 5 * 2 ** 30, compressedSize: 5 * 2 ** 30, crc32: 7, headerOffset: 0 },
      { name: 'behind', size: 5 },
    ])
    const offset = directoryOf(chunks)[1]?.headerOffset ?? 0
    expect(offset).toBeGreaterThan(5 * 2 ** 30)
    expect(
      chunks
        .slice(
          0,
          chunks.findIndex((chunk) => chunk.length === 5),
        )
        .reduce((n, c) => n + c.length, 0) % 64,
    ).toBe(0)
  })
})

/** Reads the directory of a file that is never put together, by moving the offsets of its last chunk. */
function directoryOf(chunks: readonly Uint8Array[]): ReturnType<typeof readDirectory> {
  const tail = (chunks.at(-1) ?? new Uint8Array()).slice()
  const view = new DataView(tail.buffer)
  const zip64 = tail.length - 22 - 20 - 56
  const shift = view.getBigUint64(zip64 + 48, true)
  view.setBigUint64(zip64 + 48, 0n, true)
  view.setUint32(tail.length - 6, 0, true)
  view.setBigUint64(zip64 + 56 + 8, view.getBigUint64(zip64 + 56 + 8, true) - shift, true)
  return readDirectory(tail, 10)
}
