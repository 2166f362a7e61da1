/** An edge and its twin the other way lie next to each other: `edge ^ 1` is the twin. */
export class FlowNetwork {
  readonly #targets: number[] = []
  readonly #capacities: number[] = []
  readonly #edges: number[][] = []

  addNode(): number {
    return this.#edges.push([]) - 1
  }

  /** @param capacity what it costs to have `from` on the side of the source and `to` on the other; may be Infinity */
  addEdge(from: number, to: number, capacity: number): void {
    this.#edges[from]?.push(this.#targets.push(to) - 1)
    this.#edges[to]?.push(this.#targets.push(from) - 1)
    this.#capacities.push(capacity, 0)
  }

  /**
   * Divides the nodes so that the edges from the source's side to the sink's cost least (Dinic 1970). Of several such
   * ways the one with the fewest nodes on the source's side. Capacities that are integers with a sum below 2^53 are
   * counted exactly.
   *
   * @returns for each node whether it is on the source's side, and the cost
   */
  minCut(source: number, sink: number): { readonly cost: number; readonly isSourceSide: readonly boolean[] } {
    let cost = 0
    let levels = this.#levels(source)
    while (levels[sink] !== -1) {
      cost += this.#blockingFlow(source, sink, levels)
      levels = this.#levels(source)
    }
    return { cost, isSourceSide: levels.map((level) => level !== -1) }
  }

  /** Distance from the source over edges that are not full; -1 where none leads. */
  #levels(source: number): number[] {
    const levels = this.#edges.map(() => -1)
    levels[source] = 0
    const queue = [source]
    for (const node of queue)
      for (const edge of this.#edges[node] ?? []) {
        const target = this.#targets[edge] as number
        if (levels[target] !== -1 || this.#capacities[edge] === 0) continue
        levels[target] = (levels[node] as number) + 1
        queue.push(target)
      }
    return levels
  }

  /** Fills paths along rising levels until there is none left. The path is a list, so that no graph exhausts the stack. */
  #blockingFlow(source: number, sink: number, levels: readonly number[]): number {
    const next = this.#edges.map(() => 0)
    const path: number[] = []
    let flow = 0
    for (let node = source; ;) {
      if (node === sink) {
        flow += this.#fill(path)
        path.length = 0
        node = source
        continue
      }
      const edge = this.#usableEdge(node, levels, next)
      if (edge !== undefined) {
        path.push(edge)
        node = this.#targets[edge] as number
        continue
      }
      const back = path.pop()
      if (back === undefined) return flow
      node = this.#targets[back ^ 1] as number
      next[node] = (next[node] as number) + 1
    }
  }

  #usableEdge(node: number, levels: readonly number[], next: number[]): number | undefined {
    const edges = this.#edges[node] ?? []
    for (let i = next[node] as number; i < edges.length; next[node] = ++i) {
      const edge = edges[i] as number
      const rises = levels[this.#targets[edge] as number] === (levels[node] as number) + 1
      if (rises && this.#capacities[edge] !== 0) return edge
    }
    return undefined
  }

  #fill(path: readonly number[]): number {
    const capacities = this.#capacities
    const flow = path.reduce((least, edge) => Math.min(least, capacities[edge] as number), Infinity)
    for (const edge of path) {
      capacities[edge] = (capacities[edge] as number) - flow
      capacities[edge ^ 1] = (capacities[edge ^ 1] as number) + flow
    }
    return flow
  }
}
