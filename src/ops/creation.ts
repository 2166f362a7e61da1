import { Double, scalarToNumber, type Device, type Scalar } from '../ir/ivalue.ts'
import { dtypeFromCode, isFloating, type DType } from '../tensor/dtype.ts'
import { type Tensor } from '../tensor/tensor.ts'
import { toInt64 } from './convert.ts'
import { checkDevice } from './copying.ts'
import { OperatorArgumentError } from './errors.ts'
import { memoryFormats, stridesOfFormat } from './memory-layout.ts'
import { defineOp, type Operator } from './operator.ts'
import { scalarTensor } from './scalar-operand.ts'
import { allocate, convert, copyInto, soleNumber } from './tensor-access.ts'
import { defaultDType, scalarDType } from './type-promotion.ts'

/** The arguments that factories share. */
export interface FactoryOptions {
  readonly dtype: number | null
  readonly device?: Device | null
  readonly memory_format?: number | null
}

/** The dtype asked for, on a device that exists. */
export function chosenDType({ dtype, device }: FactoryOptions, fallback: DType): DType {
  checkDevice(device)
  return dtype === null ? fallback : dtypeFromCode(dtype)
}

/** A new tensor with every element the same. */
export function full(
  sizes: readonly number[],
  value: Scalar,
  dtype: DType,
  strides?: readonly number[],
): Tensor {
  const tensor = allocate(dtype, sizes, strides)
  if (scalarToNumber(value) !== 0) copyInto(tensor, scalarTensor(value, dtype))
  return tensor
}

function newTensor(
  options: FactoryOptions,
  sizes: readonly number[],
  value: Scalar,
  fallback = defaultDType,
): Tensor {
  const dtype = chosenDType(options, fallback)
  return full(sizes, value, dtype, stridesOfFormat(sizes, options.memory_format ?? memoryFormats.contiguous))
}

function likeTensor(self: Tensor, options: FactoryOptions, value: Scalar): Tensor {
  const format = options.memory_format ?? memoryFormats.preserve
  return full(self.sizes, value, chosenDType(options, self.dtype), stridesOfFormat(self.sizes, format, self))
}

/** `start`, `start + step`, … to before `end`; whole numbers when all three are. */
function arange(options: FactoryOptions, start: Scalar, end: Scalar, step: Scalar): Tensor {
  const whole = ![start, end, step].some((scalar) => scalar instanceof Double)
  const dtype = chosenDType(options, whole ? 'int64' : defaultDType)
  const given = [start, end, step].map(scalarToNumber) as [number, number, number]
  const cut = isFloating(dtype) ? given : (given.map(Math.trunc) as [number, number, number])
  // libtorch counts in the dtype for int64, and in double precision for all others.
  const length = rangeLength(...(dtype === 'int64' ? cut : given))
  const [from, , by] = cut
  if (by === 0) throw new OperatorArgumentError(`step must be nonzero, but is ${given[2]} as ${dtype}`)
  return generate(dtype, length, (i) => from + i * by)
}

function rangeLength(start: number, end: number, step: number): number {
  if (step === 0) throw new OperatorArgumentError('step must be nonzero')
  if (!Number.isFinite(start) || !Number.isFinite(end))
    throw new OperatorArgumentError(`unsupported range: ${start} -> ${end}`)
  if (step > 0 ? end < start : start < end)
    throw new OperatorArgumentError(
      `upper bound and larger bound inconsistent with step sign: from ${start} to ${end} by ${step}`,
    )
  return Math.ceil((end - start) / step)
}

/** A vector of `fn(0)`, `fn(1)`, …, computed in double precision and converted. */
function generate(dtype: DType, length: number, fn: (i: number) => number): Tensor {
  const wide = dtype === 'float32' || dtype === 'int64' ? dtype : 'float64'
  const vector = allocate(wide, [length])
  const { data } = vector
  if (data instanceof BigInt64Array) for (let i = 0; i < length; i++) data[i] = toInt64(fn(i))
  else for (let i = 0; i < length; i++) data[i] = fn(i)
  return convert(vector, dtype)
}

/** `steps` numbers evenly spaced, both ends included; symmetrical, as libtorch counts the second half from the end. */
function spaced(dtype: DType, start: Scalar, end: Scalar, steps: number): (i: number) => number {
  if (steps < 0) throw new OperatorArgumentError(`number of steps must be non-negative, but is ${steps}`)
  const [from, to] = [start, end].map((scalar) => soleNumber(scalarTensor(scalar, dtype))) as [number, number]
  const round = dtype !== 'float32' ? (x: number): number => x : Math.fround
  const step = round((to - from) / (steps - 1))
  return (i) =>
    steps === 1 ? from : i < Math.floor(steps / 2) ? from + step * i : to - step * (steps - 1 - i)
}

function linspace(options: FactoryOptions, start: Scalar, end: Scalar, steps: number): Tensor {
  const dtype = chosenDType(options, defaultDType)
  return generate(dtype, steps, spaced(dtype, start, end, steps))
}

function logspace(options: FactoryOptions, start: Scalar, end: Scalar, steps: number, base: number): Tensor {
  const dtype = chosenDType(options, defaultDType)
  const exponent = spaced(dtype, start, end, steps)
  return generate(dtype, steps, (i) => base ** exponent(i))
}

function eye(options: FactoryOptions, rows: number, columns: number): Tensor {
  return identity(rows, columns, chosenDType(options, defaultDType))
}

/** Ones on the diagonal, zeros elsewhere. */
export function identity(rows: number, columns: number, dtype: DType): Tensor {
  const matrix = allocate(dtype, [rows, columns])
  const diagonal = matrix.asStrided([Math.min(rows, columns)], [columns + 1])
  copyInto(diagonal, scalarTensor(1, matrix.dtype))
  return matrix
}

/** Raised-cosine windows; a periodic one is the symmetric one of a point more, without its last. */
function cosineWindow(
  options: FactoryOptions,
  length: number,
  periodic: boolean,
  terms: readonly number[],
): Tensor {
  const dtype = chosenDType(options, defaultDType)
  if (!isFloating(dtype))
    throw new OperatorArgumentError(`window functions take floating point dtypes, not ${dtype}`)
  if (length < 0) throw new OperatorArgumentError(`window length must be non-negative, but is ${length}`)
  const span = periodic ? length : length - 1
  return generate(dtype, length, (i) =>
    span === 0 || length === 1
      ? 1
      : terms.reduce((sum, term, k) => sum + term * Math.cos((2 * Math.PI * k * i) / span), 0),
  )
}

function windows(name: string, terms: readonly number[]): Operator[] {
  return [
    defineOp(
      `aten::${name}(int window_length, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor`,
      { reference: ({ window_length, ...options }) => cosineWindow(options, window_length, true, terms) },
    ),
    defineOp(
      `aten::${name}.periodic(int window_length, bool periodic, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor`,
      {
        reference: ({ window_length, periodic, ...options }) =>
          cosineWindow(options, window_length, periodic, terms),
      },
    ),
  ]
}

function likeOperators(name: string, value: number): Operator[] {
  return [
    defineOp(
      `aten::${name}_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor`,
      { reference: ({ self, ...options }) => likeTensor(self, options, value), ...uncertain(name) },
    ),
    defineOp(
      `aten::new_${name}(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor`,
      {
        reference: ({ self, size, ...options }) => newTensor(options, size, value, self.dtype),
        ...uncertain(name),
      },
    ),
  ]
}

/** What `empty` holds nobody may rely on. */
function uncertain(name: string): { readonly isNondeterministic: boolean } {
  return { isNondeterministic: name === 'empty' }
}

function emptyStrided(
  options: FactoryOptions,
  sizes: readonly number[],
  strides: readonly number[],
  dtype: DType,
): Tensor {
  const last = sizes.reduce((sum, size, dim) => sum + (size - 1) * (strides[dim] ?? 0), 0)
  const base = allocate(chosenDType(options, dtype), [sizes.includes(0) ? 0 : last + 1])
  if (sizes.length !== strides.length)
    throw new OperatorArgumentError(
      `mismatch in length of strides (${strides.length}) and shape (${sizes.length})`,
    )
  return base.asStrided(sizes, strides)
}

const rangeOperators: readonly Operator[] = [
  defineOp(
    'aten::arange(Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    { reference: ({ end, ...options }) => arange(options, 0, end, 1) },
  ),
  defineOp(
    'aten::arange.start(Scalar start, Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    { reference: ({ start, end, ...options }) => arange(options, start, end, 1) },
  ),
  defineOp(
    'aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    { reference: ({ start, end, step, ...options }) => arange(options, start, end, step) },
  ),
  defineOp(
    'aten::linspace(Scalar start, Scalar end, int steps, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    { reference: ({ start, end, steps, ...options }) => linspace(options, start, end, steps) },
  ),
  defineOp(
    'aten::logspace(Scalar start, Scalar end, int steps, float base=10., *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    { reference: ({ start, end, steps, base, ...options }) => logspace(options, start, end, steps, base) },
  ),
]

export const creationOperators: readonly Operator[] = [
  ...rangeOperators,
  defineOp(
    'aten::zeros(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    { reference: ({ size, ...options }) => newTensor(options, size, 0) },
  ),
  defineOp(
    'aten::ones(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    { reference: ({ size, ...options }) => newTensor(options, size, 1) },
  ),
  defineOp(
    'aten::full(SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    {
      reference: ({ size, fill_value, ...options }) =>
        newTensor(options, size, fill_value, scalarDType(fill_value)),
    },
  ),
  defineOp(
    'aten::empty.memory_format(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor',
    { reference: ({ size, ...options }) => newTensor(options, size, 0), isNondeterministic: true },
  ),
  defineOp(
    'aten::empty_strided(SymInt[] size, SymInt[] stride, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    {
      reference: ({ size, stride, ...options }) => emptyStrided(options, size, stride, defaultDType),
      isNondeterministic: true,
    },
  ),
  defineOp(
    'aten::scalar_tensor(Scalar s, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    { reference: ({ s, ...options }) => newTensor(options, [], s) },
  ),
  defineOp(
    'aten::eye(int n, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    { reference: ({ n, ...options }) => eye(options, n, n) },
  ),
  defineOp(
    'aten::eye.m(int n, int m, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    { reference: ({ n, m, ...options }) => eye(options, n, m) },
  ),
  ...likeOperators('zeros', 0),
  ...likeOperators('ones', 1),
  ...likeOperators('empty', 0),
  defineOp(
    'aten::full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor',
    { reference: ({ self, fill_value, ...options }) => likeTensor(self, options, fill_value) },
  ),
  defineOp(
    'aten::new_full(Tensor self, SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    {
      reference: ({ self, size, fill_value, ...options }) => newTensor(options, size, fill_value, self.dtype),
    },
  ),
  defineOp(
    'aten::new_empty_strided(Tensor self, SymInt[] size, SymInt[] stride, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    {
      reference: ({ self, size, stride, ...options }) => emptyStrided(options, size, stride, self.dtype),
      isNondeterministic: true,
    },
  ),
  ...windows('hann_window', [0.5, -0.5]),
  ...windows('hamming_window', [0.54, -0.46]),
  ...windows('blackman_window', [0.42, -0.5, 0.08]),
]
