import { PermafrostError } from '../errors.ts'
import type { Node } from '../ir/graph.ts'
import type { Operator } from '../ops/operator.ts'
import { MetaStorageError } from '../tensor/storage.ts'
import { placeOf } from './place.ts'

/** A node's result cannot be described without the elements of tensors. */
export class DataDependentError extends PermafrostError {
  readonly code = 'data-dependent'
  readonly #node: Node

  constructor(node: Node, why: string, options?: ErrorOptions) {
    super(`${node.kind} cannot be planned: ${why}`, placeOf(node), '', options)
    this.#node = node
  }

  get node(): Node {
    return this.#node
  }
}

const stateful = new Set([
  'prim::GetAttr',
  'prim::SetAttr',
  'prim::CreateObject',
  'prim::CallMethod',
  'prim::CallFunction',
  'prim::fork',
  'prim::Enter',
  'prim::Exit',
])

/** Why the node cannot be planned whatever its arguments are. */
export function forbidden(node: Node, operator: Operator | undefined): string | undefined {
  if (stateful.has(node.kind)) return 'it may change something that outlives the run'
  return operator?.hasSideEffects === true && node.kind !== 'aten::warn' ? 'it has side effects' : undefined
}

/** @throws DataDependentError where elements were asked for that are not there */
export function attempt<T>(node: Node, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof MetaStorageError)
      throw new DataDependentError(node, 'its result depends on the elements of tensors or on chance', {
        cause,
      })
    throw cause
  }
}
