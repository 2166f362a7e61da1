import type { Block, Node, Use, Value } from '../../ir/graph.ts'
import { layoutOfReorder, reorderKind } from '../../ir/layout-attribute.ts'
import { contiguousStrides } from '../../tensor/tensor.ts'
import type { BlockedLayout } from '../../tensor/layout.ts'
import type { LayoutTarget } from '../layout-target.ts'
import type { PassContext } from '../pass.ts'
import type { Aliases } from './aliases.ts'
import { knownSizes } from './reorders.ts'

/** Row-major, or in the layout that a region is about. */
export type Form = 'plain' | 'packed'

/** A node of the block that the target computes on either form, giving the same form. */
export interface Carrier {
  readonly node: Node
  /** Inputs of the node, or of the list that it takes, that must be of its form. */
  readonly operands: readonly Operand[]
}

export interface Operand extends Use {
  /** Whether it holds a number per channel: that may be row-major too where the node is packed. */
  readonly isPerChannel: boolean
}

export interface User {
  readonly use: Use
  /** A reorder that is no copy of the region, in a nested block or to a third layout, takes any form. */
  readonly wants: Form | Carrier | 'any'
  /** As `Operand.isPerChannel`. */
  readonly isPerChannel: boolean
}

/** A tensor together with its copies in the other form: whatever form a user wants, it is the same tensor. */
export interface LayoutTensor {
  readonly root: Value
  /** What gives the root: its form, where that is decided. */
  readonly producer: Form | Carrier
  /** Reorders in the block, from the root or from one another, in their order. */
  readonly copies: Node[]
  readonly users: readonly User[]
}

export interface LayoutRegion {
  readonly block: Block
  readonly layout: BlockedLayout
  /** In their order. */
  readonly carriers: readonly Carrier[]
  readonly tensors: readonly LayoutTensor[]
}

/** What of a block the layout is about: its reorders to and from it, and what could be computed in it. */
export function layoutRegion(
  block: Block,
  layout: BlockedLayout,
  target: LayoutTarget,
  aliases: Aliases,
  cx: PassContext,
): LayoutRegion {
  const collector = new Collector(block, layout, aliases)
  for (const node of block.nodes())
    if (node.kind === reorderKind) collector.addCopy(node)
    else if (target.carries(node, layout) && !sharesMemory(node, cx)) collector.addCarrier(node)
  return { block, layout, carriers: collector.carriers, tensors: collector.tensors() }
}

/** Whether the node's schema says that it writes an operand or gives one back, or there is no schema. */
export function sharesMemory(node: Node, cx: PassContext): boolean {
  const schema = cx.schemaOf(node)
  if (schema === undefined) return true
  return [...schema.arguments, ...schema.returns].some(
    ({ alias, elementAlias }) => alias !== undefined || elementAlias !== undefined,
  )
}

class Collector {
  readonly carriers: Carrier[] = []
  readonly #block: Block
  readonly #layout: BlockedLayout
  readonly #aliases: Aliases
  /** Of each value that is a copy: what it is a copy of in the end. */
  readonly #roots = new Map<Value, Value>()
  readonly #copies = new Map<Value, Node[]>()
  readonly #carrierOf = new Map<Value, Carrier>()
  readonly #operandOf = new Map<Node, Map<number, Omit<User, 'use'>>>()

  constructor(block: Block, layout: BlockedLayout, aliases: Aliases) {
    this.#block = block
    this.#layout = layout
    this.#aliases = aliases
  }

  /** Notes a reorder between the two forms, unless somebody could tell the copy from the original. */
  addCopy(node: Node): void {
    const [input, output] = [node.input(), node.output()]
    const [from, to] = [this.#formOf(input), this.#formOf(output)]
    if (from === undefined || to === undefined || layoutOfReorder(node) === undefined) return
    const root = this.#roots.get(input) ?? input
    const copies = this.#copies.get(root) ?? []
    const others = [root, ...copies.map((copy) => copy.output())]
    if (!others.every((other) => this.#aliases.safeToChangeAliasing([output], [other]))) return
    this.#roots.set(output, root)
    this.#copies.set(root, [...copies, node])
  }

  addCarrier(node: Node): void {
    const output = node.output()
    if (this.#formOf(output) === undefined || this.#aliases.hasValueWriters(output)) return
    const operands = this.#operandsOf(node)
    if (operands === undefined || operands.length === 0) return
    const carrier = { node, operands }
    this.carriers.push(carrier)
    this.#carrierOf.set(output, carrier)
    for (const { user, offset, isPerChannel } of operands) {
      const byOffset = this.#operandOf.get(user) ?? new Map<number, Omit<User, 'use'>>()
      this.#operandOf.set(user, byOffset.set(offset, { wants: carrier, isPerChannel }))
    }
  }

  /** Undefined when one of them is of no known form, or its list is seen elsewhere. */
  #operandsOf(node: Node): Operand[] | undefined {
    const uses: Use[] = []
    for (const [offset, input] of node.inputs.entries()) {
      const list = input.type.kind === 'List' ? input.node : undefined
      if (list === undefined) uses.push({ user: node, offset })
      else if (list.kind === 'prim::ListConstruct') {
        if (input.uses.length > 1 || list.owningBlock !== this.#block) return undefined
        uses.push(...list.inputs.map((_, i) => ({ user: list, offset: i })))
      }
    }
    const valueOf = ({ user, offset }: Use): Value => user.input(offset)
    const operands = uses.filter((use) => this.#isOperand(valueOf(use)))
    if (!operands.every((use) => this.#isSettled(valueOf(use)))) return undefined
    const isBroadcast = operands.some((use) => haveSameSizes(valueOf(use), node.output()))
    return operands.map((use) => ({
      ...use,
      isPerChannel: isBroadcast && isFlat(valueOf(use)) && !haveSameSizes(valueOf(use), node.output()),
    }))
  }

  #isSettled(value: Value): boolean {
    return this.#formOf(value) !== undefined && !this.#aliases.hasValueWriters(value)
  }

  /** A tensor with the layout's axes, or perhaps so; not a vector of weights. */
  #isOperand({ type }: Value): boolean {
    if (type.kind !== 'Tensor') return false
    const sizes = knownSizes(type)
    return sizes === undefined || sizes.length === this.#layout.rank
  }

  #formOf({ type }: Value): Form | undefined {
    const sizes = knownSizes(type)
    if (type.kind !== 'Tensor' || sizes?.length !== this.#layout.rank) return undefined
    if (type.layout !== undefined) return type.layout.equals(this.#layout) ? 'packed' : undefined
    const rowMajor = contiguousStrides(sizes)
    const fits = type.strides?.every((stride, axis) => sizes[axis] === 1 || stride === rowMajor[axis])
    return fits === false ? undefined : 'plain'
  }

  tensors(): LayoutTensor[] {
    const roots = new Set(this.#copies.keys())
    for (const { node, operands } of this.carriers) {
      for (const { user, offset } of operands) roots.add(this.#rootOf(user.input(offset)))
      roots.add(node.output())
    }
    return Array.from(roots, (root) => this.#tensor(root))
  }

  #rootOf(value: Value): Value {
    return this.#roots.get(value) ?? value
  }

  #tensor(root: Value): LayoutTensor {
    const copies = this.#copies.get(root) ?? []
    const own = new Set(copies)
    const users = [root, ...copies.map((copy) => copy.output())].flatMap((value) => {
      const form = this.#formOf(value) ?? 'plain'
      return value.uses
        .filter(({ user }) => !own.has(user))
        .map((use): User => {
          const own = this.#operandOf.get(use.user)?.get(use.offset)
          return { use, ...(own ?? { wants: takesAny(use.user) ? 'any' : form, isPerChannel: false }) }
        })
    })
    return { root, copies, producer: this.#carrierOf.get(root) ?? this.#formOf(root) ?? 'plain', users }
  }
}

function takesAny(node: Node): boolean {
  return node.kind === reorderKind && layoutOfReorder(node) !== undefined
}

function haveSameSizes(a: Value, b: Value): boolean {
  return knownSizes(a.type)?.join() === knownSizes(b.type)?.join()
}

/** Whether it holds one number per channel. */
function isFlat({ type }: Value): boolean {
  return knownSizes(type)?.every((size, axis) => axis === 1 || size === 1) === true
}
