import { numelOf } from '../../tensor/tensor.ts'
import type { Carrier, Form, LayoutRegion, LayoutTensor, User } from './layout-region.ts'
import { FlowNetwork } from './min-cut.ts'
import { knownSizes } from './reorders.ts'

/** What there is to choose, and whether it is better than what is there. */
export interface LayoutChoice {
  readonly isBetter: boolean
  /** The form in which a carrier computes, or in which a tensor comes or is wanted. */
  formOf(which: Form | Carrier): Form
  /** In which form a user gets a tensor that comes in `native`. */
  formFor(user: User, native: Form): Form
}

/** Steps in which the sizes of tensors count, when as many reorders are left. */
const sizeSteps = 1000

/**
 * The forms of the carriers with which the fewest reorders are left; of those the one that moves the least memory, then
 * the one in which what follows a packed tensor stays packed. A minimal cut: on the source's side is what is packed, and
 * a tensor that is wanted in both forms costs one edge, however many want it.
 */
export function chooseLayouts(region: LayoutRegion): LayoutChoice {
  const costs = costsOf(region)
  const network = new Network(region)
  for (const tensor of region.tensors) network.addTensor(tensor, costs.get(tensor) ?? 0)
  const preferred = preferredForms(region)
  for (const carrier of region.carriers) network.prefer(carrier, preferred.get(carrier) ?? 'plain')
  const { cost, formOf } = network.solve()
  const isBetter = cost < presentCost(region, costs, preferred)
  const formFor = ({ wants, isPerChannel }: User, native: Form): Form => {
    if (wants === 'any') return native
    return isPerChannel && formOf(wants) === 'packed' ? native : formOf(wants)
  }
  return { isBetter, formOf, formFor }
}

function costsOf({ tensors, carriers }: LayoutRegion): ReadonlyMap<LayoutTensor, number> {
  const numels = tensors.map(({ root }) => numelOf(knownSizes(root.type) ?? []))
  const largest = Math.max(
    1,
    numels.reduce((a, b) => Math.max(a, b), 0),
  )
  const bySize = carriers.length + 1
  const byCount = (sizeSteps * 2 * tensors.length + 1) * bySize
  return new Map(
    tensors.map((tensor, i) => [
      tensor,
      byCount + Math.round((sizeSteps * (numels[i] as number)) / largest) * bySize,
    ]),
  )
}

/** Packed behind what is packed anyway, plain elsewhere: there a reorder comes as late as it can. */
function preferredForms({ carriers, tensors }: LayoutRegion): ReadonlyMap<Carrier, Form> {
  const forms = new Map<Carrier, Form>()
  const producers = new Map<Carrier, (Form | Carrier)[]>(carriers.map((carrier) => [carrier, []]))
  for (const { producer, users } of tensors)
    for (const { wants } of users) if (typeof wants !== 'string') producers.get(wants)?.push(producer)
  for (const carrier of carriers) {
    const isPacked = (from: Form | Carrier): boolean =>
      (typeof from === 'string' ? from : forms.get(from)) === 'packed'
    forms.set(carrier, producers.get(carrier)?.some(isPacked) === true ? 'packed' : 'plain')
  }
  return forms
}

function presentCost(
  { tensors, carriers }: LayoutRegion,
  costs: ReadonlyMap<LayoutTensor, number>,
  preferred: ReadonlyMap<Carrier, Form>,
): number {
  const ofCopies = tensors.reduce((sum, tensor) => sum + tensor.copies.length * (costs.get(tensor) ?? 0), 0)
  return ofCopies + carriers.filter((carrier) => presentForm(carrier) !== preferred.get(carrier)).length
}

/** The form in which a carrier computes now. */
export function presentForm({ node }: Carrier): Form {
  const { type } = node.output()
  return type.kind === 'Tensor' && type.layout !== undefined ? 'packed' : 'plain'
}

class Network {
  readonly #flow = new FlowNetwork()
  readonly #packed = this.#flow.addNode()
  readonly #plain = this.#flow.addNode()
  readonly #nodes: ReadonlyMap<Carrier, number>

  constructor({ carriers }: LayoutRegion) {
    this.#nodes = new Map(carriers.map((carrier) => [carrier, this.#flow.addNode()]))
  }

  #nodeOf(which: Form | Carrier): number {
    if (which === 'packed') return this.#packed
    return which === 'plain' ? this.#plain : (this.#nodes.get(which) ?? this.#plain)
  }

  addTensor({ producer, users }: LayoutTensor, cost: number): void {
    const from = this.#nodeOf(producer)
    const [toPlain, toPacked] = [this.#flow.addNode(), this.#flow.addNode()]
    this.#flow.addEdge(from, toPlain, cost)
    this.#flow.addEdge(toPacked, from, cost)
    for (const { wants, isPerChannel } of users) {
      if (wants === 'any') continue
      if (wants !== 'packed') this.#flow.addEdge(toPlain, this.#nodeOf(wants), Infinity)
      if (wants !== 'plain' && !isPerChannel) this.#flow.addEdge(this.#nodeOf(wants), toPacked, Infinity)
    }
  }

  prefer(carrier: Carrier, form: Form): void {
    const node = this.#nodeOf(carrier)
    if (form === 'packed') this.#flow.addEdge(this.#packed, node, 1)
    else this.#flow.addEdge(node, this.#plain, 1)
  }

  solve(): { cost: number; formOf: LayoutChoice['formOf'] } {
    const { cost, isSourceSide } = this.#flow.minCut(this.#packed, this.#plain)
    return { cost, formOf: (which) => (isSourceSide[this.#nodeOf(which)] === true ? 'packed' : 'plain') }
  }
}
