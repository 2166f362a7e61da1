import type { Tensor } from '../tensor/tensor.ts'
import { OperatorArgumentError } from './errors.ts'
import { requireFloating } from './float-compute.ts'
import { defineOp, type Operator } from './operator.ts'
import { averagePool, maximumPool, type Divisor, type Maxima } from './pool.ts'
import { checkPoolingInput, requireOutput, slidingWindows } from './pooling-windows.ts'

interface MaximumArguments {
  readonly self: Tensor
  readonly kernel_size: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  readonly ceil_mode: boolean
}

/** The channels-last order survives in two dimensions, as in libtorch. */
function maxima(spatial: number, args: MaximumArguments, least = 1): Maxima {
  const { self } = args
  requireFloating(self, `max_pool${spatial}d`)
  checkPoolingInput(self, spatial, `max_pool${spatial}d`)
  const windows = slidingWindows(self.sizes.slice(-spatial), {
    ...args,
    kernel: args.kernel_size,
    ceilMode: args.ceil_mode,
  })
  requireOutput(self, windows, least)
  return maximumPool(self, windows, spatial === 2)
}

interface AverageArguments extends Omit<MaximumArguments, 'dilation'> {
  readonly count_include_pad: boolean
  readonly divisor_override?: number | null
}

function averages(spatial: number, args: AverageArguments): Tensor {
  const { self, count_include_pad: countPadding, divisor_override: divisor = null } = args
  if (self.dtype !== 'int64') requireFloating(self, `avg_pool${spatial}d`)
  checkPoolingInput(self, spatial, `avg_pool${spatial}d`)
  if (divisor === 0)
    throw new OperatorArgumentError('divisor must be not zero', { argument: 'divisor_override' })
  const windows = slidingWindows(self.sizes.slice(-spatial), {
    ...args,
    kernel: args.kernel_size,
    dilation: [1],
    ceilMode: args.ceil_mode,
  })
  requireOutput(self, windows)
  const by: Divisor = divisor ?? (countPadding ? 'counted' : 'inside')
  return averagePool(self, windows, by, spatial === 2)
}

function both({ values, indices }: Maxima): Tensor[] {
  return [values, indices]
}

const maximum = [
  /** Alone among them it lets a kernel larger than the input give an empty result. */
  defineOp(
    'aten::max_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], int[1] dilation=[1], bool ceil_mode=False) -> Tensor',
    { reference: (args) => maxima(1, args, 0).values },
  ),
  defineOp(
    'aten::max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] dilation=1, bool ceil_mode=False) -> Tensor',
    { reference: (args) => maxima(2, args).values },
  ),
  defineOp(
    'aten::max_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, int[3] dilation=1, bool ceil_mode=False) -> Tensor',
    { reference: (args) => maxima(3, args).values },
  ),
  defineOp(
    'aten::max_pool1d_with_indices(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], int[1] dilation=[1], bool ceil_mode=False) -> (Tensor, Tensor)',
    { reference: (args) => both(maxima(1, args)) },
  ),
  defineOp(
    'aten::max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)',
    { reference: (args) => both(maxima(2, args)) },
  ),
  defineOp(
    'aten::max_pool3d_with_indices(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, int[3] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)',
    { reference: (args) => both(maxima(3, args)) },
  ),
]

const average = [
  defineOp(
    'aten::avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], bool ceil_mode=False, bool count_include_pad=True) -> Tensor',
    { reference: (args) => averages(1, args) },
  ),
  defineOp(
    'aten::avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor',
    { reference: (args) => averages(2, args) },
  ),
  defineOp(
    'aten::avg_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor',
    { reference: (args) => averages(3, args) },
  ),
]

export const poolingOperators: readonly Operator[] = [...maximum, ...average]
