import type { Tensor } from '../tensor/tensor.ts'
import { rearrangingBy, rearrangingKernels, type CallOperator, type Rearranging } from './decomposition.ts'
import { OperatorArgumentError } from './errors.ts'
import { fromKernel } from './float-compute.ts'
import { matrixProduct } from './matrix-product.ts'
import { defineOp, type Operator } from './operator.ts'
import { permute } from './permuting.ts'
import { reshape } from './reshaping.ts'
import { allocate } from './tensor-access.ts'

/** A tensor whose dimensions have names: letters, and `0`, `1`, … for what an ellipsis stands for. */
interface Labelled {
  readonly tensor: Tensor
  readonly labels: readonly string[]
}

interface Equation {
  readonly inputs: readonly (readonly string[])[]
  readonly output: readonly string[]
}

function refuse(found: string): never {
  throw new OperatorArgumentError(`einsum(): ${found}`, { argument: 'equation' })
}

/** Splits `bij,bjk->bik`, with each ellipsis spelt out as the broadcast dimensions that it covers. */
function parseEquation(equation: string, tensors: readonly Tensor[]): Equation {
  const [left = '', right, ...rest] = equation.replaceAll(' ', '').split('->')
  if (rest.length > 0) refuse(`more than one '->' in '${equation}'`)
  const terms = left.split(',')
  if (terms.length !== tensors.length)
    refuse(`the equation '${equation}' has ${terms.length} operands, but ${tensors.length} were given`)
  const covered = terms.map((term, i) => {
    const named = term.replace('...', '').length
    const dim = tensors[i]!.dim
    if (term.includes('...') ? named > dim : named !== dim)
      refuse(`the term '${term}' does not match the ${dim} dimensions of operand ${i}`)
    return dim - named
  })
  const broadcast = Math.max(0, ...covered)
  const inputs = terms.map((term, i) => lettersOf(term, broadcast, covered[i]!))
  const output = right === undefined ? impliedOutput(inputs) : lettersOf(right, broadcast, broadcast)
  const known = new Set(inputs.flat())
  const foreign = output.find((label, i) => !known.has(label) || output.indexOf(label) !== i)
  if (foreign !== undefined) refuse(`output subscript ${foreign} is repeated or appears in no input`)
  return { inputs, output }
}

function lettersOf(term: string, broadcast: number, covered: number): string[] {
  const ellipsis = Array.from({ length: covered }, (_, i) => String(broadcast - covered + i))
  const [head = '', tail, ...rest] = term.split('...')
  const wrong = [...head, ...(tail ?? '')].find((letter) => !/^[A-Za-z]$/.test(letter))
  if (rest.length > 0 || wrong !== undefined) refuse(`invalid subscript '${wrong ?? '...'}' in '${term}'`)
  return [...head, ...(tail === undefined ? [] : ellipsis), ...(tail ?? '')]
}

/** Broadcast dimensions, then every letter that occurs once, in alphabetical order (capitals first). */
function impliedOutput(inputs: readonly (readonly string[])[]): string[] {
  const all = inputs.flat()
  const once = all.filter((label) => /[A-Za-z]/.test(label) && all.indexOf(label) === all.lastIndexOf(label))
  const dots = [...new Set(all.filter((label) => /\d/.test(label)))].sort((a, b) => Number(a) - Number(b))
  return [...dots, ...once.sort()]
}

/** Reads the diagonal where a letter is repeated, and drops sizes of 1 that another operand stretches. */
function labelled(tensor: Tensor, letters: readonly string[], sizes: Map<string, number>): Labelled {
  const labels = [...new Set(letters)]
  const strides = labels.map((label) =>
    letters.reduce((sum, letter, dim) => (letter === label ? sum + tensor.strides[dim]! : sum), 0),
  )
  const own = labels.map((label) => tensor.sizes[letters.indexOf(label)]!)
  letters.forEach((letter, dim) => {
    if (tensor.sizes[dim] !== own[labels.indexOf(letter)])
      refuse(
        `subscript ${letter} is repeated for sizes ${tensor.sizes[dim]!} and ${own[labels.indexOf(letter)]!}`,
      )
  })
  const kept = labels.map((_, i) => i).filter((i) => own[i] === sizes.get(labels[i]!))
  return {
    tensor: tensor.asStrided(
      kept.map((i) => own[i]!),
      kept.map((i) => strides[i]!),
    ),
    labels: kept.map((i) => labels[i]!),
  }
}

function sizesOfLabels(
  inputs: readonly (readonly string[])[],
  tensors: readonly Tensor[],
): Map<string, number> {
  const sizes = new Map<string, number>()
  inputs.forEach((letters, operand) =>
    letters.forEach((letter, dim) => {
      const size = tensors[operand]!.sizes[dim]!
      const known = sizes.get(letter) ?? 1
      if (size !== 1 && known !== 1 && size !== known)
        refuse(`operands do not broadcast with subscript ${letter}: sizes ${known} and ${size}`)
      if (known === 1) sizes.set(letter, size)
    }),
  )
  return sizes
}

function sizeOf({ tensor, labels }: Labelled, names: readonly string[]): number {
  return names.reduce((n, name) => n * tensor.sizes[labels.indexOf(name)]!, 1)
}

/** What contractions are made of. */
interface Steps extends Rearranging {
  /** Of batches of matrices. */
  matrixProduct(left: Tensor, right: Tensor): Tensor
}

const kernels: Steps = { ...rearrangingKernels, matrixProduct }

/** The operand as batch × rows × columns, each the product of the dimensions named. */
function grouped(operand: Labelled, groups: readonly (readonly string[])[], steps = kernels): Tensor {
  const order = groups.flat().map((label) => operand.labels.indexOf(label))
  return steps.reshape(
    steps.permute(operand.tensor, order),
    groups.map((names) => sizeOf(operand, names)),
  )
}

/** Multiplies two operands and sums over the labels that are in neither the output nor a later operand. */
function contract(a: Labelled, b: Labelled, kept: readonly string[], steps = kernels): Labelled {
  const inOrder = (names: readonly string[]): string[] => [
    ...kept.filter((label) => names.includes(label)),
    ...names.filter((label) => !kept.includes(label)).sort(),
  ]
  const shared = inOrder(a.labels.filter((label) => b.labels.includes(label)))
  const batch = shared.filter((label) => kept.includes(label))
  const summed = shared.filter((label) => !kept.includes(label))
  const left = inOrder(a.labels.filter((label) => !shared.includes(label)))
  const right = inOrder(b.labels.filter((label) => !shared.includes(label)))
  const product = steps.matrixProduct(
    grouped(a, [batch, left, summed], steps),
    grouped(b, [batch, summed, right], steps),
  )
  const labels = [...batch, ...left, ...right]
  const sizes = labels.map((label) => sizeOf(a.labels.includes(label) ? a : b, [label]))
  return sumOut({ tensor: steps.reshape(product, sizes), labels }, kept)
}

/** Sums over the labels that are not kept, as a product with ones. */
function sumOut(operand: Labelled, kept: readonly string[]): Labelled {
  const labels = operand.labels.filter((label) => kept.includes(label))
  const summed = operand.labels.filter((label) => !kept.includes(label))
  if (summed.length === 0) return operand
  const matrix = grouped(operand, [labels, summed])
  const { dtype } = operand.tensor
  const ones = allocate(dtype, [matrix.sizes[1]!, 1])
  const { data } = ones
  if (data instanceof BigInt64Array) data.fill(1n)
  else data.fill(1)
  const sizes = labels.map((label) => sizeOf(operand, [label]))
  return { tensor: reshape(fromKernel(matrixProduct(matrix, ones), dtype), sizes), labels }
}

/**
 * `torch.einsum`: operands are contracted from the left, each pair as a batch of matrix products.
 *
 * @throws OperatorArgumentError when the equation does not fit the operands
 */
export function einsum(equation: string, tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 0) refuse('must provide at least one operand')
  const { inputs, output } = parseEquation(equation, tensors)
  const sizes = sizesOfLabels(inputs, tensors)
  const operands = tensors.map((tensor, i) => labelled(tensor, inputs[i]!, sizes))
  const dtype = tensors[0]!.dtype
  const result = operands.reduce((sum, operand, i) => {
    const later = operands.slice(i + 1).flatMap(({ labels }) => labels)
    const product = contract(sum, operand, [...output, ...later.filter((label) => !output.includes(label))])
    return { ...product, tensor: fromKernel(product.tensor, dtype) }
  })
  const summed = sumOut(result, output)
  return permute(
    summed.tensor,
    output.map((label) => summed.labels.indexOf(label)),
  )
}

/** Two operands, whose labels are all summed in their product or kept, as permutations and a product of batches. */
function decomposeEinsum(
  equation: string,
  tensors: readonly Tensor[],
  call: CallOperator,
): Tensor | undefined {
  const [a, b] = tensors
  if (!a || !b || tensors.length !== 2) return undefined
  const { inputs, output } = parseEquation(equation, tensors)
  const [left = [], right = []] = inputs
  const sizes = sizesOfLabels(inputs, tensors)
  const isWhole = (labels: readonly string[], tensor: Tensor, other: readonly string[]): boolean =>
    new Set(labels).size === labels.length &&
    labels.every((label, i) => tensor.sizes[i] === sizes.get(label)) &&
    labels.every((label) => other.includes(label) || output.includes(label))
  if (!isWhole(left, a, right) || !isWhole(right, b, left)) return undefined
  const steps: Steps = { ...rearrangingBy(call), matrixProduct: (x, y) => call('aten::bmm', x, y) }
  const product = contract({ tensor: a, labels: left }, { tensor: b, labels: right }, output, steps)
  return steps.permute(
    product.tensor,
    output.map((label) => product.labels.indexOf(label)),
  )
}

export const einsumOperators: readonly Operator[] = [
  defineOp('aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor', {
    reference: ({ equation, tensors }) => einsum(equation, tensors),
    decompose: ({ equation, tensors }, call) => decomposeEinsum(equation, tensors, call),
  }),
]
