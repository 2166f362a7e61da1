import { Double } from '../ir/ivalue.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { OperatorArgumentError } from './errors.ts'
import { floatsOf } from './float-compute.ts'
import { defineOp, type Operator } from './operator.ts'
import { rowsOf } from './reduction.ts'
import { roundToEven } from './round-to-even.ts'
import { scalarTensor } from './scalar-operand.ts'
import { allocateFor, floatData } from './tensor-access.ts'

interface QuantileArguments {
  readonly self: Tensor
  readonly q: Tensor
  readonly dim: number | null
  readonly keepdim: boolean
  readonly interpolation: string
}

type Between = (below: number, above: number, share: number) => number

/** What stands for a place between two elements, `share` of the way to the upper one. */
const interpolations: Readonly<Record<string, Between>> = {
  linear: (below, above, share) => below + (above - below) * share,
  lower: (below) => below,
  higher: (below, above, share) => (share === 0 ? below : above),
  midpoint: (below, above, share) => (share === 0 ? below : below + (above - below) / 2),
  nearest: (below) => below,
}

/**
 * The elements that a share `q` of each row lies below (aten/src/ATen/native/Sorting.cpp); one result for a number,
 * one in front of the others for each of a vector. A row with NaN gives NaN, unless NaN is passed over.
 *
 * @throws OperatorArgumentError for other dtypes, shares beyond 0 … 1, or an unknown interpolation
 */
function quantile(args: QuantileArguments, skipsNaN: boolean): Tensor {
  checkQuantile(args)
  const { self, q, dim, keepdim, interpolation } = args
  const rows = rowsOf(self, dim === null ? null : [dim])
  const kept = keepdim ? rows.unreducedSizes : rows.keptSizes
  const result = allocateFor([self, q], self.dtype, [...q.sizes, ...kept])
  if (result.isMeta) return result
  const [shares, out] = [floatData(q), floatsOf(result)]
  const wrong = shares.find((share) => !(share >= 0 && share <= 1))
  if (wrong !== undefined)
    throw new OperatorArgumentError(`quantile() q must be in the range [0, 1] but got ${wrong}`, {
      argument: 'q',
    })
  // libtorch counts places in the dtype of `q`.
  const round = self.dtype === 'float64' ? (x: number): number => x : Math.fround
  const data = rows.data as Float32Array | Float64Array
  for (let row = 0; row < rows.count; row++) {
    const sorted = data.slice(row * rows.length, (row + 1) * rows.length).sort()
    const known = sorted.findIndex(Number.isNaN)
    const last = known === -1 ? rows.length - 1 : skipsNaN ? Math.max(known - 1, 0) : -1
    shares.forEach((share, i) => {
      out[i * rows.count + row] = last < 0 ? NaN : elementAt(sorted, round(share * last), interpolation)
    })
  }
  return result
}

function elementAt(sorted: Float32Array | Float64Array, place: number, interpolation: string): number {
  const exact = interpolation === 'nearest' ? roundToEven(place) : place
  const below = Math.floor(exact)
  return interpolations[interpolation]!(sorted[below]!, sorted[Math.ceil(exact)]!, exact - below)
}

function checkQuantile({ self, q, interpolation }: QuantileArguments): void {
  if (self.numel === 0) throw new OperatorArgumentError('quantile() input tensor must be non-empty')
  if (self.dtype !== 'float32' && self.dtype !== 'float64')
    throw new OperatorArgumentError(
      `quantile() input tensor must be either float or double, not ${self.dtype}`,
    )
  if (q.dtype !== self.dtype)
    throw new OperatorArgumentError(
      `quantile() q tensor must be same dtype as the input tensor: ${q.dtype} and ${self.dtype}`,
      { argument: 'q' },
    )
  if (q.dim > 1)
    throw new OperatorArgumentError(`quantile() q must be a scalar or 1D tensor, not ${q.dim}D`, {
      argument: 'q',
    })
  if (interpolations[interpolation] === undefined)
    throw new OperatorArgumentError(
      `quantile() interpolation must be one of ${Object.keys(interpolations).join(', ')}, but got ${interpolation}`,
      { argument: 'interpolation' },
    )
}

function quantiles(name: 'quantile', skipsNaN: boolean): Operator[] {
  return [
    defineOp(
      `aten::${name}(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation="linear") -> Tensor`,
      { reference: (args) => quantile(args, skipsNaN) },
    ),
    defineOp(
      `aten::${name}.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str interpolation="linear") -> Tensor`,
      {
        reference: (args) =>
          quantile({ ...args, q: scalarTensor(new Double(args.q), args.self.dtype) }, skipsNaN),
      },
    ),
  ]
}

export const quantileOperators: readonly Operator[] = [
  ...quantiles('quantile', false),
  ...quantiles('nanquantile' as 'quantile', true),
]
