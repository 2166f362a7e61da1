import { describe, expect, it } from 'vitest'
import { errorOf, fixture } from '../../test/support/archives.ts'
import { readArchive } from './archive.ts'
import { PickleError } from './errors.ts'
import { PickleTuple } from './pickle-values.ts'
import {
  encodeSourceRanges,
  OriginalRange,
  SourceRangeTable,
  unknownOrigin,
  type SourceRangeRecord,
} from './source-ranges.ts'
import { readPickle } from './pickle-reader.ts'
import { writePickle } from './pickle-writer.ts'

const source = { file: 'net.py', firstLine: 10, text: 'def f(x):\n    # ünïcödé\n    return x + 1\n' }
const code = 'a = "ä"\nb = torch.add(x, 1)\n'

function range(text: string): OriginalRange {
  const start = source.text.indexOf(text)
  return new OriginalRange(source, start, start + text.length)
}

function encoded(records: readonly SourceRangeRecord[]): SourceRangeTable {
  const { bytes } = writePickle(encodeSourceRanges(records, code))
  return new SourceRangeTable(readPickle(bytes, { entry: 'x.py.debug_pkl' }), code, 'x.py.debug_pkl')
}

describe('SourceRangeTable', () => {
  it.each(['attributes.pt', 'attributes-2.pt'])(
    'finds the Python that code of %s was compiled from',
    (file) => {
      const archive = readArchive(fixture(file))
      const text = archive.code.get('__torch__.py')?.text ?? ''
      const found = archive.sourceRanges('__torch__.py')?.at(text.indexOf('torch.relu('))
      expect(found?.file).toMatch(/make-archives\.py$/)
      expect(found?.text).toBe('torch.relu')
      expect(found).toMatchObject({ line: 131, column: 15, endLine: 131, endColumn: 25 })
    },
  )

  it('gives nothing for an empty table and for files without one', () => {
    expect(new SourceRangeTable(new PickleTuple([]), '', 'x').at(0)).toBeUndefined()
    expect(readArchive(fixture('traced.pt')).sourceRanges('nowhere.py')).toBeUndefined()
  })

  it('reads the rows of older formats, with and without tags', () => {
    const place = new PickleTuple([new PickleTuple([source.text, source.file, 10]), 0, 9])
    for (const row of [
      [8, place],
      [8, place, 3],
      [8, 3, place],
    ]) {
      const table = new SourceRangeTable(new PickleTuple([new PickleTuple(row)]), 'ascii code', 'x')
      expect(table.at(7)).toBeUndefined()
      expect(table.at(8)).toMatchObject({ file: 'net.py', line: 10, column: 0, text: 'def f(x):' })
    }
  })

  it('refuses what is no table', () => {
    expect(errorOf(() => new SourceRangeTable(7, '', 'x'))).toBeInstanceOf(PickleError)
    expect(errorOf(() => new SourceRangeTable(new PickleTuple([7]), '', 'x'))).toBeInstanceOf(PickleError)
  })
})

describe('encodeSourceRanges', () => {
  it('is read back, in texts whose characters are no bytes', () => {
    const table = encoded([
      { offset: 0, range: range('def f(x):') },
      { offset: code.indexOf('torch.add'), range: range('x + 1') },
    ])
    expect(table.size).toBe(2)
    expect(table.at(3)).toMatchObject({ text: 'def f(x):', line: 10 })
    expect(table.at(code.indexOf('b ='))).toMatchObject({ text: 'def f(x):' })
    expect(table.at(code.indexOf('add'))).toMatchObject({
      text: 'x + 1',
      line: 12,
      column: 11,
      endColumn: 16,
    })
  })

  it('keeps places without an origin', () => {
    const table = encoded([
      { offset: 0, range: range('x + 1') },
      { offset: 8, range: unknownOrigin },
    ])
    expect(table.at(7)).toMatchObject({ text: 'x + 1' })
    expect(table.at(8)).toMatchObject({ file: '', line: 0, column: 0 })
  })

  it('stores each source once', () => {
    const records = Array.from({ length: 20 }, (_, offset) => ({ offset, range: range('x + 1') }))
    const { bytes } = writePickle(encodeSourceRanges(records, code))
    expect(Buffer.from(bytes).toString('latin1').split('return x + 1')).toHaveLength(2)
  })
})
