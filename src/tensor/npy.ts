import { plainTensor } from './convert-layout.ts'
import { itemSize, type DType } from './dtype.ts'
import { NpyFormatError } from './errors.ts'
import { Storage } from './storage.ts'
import { contiguousStrides, numelOf, Tensor } from './tensor.ts'

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

/** NumPy's names of our dtypes, without the byte order. */
const codes: Readonly<Partial<Record<DType, string>>> = {
  float32: 'f4',
  float64: 'f8',
  float16: 'f2',
  int64: 'i8',
  int32: 'i4',
  int16: 'i2',
  int8: 'i1',
  uint8: 'u1',
  bool: 'b1',
}

/** More dimensions than NumPy allows. */
const maxDimensions = 64

/**
 * Reads a NumPy array file (numpy/lib/format.py, versions 1 to 3), in row-major or column-major order and either
 * byte order.
 *
 * @throws NpyFormatError
 */
export function readNpy(bytes: Uint8Array): Tensor {
  if (!magic.every((byte, i) => bytes[i] === byte))
    throw new NpyFormatError('the file does not begin as a .npy file', {}, 'save the array with numpy.save')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isShort = bytes[6] === 1
  const start = isShort ? 10 : 12
  if (bytes.length < start) throw new NpyFormatError('the .npy file is cut off')
  const length = isShort ? view.getUint16(8, true) : view.getUint32(8, true)
  const header = String.fromCharCode(...bytes.subarray(start, Math.min(start + length, start + 65_536)))
  const { dtype, isBigEndian, sizes, isColumnMajor } = parseHeader(header)
  const size = numelOf(sizes) * itemSize(dtype)
  const data = new Uint8Array(bytes.subarray(start + length, start + length + size))
  if (data.length !== size)
    throw new NpyFormatError(`the .npy file holds ${data.length} bytes of data, its shape needs ${size}`)
  if (isBigEndian) swapBytes(data, itemSize(dtype))
  const strides = isColumnMajor ? contiguousStrides([...sizes].reverse()).reverse() : contiguousStrides(sizes)
  return new Tensor(new Storage(data), dtype, sizes, { strides })
}

function parseHeader(header: string): {
  dtype: DType
  isBigEndian: boolean
  sizes: number[]
  isColumnMajor: boolean
} {
  const descr = /'descr':\s*'([<>|=])(\w+)'/.exec(header)
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1]
  const shape = /'shape':\s*\(([\d,\sL]*)\)/.exec(header)?.[1]
  if (descr === null || order === undefined || shape === undefined)
    throw new NpyFormatError(`the header of the .npy file cannot be read: ${header.trim().slice(0, 100)}`)
  const entry = Object.entries(codes).find(([, code]) => code === descr[2])
  if (entry === undefined)
    throw new NpyFormatError(
      `arrays of dtype '${descr[2] ?? ''}' are not supported`,
      {},
      `use one of ${Object.keys(codes).join(', ')}`,
    )
  const sizes = (shape.match(/\d+/g) ?? []).map(Number)
  if (sizes.length > maxDimensions || !Number.isSafeInteger(numelOf(sizes)))
    throw new NpyFormatError(`the shape (${shape.slice(0, 100)}) is too large`)
  return { dtype: entry[0] as DType, isBigEndian: descr[1] === '>', sizes, isColumnMajor: order === 'True' }
}

function swapBytes(data: Uint8Array, size: number): void {
  for (let i = 0; i < data.length; i += size) data.subarray(i, i + size).reverse()
}

/**
 * The bytes of a `.npy` file of the tensor, row-major.
 *
 * @throws NpyFormatError for a dtype that NumPy has no name for
 */
export function writeNpy(tensor: Tensor): Uint8Array {
  const code = codes[tensor.dtype]
  if (code === undefined)
    throw new NpyFormatError(`NumPy has no dtype for ${tensor.dtype}`, {}, 'convert the tensor first')
  const order = itemSize(tensor.dtype) === 1 ? '|' : '<'
  const shape = tensor.sizes.length === 1 ? `(${tensor.sizes.join()},)` : `(${tensor.sizes.join(', ')})`
  const dict = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': ${shape}, }`
  // The data begins at a multiple of 64 bytes.
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64 - 10
  const bytes = new Uint8Array(10 + length + tensor.byteLength)
  bytes.set(magic)
  bytes[6] = 1
  new DataView(bytes.buffer).setUint16(8, length, true)
  const text = dict.padEnd(length - 1) + '\n'
  for (let i = 0; i < text.length; i++) bytes[10 + i] = text.charCodeAt(i)
  copyRowMajor(plainTensor(tensor), bytes.subarray(10 + length))
  return bytes
}

function copyRowMajor(tensor: Tensor, out: Uint8Array): void {
  const size = itemSize(tensor.dtype)
  const { bytes } = tensor.storage
  if (tensor.isContiguous) {
    out.set(bytes.subarray(tensor.storageOffset * size, tensor.storageOffset * size + out.length))
    return
  }
  let to = 0
  const copy = (dim: number, offset: number): void => {
    const count = tensor.sizes[dim]
    if (count === undefined) {
      out.set(bytes.subarray(offset * size, (offset + 1) * size), to)
      to += size
      return
    }
    for (let i = 0; i < count; i++) copy(dim + 1, offset + i * (tensor.strides[dim] as number))
  }
  copy(0, tensor.storageOffset)
}
