import { AliasDatabase } from '../../ir/alias-database.ts'
import type { Graph, Node, Value } from '../../ir/graph.ts'
import type { PassServices } from '../pass.ts'
import { subgraphOf } from './control-flow.ts'
import { mayWrite } from './effects.ts'
import { everyNode } from './module-slots.ts'

/** Which nodes of a graph that is to be frozen, and of what it forks, write what was read from attributes. */
export class GraphWriters {
  readonly #services: PassServices
  readonly #mayTrain: (norm: Node) => boolean
  /** Graphs are analysed when somebody asks. */
  readonly #databases = new Map<Graph, AliasDatabase>()
  readonly #forks = new Map<Graph, Node>()
  readonly #writesNothing: boolean

  constructor(graph: Graph, services: PassServices, mayTrain: (norm: Node) => boolean) {
    this.#services = services
    this.#mayTrain = mayTrain
    const nodes = [...everyNode(graph)]
    this.#writesNothing = !nodes.some((node) => mayWrite(node, services))
    for (const node of nodes) {
      const subgraph = subgraphOf(node)
      if (subgraph) this.#forks.set(subgraph, node)
    }
  }

  /** The first node that may write the value or anything that it holds. */
  of(value: Value): Node | undefined {
    if (this.#writesNothing) return undefined
    const [writer] = this.#database(value.graph).containedWriters(value)
    const fork = this.#forks.get(value.graph)
    // What a fork hands out may be written by whoever waits for it.
    return writer ?? (fork && this.of(fork.output()))
  }

  /** Whether one of the values, or anything that it holds, may share memory with the other or what that holds. */
  mayShare(a: Value, b: Value): boolean {
    return a.graph === b.graph && this.#database(a.graph).mayContainAlias([a], [b])
  }

  #database(graph: Graph): AliasDatabase {
    let database = this.#databases.get(graph)
    if (database === undefined) {
      database = new AliasDatabase(graph, (node) => this.#services.schemaOf(node), {
        frozen: true,
        mayTrain: this.#mayTrain,
      })
      this.#databases.set(graph, database)
    }
    return database
  }
}
