import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fixture, withEntries } from '../../test/support/archives.ts'
import { PermafrostError } from '../errors.ts'
import { Tensor } from '../tensor/tensor.ts'
import { readArchive } from './archive.ts'
import { PickleDict, PickleList, PickleObject, PickleTuple, type PickleValue } from './pickle-values.ts'
import { readZip } from './zip-reader.ts'

const archives = ['scripted.pt', 'attributes.pt', 'traced.pt', 'quantized-tensors.pt', 'legacy.pt'].map(
  fixture,
)

/** Reads everything that can be read. */
function readAll(file: Uint8Array): void {
  const archive = readArchive(file)
  touch(archive.data)
  archive.constants.forEach(touch)
  for (const { bytes } of archive.extra.values()) expect(bytes.length).toBeLessThan(1e6)
  for (const { text, sourceRanges } of archive.code.values())
    for (let at = 0; at < text.length; at += 50) sourceRanges?.at(at)?.text.slice(0, 10)
}

function touch(value: PickleValue): void {
  if (value instanceof Tensor) expect(value.storage.bytes.length).toBe(value.storage.byteLength)
  else if (value instanceof PickleTuple || value instanceof PickleList) value.items.forEach(touch)
  else if (value instanceof PickleObject) touch(value.state)
  else if (value instanceof PickleDict) for (const [, item] of value.entries()) touch(item)
}

/** At most a PermafrostError, within a second. */
function expectCalm(file: Uint8Array): void {
  const start = performance.now()
  try {
    readAll(file)
  } catch (error) {
    if (!(error instanceof PermafrostError)) throw error
    expect(error.found).not.toBe('')
  }
  expect(performance.now() - start).toBeLessThan(20_000)
}

const archive = fc.constantFrom(...archives)
const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 8 })

function flipped(bytes: Uint8Array, changes: readonly (readonly [number, number])[]): Uint8Array {
  const copy = bytes.slice()
  for (const [at, mask] of changes) copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ mask
  return copy
}

describe('damaged archives', () => {
  it('are read or refused when bytes change anywhere', () => {
    fc.assert(
      fc.property(archive, flips, (file, changes) => expectCalm(flipped(file, changes))),
      { numRuns: 500 },
    )
  })

  it('are read or refused when bytes change in the directory', () => {
    fc.assert(
      fc.property(archive, flips, (file, changes) => {
        const directory = new DataView(file.buffer).getUint32(file.length - 6, true)
        const inDirectory = changes.map(
          ([at, mask]) => [directory + (at % (file.length - directory)), mask] as const,
        )
        expectCalm(flipped(file, inDirectory))
      }),
      { numRuns: 500 },
    )
  })

  it('are refused when cut off', () => {
    fc.assert(
      fc.property(archive, fc.nat(), (file, length) => expectCalm(file.subarray(0, length % file.length))),
      { numRuns: 200 },
    )
  })

  it('are read or refused when pickles and descriptions change, their checksums with them', () => {
    const entry = fc.nat()
    fc.assert(
      fc.property(archive, entry, flips, (file, which, changes) => {
        const entries = [...readZip(file)].filter(([name]) => /\.(pkl|debug_pkl|json|py)$/.test(name))
        const [name, content] = entries[which % entries.length] ?? ['', undefined]
        if (content === undefined || content.size === 0) return
        const path = name.slice(name.indexOf('/') + 1)
        expectCalm(withEntries(file, { [path]: flipped(content.read(), changes) }))
      }),
      { numRuns: 1500 },
    )
  })

  it('are refused or recognised when they are anything at all', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), expectCalm), { numRuns: 500 })
  })
})
