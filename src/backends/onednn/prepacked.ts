import { crc32 } from '../../archive/crc32.ts'
import type { Dnnl } from './binding/dnnl.ts'
import { identityOf, type PackedConstant } from './weight-cache.ts'

/** Files under `extra/` of an archive, by their paths there. */
export type ExtraFiles = ReadonlyMap<string, { readonly bytes: Uint8Array }>

const indexPath = 'permafrost/prepacked.json'
const contentPath = 'permafrost/prepacked.bin'
/** Format 1 told no checksums. */
const format = 2
const alignment = 64

interface Index {
  readonly format: number
  readonly library: string
  readonly isa: number
  /** Of a tuner, in milliseconds. */
  readonly measurements: Readonly<Record<string, number>>
  readonly entries: readonly Entry[]
}

interface Entry {
  readonly constant: string
  readonly layout: string
  /** Where its bytes begin, and how many there are. */
  readonly at: number
  readonly bytes: number
  /** CRC-32 of its bytes. */
  readonly checksum: number
}

/**
 * Packed constants as files for `extra/`: an index (JSON: version and instruction set of the library; of each entry the
 * constant's identity, the layout's key, where its bytes begin, how many there are and their CRC-32), and the bytes.
 *
 * @param checksumOf CRC-32 of the storage of a constant, as the archive will hold it
 */
export function writePrepacked(
  constants: readonly PackedConstant[],
  dnnl: Dnnl,
  measurements: Readonly<Record<string, number>>,
  checksumOf: (constant: PackedConstant) => number,
): ExtraFiles {
  let at = 0
  const entries = constants.map((constant) => {
    const entry = {
      constant: identityOf(constant.tensor, checksumOf(constant)),
      layout: constant.descriptor.key,
      at,
      bytes: constant.content.length,
      checksum: crc32(constant.content),
    }
    at = Math.ceil((at + entry.bytes) / alignment) * alignment
    return entry
  })
  const content = new Uint8Array(at)
  constants.forEach((constant, i) => content.set(constant.content, entries[i]!.at))
  const index: Index = { format, library: dnnl.version, isa: dnnl.isa, measurements, entries }
  return new Map([
    [indexPath, { bytes: Buffer.from(JSON.stringify(index)) }],
    [contentPath, { bytes: content }],
  ])
}

/** What a file brings along: packed constants by identity and layout, or why they are of no use here. */
export interface Prepacked {
  readonly constants: ReadonlyMap<string, Uint8Array>
  readonly measurements: Readonly<Record<string, number>>
  readonly mismatch: string | undefined
}

/** Reads what `writePrepacked` wrote; undefined where there is nothing. */
export function readPrepacked(extra: ExtraFiles, dnnl: Dnnl): Prepacked | undefined {
  const [file, content] = [extra.get(indexPath), extra.get(contentPath)]
  if (!file && !content) return undefined
  if (!file || !content)
    return unusable(`${file ? contentPath : indexPath}, which belongs to them, is missing in the file`)
  const index = parseIndex(file.bytes)
  if (typeof index === 'string') return unusable(index)
  const { bytes } = content
  const fault =
    faultOfLibrary(index, dnnl) ?? faultOfPlaces(index, bytes.length) ?? faultOfBytes(index, bytes)
  if (fault !== undefined) return unusable(fault)
  const constants = index.entries.map(
    (entry) => [`${entry.constant} ${entry.layout}`, bytesOf(entry, bytes)] as const,
  )
  return { constants: new Map(constants), measurements: index.measurements, mismatch: undefined }
}

function unusable(mismatch: string): Prepacked {
  return { constants: new Map(), measurements: {}, mismatch }
}

function faultOfLibrary({ library, isa }: Index, { version, isa: own }: Dnnl): string | undefined {
  if (library === version && isa === own) return undefined
  return `they are for oneDNN ${library} and instruction set ${isa}, here are ${version} and ${own}`
}

function faultOfPlaces({ entries }: Index, length: number): string | undefined {
  let end = 0
  for (const { at, bytes } of [...entries].sort((a, b) => a.at - b.at || a.bytes - b.bytes)) {
    if (bytes < 0 || at < 0) return `an entry of ${bytes} bytes at ${at} makes no sense`
    if (at < end) return `the entry at byte ${at} overlaps the one in front of it, which ends at ${end}`
    end = at + bytes
  }
  return end <= length ? undefined : `there are ${length} bytes of at least ${end}`
}

function faultOfBytes({ entries }: Index, content: Uint8Array): string | undefined {
  for (const entry of entries) {
    const found = crc32(bytesOf(entry, content))
    if (found !== entry.checksum)
      return `the bytes at ${entry.at} have the checksum ${found} instead of ${entry.checksum}`
  }
  return undefined
}

function bytesOf({ at, bytes }: Entry, content: Uint8Array): Uint8Array {
  return content.subarray(at, at + bytes)
}

/** The index, or why it is none. */
function parseIndex(bytes: Uint8Array): Index | string {
  const index = parseJson(bytes) as Partial<Index> | null | undefined
  if (index?.format === 1) return 'they have no checksums; write the file again with freeze --prepack'
  return index?.format === format && Array.isArray(index.entries) && index.entries.every(isEntry)
    ? ({ ...index, measurements: numbersIn(index.measurements) } as Index)
    : 'their index cannot be read'
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString())
  } catch {
    return undefined
  }
}

function isEntry(entry: unknown): boolean {
  const { constant, layout, at, bytes, checksum } = (entry ?? {}) as Record<string, unknown>
  return (
    [constant, layout].every((x) => typeof x === 'string') &&
    [at, bytes, checksum].every(Number.isSafeInteger)
  )
}

function numbersIn(record: unknown): Readonly<Record<string, number>> {
  const entries = Object.entries(typeof record === 'object' && record !== null ? record : {})
  return Object.fromEntries(entries.filter(([, value]) => Number.isFinite(value)))
}
