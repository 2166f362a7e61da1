import { GraphEditor } from '../../ir/graph-editor.ts'
import type { Graph, Node } from '../../ir/graph.ts'
import type { PassContext, PassServices } from '../pass.ts'
import { defaultServices } from './services.ts'

/** What a pass did to one place, or why it did nothing. */
export interface PassEvent {
  readonly pass: string
  readonly kind: 'rewrite' | 'miss'
  /** Kind of the node. */
  readonly node: string
  /** Debug name of its first output, if it has one. */
  readonly value: string | undefined
  readonly why: string
}

export interface ContextOptions {
  readonly services?: Partial<PassServices>
  /** Rewrites that are still allowed; unlimited when left out. */
  readonly limit?: number
  readonly onRewrite?: (at: Node, why: string) => void
  readonly onMiss?: (at: Node, why: string) => void
}

export interface CountingContext extends PassContext {
  readonly rewrites: number
  readonly misses: number
}

/** A context that opens its gate until the limit is used up, and counts. */
export function createContext(options: ContextOptions = {}): CountingContext {
  const { limit = Infinity, onRewrite, onMiss } = options
  const editors = new Map<Graph, GraphEditor>()
  const counts = { rewrites: 0, misses: 0 }
  const editorOf = (graph: Graph): GraphEditor => {
    const editor = editors.get(graph) ?? new GraphEditor(graph)
    editors.set(graph, editor)
    return editor
  }
  return {
    ...defaultServices,
    ...options.services,
    get rewrites() {
      return counts.rewrites
    },
    get misses() {
      return counts.misses
    },
    rewrite(at, why, change) {
      if (counts.rewrites >= limit) return false
      counts.rewrites++
      onRewrite?.(at, why)
      const edit = editorOf(at.graph)
      edit.from(at.range, () => edit.at(at, () => change(edit)))
      return true
    },
    miss(at, why) {
      counts.misses++
      onMiss?.(at, why)
    },
  }
}
