import { readFileSync } from 'node:fs'
import { opcodes } from '../../src/archive/pickle-opcodes.ts'
import {
  PickleComplex,
  PickleDevice,
  PickleDict,
  PickleFloat,
  PickleGlobal,
  PickleList,
  PickleObject,
  PickleReduce,
  PickleTuple,
  type PickleValue,
} from '../../src/archive/pickle-values.ts'
import { concatBytes } from '../../src/archive/bytes.ts'
import { encodeUtf8 } from '../../src/archive/utf8.ts'
import { readZip } from '../../src/archive/zip-reader.ts'
import { writeZip, type ZipInput } from '../../src/archive/zip-writer.ts'
import { Tensor } from '../../src/tensor/tensor.ts'

/** A file of test/fixtures/archives, in an array of its own. */
export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/archives/${name}`, import.meta.url)))
}

/** The error that `run` throws; fails when there is none. */
export function errorOf(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new TypeError('nothing was thrown')
}

export function zipBytes(entries: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  const inputs = Object.entries(entries).map(([name, data]): ZipInput => ({
    name,
    data: typeof data === 'string' ? encodeUtf8(data) : data,
  }))
  return concatBytes(writeZip(inputs))
}

/** The archive with entries replaced, added, or (undefined) left out; paths below the top folder. */
export function withEntries(
  archive: Uint8Array,
  changes: Readonly<Record<string, string | Uint8Array | undefined>>,
): Uint8Array {
  const entries = new Map<string, string | Uint8Array>()
  let folder = ''
  for (const [name, entry] of readZip(archive)) {
    folder = name.slice(0, name.indexOf('/') + 1)
    entries.set(name, entry.read())
  }
  for (const [path, data] of Object.entries(changes)) {
    if (data === undefined) entries.delete(folder + path)
    else entries.set(folder + path, data)
  }
  return zipBytes(Object.fromEntries(entries))
}

/** Offsets of a central directory header's fields. */
const directoryFields = {
  flags: [8, 2],
  method: [10, 2],
  crc32: [16, 4],
  compressedSize: [20, 4],
  size: [24, 4],
  disk: [34, 2],
  headerOffset: [42, 4],
} as const

/** A copy with fields of an entry's directory header changed. @param name ends the entry's name */
export function withDirectoryField(
  zip: Uint8Array,
  name: string,
  changes: Partial<Record<keyof typeof directoryFields, number>>,
): Uint8Array {
  const copy = zip.slice()
  const view = new DataView(copy.buffer)
  const at = directoryHeader(copy, name)
  for (const [field, value] of Object.entries(changes)) {
    const [offset, width] = directoryFields[field as keyof typeof directoryFields]
    if (width === 2) view.setUint16(at + offset, value, true)
    else view.setUint32(at + offset, value, true)
  }
  return copy
}

/** The offset of the directory header of the entry whose name ends so. */
export function directoryHeader(zip: Uint8Array, name: string): number {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength)
  const end = zip.length - 22
  let at = view.getUint32(end + 16, true)
  while (view.getUint32(at, true) === 0x02014b50) {
    const length = view.getUint16(at + 28, true)
    if (new TextDecoder().decode(zip.subarray(at + 46, at + 46 + length)).endsWith(name)) return at
    at += 46 + length + view.getUint16(at + 30, true)
  }
  throw new TypeError(`no entry ${name}`)
}

/** A copy with the bytes of one text replaced by those of another of the same length, everywhere. */
export function withBytes(file: Uint8Array, from: string, to: string): Uint8Array {
  const text = Buffer.from(file).toString('latin1').replaceAll(from, to)
  return new Uint8Array(Buffer.from(text, 'latin1'))
}

/** A pickle of protocol 2 from opcode names, bytes and texts; STOP is added. */
export function pickleBytes(...parts: readonly (keyof typeof opcodes | number | Uint8Array)[]): Uint8Array {
  const bytes = parts.map((part) =>
    typeof part === 'number'
      ? Uint8Array.of(part)
      : typeof part === 'string'
        ? Uint8Array.of(opcodes[part])
        : part,
  )
  return concatBytes([Uint8Array.of(opcodes.PROTO, 2), ...bytes, Uint8Array.of(opcodes.STOP)])
}

export function globalOpcode(module: string, name: string): Uint8Array {
  return concatBytes([Uint8Array.of(opcodes.GLOBAL), encodeUtf8(`${module}\n${name}\n`)])
}

export function textOpcode(text: string): Uint8Array {
  const bytes = encodeUtf8(text)
  return concatBytes([Uint8Array.of(opcodes.BINUNICODE, bytes.length, 0, 0, 0), bytes])
}

/** A value as plain data that can be compared; a mutable value that occurs again is told by its number. */
export function plain(value: PickleValue, seen = new Map<object, number>()): unknown {
  const inner = (item: PickleValue): unknown => plain(item, seen)
  if (typeof value === 'bigint') return { int: String(value) }
  if (value instanceof PickleFloat) return { float: Object.is(value.value, -0) ? '-0' : String(value.value) }
  if (value instanceof PickleTuple) return { tuple: value.items.map(inner) }
  if (value instanceof PickleReduce) return { call: value.callee.qualifiedName, args: inner(value.args) }
  if (value instanceof PickleGlobal) return { global: value.qualifiedName }
  if (value instanceof PickleDevice) return { device: value.device }
  if (value instanceof PickleComplex) return { complex: [value.real, value.imaginary] }
  if (typeof value !== 'object' || value === null) return value
  const earlier = seen.get(value)
  if (earlier !== undefined) return { same: earlier }
  const number = seen.size
  seen.set(value, number)
  if (value instanceof PickleList) return { number, list: value.items.map(inner), type: value.type }
  if (value instanceof PickleDict)
    return { number, dict: [...value.entries()].map(([k, v]) => [inner(k), inner(v)]), type: value.type }
  if (value instanceof PickleObject)
    return { number, object: value.class.qualifiedName, args: inner(value.args), state: inner(value.state) }
  if (value instanceof Tensor) return plainTensor(value, seen)
  return value
}

function plainTensor(tensor: Tensor, seen: Map<object, number>): unknown {
  const storage = seen.get(tensor.storage) ?? seen.size
  seen.set(tensor.storage, storage)
  const { dtype, sizes, strides, storageOffset, requiresGrad, quantizer } = tensor
  const bytes = [...tensor.storage.bytes]
  return { dtype, sizes, strides, storageOffset, requiresGrad, quantizer, storage, bytes }
}
