import type { Graph } from '../ir/graph.ts'
import { constantOf } from '../passes/support/constants.ts'
import { readOnlyConstant } from '../passes/support/read-only-constants.ts'
import { defaultServices } from '../passes/support/services.ts'
import type { Storage } from '../tensor/storage.ts'
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

/** Whether some node tells how its tensor lies in memory. */
export function looksAtStrides(graph: Graph): boolean {
  for (const { kind } of graph.nodes()) if (looks.has(kind)) return true
  return false
}
