/**
 * A place in memory that values stand for, or a pointer to such places
 * (`MemoryDAG`, torch/csrc/jit/passes/utils/memory_dag.h).
 */
export class Element {
  readonly index: number
  pointsTo: ReadonlySet<Element> = none
  contained: ReadonlySet<Element> = none
  #locations: ReadonlySet<Element> | undefined
  #reachable: ReadonlySet<Element> | undefined

  constructor(index: number) {
    this.index = index
  }

  pointTo(target: Element): void {
    if (target !== this) this.pointsTo = added(this.pointsTo, target)
  }

  contain(part: Element): void {
    this.contained = added(this.contained, part)
  }

  /** What the pointers end at; call it when all pointers are drawn. */
  get locations(): ReadonlySet<Element> {
    return (this.#locations ??= this.findLocations())
  }

  /** The locations and those of everything contained in them, however deep. */
  get reachable(): ReadonlySet<Element> {
    return (this.#reachable ??= this.#findReachable())
  }

  /** As `locations`, as of now. Pointers may run in a circle through a loop: it is one location. */
  findLocations(): ReadonlySet<Element> {
    if (this.pointsTo.size === 0) return new Set([this])
    const seen = new Set<Element>([this])
    const ends = new Set<Element>()
    for (const element of seen) {
      if (element.pointsTo.size === 0) ends.add(element)
      for (const target of element.pointsTo) seen.add(target)
    }
    if (ends.size > 0) return ends
    return new Set([[...seen].reduce((first, element) => (element.index < first.index ? element : first))])
  }

  #findReachable(): ReadonlySet<Element> {
    const found = new Set<Element>()
    const pending = new Set<Element>([this])
    for (const element of pending) {
      for (const location of element.locations) found.add(location)
      for (const part of containedIn(element)) pending.add(part)
    }
    return found
  }
}

const none: ReadonlySet<Element> = new Set()

function added(elements: ReadonlySet<Element>, element: Element): ReadonlySet<Element> {
  if (elements === none) return new Set([element])
  return (elements as Set<Element>).add(element)
}

/** What an element holds, by itself or through what it points to. */
function* containedIn(element: Element): Generator<Element, void, undefined> {
  const seen = new Set<Element>([element])
  for (const at of seen) {
    yield* at.contained
    for (const target of at.pointsTo) seen.add(target)
  }
}

export function intersects(a: ReadonlySet<Element>, b: ReadonlySet<Element>): boolean {
  if (a.size > b.size) return intersects(b, a)
  for (const element of a) if (b.has(element)) return true
  return false
}
