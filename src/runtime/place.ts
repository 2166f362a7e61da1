import type { Place } from '../errors.ts'
import type { Node } from '../ir/graph.ts'
import { formatLocation } from '../ir/source-range.ts'

/** Where a node is: its kind and first output, and the user's own Python line where the archive tells it. */
export function placeOf(node: Node, method?: string): Place {
  const [output] = node.outputs
  const original = node.range?.writtenAt
  const compiled = node.range?.location
  return {
    node: node.kind,
    ...(output && { value: output.debugName }),
    ...(method !== undefined && { method }),
    ...(compiled && { entry: compiled.file, line: compiled.line, column: compiled.column + 1 }),
    ...(original && { original: formatLocation(original) }),
  }
}
