import type { Graph } from '../ir/graph.ts'
import { constantOf } from '../passes/support/constants.ts'
import { readOnlyConstant } from '../passes/support/read-only-constants.ts'
import { defaultServices } from '../passes/support/services.ts'
import type { Storage } from '../tensor/storage.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { tensorsIn } from './value-tensors.ts'

/** The memory of every constant of the graph. */
export function constantStorages(graph: Graph): ReadonlySet<Storage> {
  const storages = new Set<Storage>()
  for (const node of graph.nodes('prim::Constant'))
    for (const { storage } of tensorsIn(constantOf(node.output()) ?? null)) storages.add(storage)
  return storages
}

/** Whether some constant is a variable by another name: the graph writes to it. */
export function writesToConstants(graph: Graph): boolean {
  for (const node of graph.nodes('prim::Constant')) {
    const value = node.output()
    if (constantOf(value) !== undefined && readOnlyConstant(value, defaultServices) === undefined) return true
  }
  return false
}

const looks = new Set([
  'aten::as_strided',
  'aten::as_strided_',
  'aten::is_contiguous',
  'aten::is_non_overlapping_and_dense',
  'aten::storage_offset',
  'aten::stride',
])
const identities = new Set(['aten::__is__', 'aten::__isnot__'])

/** What else than dtypes, sizes and elements of its inputs a graph can tell. */
export class InputTraits {
  readonly #strides: boolean
  readonly #gradients: boolean
  readonly #identity: boolean

  constructor(graph: Graph) {
    const kinds = new Set(Array.from(graph.nodes(), ({ kind }) => kind))
    const has = (some: ReadonlySet<string>): boolean => [...some].some((kind) => kinds.has(kind))
    this.#strides = has(looks)
    this.#gradients = kinds.has('prim::requires_grad')
    this.#identity = has(identities)
  }

  /** Whether the graph can tell these from row-major tensors of their own, without gradients. */
  tells(tensors: readonly Tensor[]): boolean {
    return (
      (this.#strides && !tensors.every(isWholeAndRowMajor)) ||
      (this.#gradients && tensors.some(({ requiresGrad }) => requiresGrad)) ||
      (this.#identity && new Set(tensors).size < tensors.length)
    )
  }
}

export function isWholeAndRowMajor(tensor: Tensor): boolean {
  return tensor.isContiguous && tensor.storageOffset === 0
}
