import type { Node, Value } from '../../ir/graph.ts'
import { CallArguments } from './call-arguments.ts'
import type { BinaryAlgorithm } from './binding/dnnl.ts'
import { eltwiseOf, type Eltwise } from './eltwise.ts'
import type { Lowering } from './lowering.ts'
import { writesInPlace } from './lower-views.ts'

/** What follows a kernel and is done before its result is stored. */
export type Epilogue =
  | { readonly kind: 'eltwise'; readonly node: Node; readonly functions: readonly Eltwise[] }
  | {
      readonly kind: 'binary'
      readonly node: Node
      readonly algorithm: BinaryAlgorithm
      readonly operand: Value
    }

const binaryKinds: Readonly<Record<string, BinaryAlgorithm>> = {
  'aten::add': 'add',
  'aten::sub': 'sub',
  'aten::mul': 'mul',
  'aten::div': 'div',
  'aten::maximum': 'max',
  'aten::minimum': 'min',
}

/** The library's algorithm for a node of two tensors, undefined for any other node. */
export function binaryOf(args: CallArguments): BinaryAlgorithm | undefined {
  const algorithm = binaryKinds[args.node.kind]
  if (algorithm === undefined || args.tensor('other') === undefined || args.tensor('self') === undefined)
    return undefined
  if ((args.number('alpha') ?? 1) !== 1 || args.has('rounding_mode')) return undefined
  return algorithm
}

const commutative = new Set<BinaryAlgorithm>(['add', 'mul', 'max', 'min'])
const mostEpilogues = 6

/**
 * Finds for each kernel node the element-wise nodes behind it that can be done in its epilogue: each the only user of
 * what is in front of it, of the same dtype and sizes. A node belongs to one kernel only.
 */
export class EpilogueFinder {
  readonly #lowering: Lowering
  readonly #taken = new Set<Node>()

  constructor(lowering: Lowering) {
    this.#lowering = lowering
  }

  find(kernel: Node): readonly Epilogue[] {
    const found: Epilogue[] = []
    for (let value = kernel.output(); found.length < mostEpilogues;) {
      const epilogue = this.#next(value)
      if (epilogue === undefined || contradicts(epilogue, found)) break
      found.push(epilogue)
      this.#taken.add(epilogue.node)
      value = epilogue.node.output()
    }
    return found
  }

  #next(value: Value): Epilogue | undefined {
    const [use] = value.uses
    if (use === undefined || value.uses.length !== 1) return undefined
    const node = use.user
    if (this.#taken.has(node) || this.#isWrittenBetween(value.node, node)) return undefined
    if (node.outputs.length !== 1 || !this.#alike(value, node.output())) return undefined
    const args = new CallArguments(node, this.#lowering)
    const functions = eltwiseOf(args)
    if (functions) return { kind: 'eltwise', node, functions }
    const algorithm = binaryOf(args)
    if (algorithm === undefined || (use.offset !== 0 && !commutative.has(algorithm))) return undefined
    const operand = node.input(1 - use.offset)
    if (operand === value || !this.#fits(operand, value)) return undefined
    return { kind: 'binary', node, algorithm, operand }
  }

  /** What writes in place keeps its place: nothing is put off beyond it. */
  #isWrittenBetween(first: Node, last: Node): boolean {
    for (let node = first.next; node !== last; node = node.next) if (writesInPlace(node)) return true
    return false
  }

  #alike(a: Value, b: Value): boolean {
    if (!this.#lowering.isTensor(b)) return false
    const [x, y] = [this.#lowering.tensorOf(a), this.#lowering.tensorOf(b)]
    return x.dtype === 'float32' && y.dtype === x.dtype && x.sizes.join() === y.sizes.join()
  }

  /** The library takes operands of the same sizes, or with ones everywhere or but in the channels. */
  #fits(operand: Value, value: Value): boolean {
    const [a, b] = [this.#lowering.tensorOf(operand), this.#lowering.tensorOf(value)]
    if (a.dtype !== 'float32' || a.dim > b.dim) return false
    const sizes = [...new Array<number>(b.dim - a.dim).fill(1), ...a.sizes]
    return (
      sizes.every((size, i) => size === b.sizes[i]) ||
      sizes.every((size, i) => size === 1 || (i === 1 && size === b.sizes[i]))
    )
  }
}

/**
 * Some of the library's kernels (2.6.3, brgemm) keep one set of parameters for each function: a second `linear` would
 * compute with the numbers of the first.
 */
function contradicts(epilogue: Epilogue, before: readonly Epilogue[]): boolean {
  if (epilogue.kind !== 'eltwise') return false
  const known = before.flatMap((one) => (one.kind === 'eltwise' ? one.functions : []))
  return epilogue.functions.some((own) =>
    known.some(
      ({ algorithm, alpha, beta }) =>
        algorithm === own.algorithm && (alpha !== own.alpha || beta !== own.beta),
    ),
  )
}
