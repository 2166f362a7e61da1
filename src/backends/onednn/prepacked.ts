import type { Dnnl } from './binding/dnnl.ts'
import { identityOf, type PackedConstant } from './weight-cache.ts'

/** Files under `extra/` of an archive, by their paths there. */
export type ExtraFiles = ReadonlyMap<string, { readonly bytes: Uint8Array }>

const indexPath = 'permafrost/prepacked.json'
const contentPath = 'permafrost/prepacked.bin'
const format = 1
const alignment = 64

interface Index {
  readonly format: number
  readonly library: string
  readonly isa: number
  /** Of a tuner, in milliseconds. */
  readonly measurements: Readonly<Record<string, number>>
  readonly entries: readonly {
    readonly constant: string
    readonly layout: string
    readonly at: number
    readonly bytes: number
  }[]
}

/**
 * Packed constants as files for `extra/`: an index (JSON: version and instruction set of the library; of each entry the
 * constant's identity, the layout's key, where its bytes begin and how many there are), and the bytes.
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
  if (!file || !content) return undefined
  const index = parseIndex(file.bytes)
  const unusable = (mismatch: string): Prepacked => ({ constants: new Map(), measurements: {}, mismatch })
  if (index === undefined) return unusable('its index cannot be read')
  if (index.library !== dnnl.version || index.isa !== dnnl.isa)
    return unusable(
      `it is for oneDNN ${index.library} and instruction set ${index.isa}, here are ${dnnl.version} and ${dnnl.isa}`,
    )
  const { bytes } = content
  if (index.entries.some(({ at, bytes: length }) => !(at >= 0 && length >= 0 && at + length <= bytes.length)))
    return unusable('its bytes are incomplete')
  const constants = index.entries.map(
    ({ constant, layout, at, bytes: length }) =>
      [`${constant} ${layout}`, bytes.subarray(at, at + length)] as const,
  )
  return { constants: new Map(constants), measurements: index.measurements, mismatch: undefined }
}

function parseIndex(bytes: Uint8Array): Index | undefined {
  try {
    const index = JSON.parse(Buffer.from(bytes).toString()) as Partial<Index> | null
    return index?.format === format && Array.isArray(index.entries) && index.entries.every(isEntry)
      ? ({ ...index, measurements: numbersIn(index.measurements) } as Index)
      : undefined
  } catch {
    return undefined
  }
}

function isEntry(entry: unknown): boolean {
  const { constant, layout, at, bytes } = (entry ?? {}) as Record<string, unknown>
  return [constant, layout].every((x) => typeof x === 'string') && [at, bytes].every(Number.isSafeInteger)
}

function numbersIn(record: unknown): Readonly<Record<string, number>> {
  const entries = Object.entries(typeof record === 'object' && record !== null ? record : {})
  return Object.fromEntries(entries.filter(([, value]) => Number.isFinite(value)))
}
