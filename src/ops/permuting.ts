import type { Tensor } from '../tensor/tensor.ts'
import { wrapDimension } from './dimension.ts'
import { OperatorArgumentError } from './errors.ts'
import { renamed } from './in-place.ts'
import { defineOp, type Operator } from './operator.ts'

/** The same memory with its dimensions in another order: dimension i of the result is `dims[i]`. */
export function permute(self: Tensor, dims: readonly number[]): Tensor {
  if (dims.length !== self.dim)
    throw new OperatorArgumentError(
      `permute: the tensor has ${self.dim} dimensions, the desired ordering ${dims.length}`,
    )
  const order = dims.map((dim) => wrapDimension(dim, self.dim))
  const repeated = order.find((dim, i) => order.indexOf(dim) !== i)
  if (repeated !== undefined) throw new OperatorArgumentError(`permute: repeated dim ${repeated}`)
  return inOrder(self, order)
}

function inOrder(self: Tensor, order: readonly number[]): Tensor {
  return self.asStrided(
    order.map((dim) => self.sizes[dim]!),
    order.map((dim) => self.strides[dim]!),
  )
}

/** The same memory with two dimensions exchanged. */
export function transpose(self: Tensor, dim0: number, dim1: number): Tensor {
  const [a, b] = [wrapDimension(dim0, self.dim), wrapDimension(dim1, self.dim)]
  if (a === b) return self
  const order = self.sizes.map((_, dim) => (dim === a ? b : dim === b ? a : dim))
  return inOrder(self, order)
}

/** The dimensions moved so that `source[i]` becomes `destination[i]`; the others keep their order. */
function moveDimensions(self: Tensor, source: readonly number[], destination: readonly number[]): Tensor {
  if (source.length !== destination.length)
    throw new OperatorArgumentError(
      `movedim: invalid source or destination dims: source (${source.length} dims) should contain the same number of dims as destination (${destination.length} dims)`,
    )
  const [from, to] = [source, destination].map((dims) => distinct(dims, self.dim)) as [number[], number[]]
  const rest = self.sizes.map((_, dim) => dim).filter((dim) => !from.includes(dim))
  const order = self.sizes.map((_, dim) => {
    const moved = to.indexOf(dim)
    return moved === -1 ? rest.shift()! : from[moved]!
  })
  return inOrder(self, order)
}

function distinct(dims: readonly number[], rank: number): number[] {
  const wrapped = dims.map((dim) => wrapDimension(dim, rank))
  if (new Set(wrapped).size !== wrapped.length)
    throw new OperatorArgumentError(`movedim: repeated dim in [${dims.join(', ')}]`)
  return wrapped
}

/** Exchanges the dimensions of a matrix; fewer dimensions stay as they are. */
export function matrixTranspose(self: Tensor): Tensor {
  if (self.dim > 2)
    throw new OperatorArgumentError(`t() expects a tensor with <= 2 dimensions, but self is ${self.dim}D`)
  return self.dim < 2 ? self : transpose(self, 0, 1)
}

function transposeLast(self: Tensor): Tensor {
  if (self.dim < 2)
    throw new OperatorArgumentError(
      `tensor.mT is only supported on matrices or batches of matrices, got ${self.dim}-D tensor`,
    )
  return transpose(self, -2, -1)
}

function moving(name: string): Operator[] {
  return [
    defineOp(`aten::${name}.int(Tensor(a) self, int source, int destination) -> Tensor(a)`, {
      reference: ({ self, source, destination }) => moveDimensions(self, [source], [destination]),
    }),
    defineOp(`aten::${name}.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)`, {
      reference: ({ self, source, destination }) => moveDimensions(self, source, destination),
    }),
  ]
}

const numpyT = defineOp('aten::numpy_T(Tensor(a) self) -> Tensor(a)', {
  reference: ({ self }) => inOrder(self, self.sizes.map((_, dim) => dim).reverse()),
})

export const permutingOperators: readonly Operator[] = [
  defineOp('aten::permute(Tensor(a) self, int[] dims) -> Tensor(a)', {
    reference: ({ self, dims }) => permute(self, dims),
  }),
  defineOp('aten::transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)', {
    reference: ({ self, dim0, dim1 }) => transpose(self, dim0, dim1),
  }),
  defineOp('aten::swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)', {
    reference: ({ self, axis0, axis1 }) => transpose(self, axis0, axis1),
  }),
  defineOp('aten::swapdims(Tensor(a) self, int dim0, int dim1) -> Tensor(a)', {
    reference: ({ self, dim0, dim1 }) => transpose(self, dim0, dim1),
  }),
  defineOp('aten::t(Tensor(a) self) -> Tensor(a)', { reference: ({ self }) => matrixTranspose(self) }),
  numpyT,
  renamed(numpyT, 'aten::numpy_T', 'a'),
  defineOp('aten::mT(Tensor(a) self) -> Tensor(a)', { reference: ({ self }) => transposeLast(self) }),
  defineOp('aten::adjoint(Tensor(a) self) -> Tensor(a)', { reference: ({ self }) => transposeLast(self) }),
  ...moving('movedim'),
  ...moving('moveaxis'),
]
