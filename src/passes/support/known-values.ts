import { isMutableType } from '../../ir/alias-types.ts'
import type { Node, Value } from '../../ir/graph.ts'
import type { IValue } from '../../ir/ivalue.ts'
import { PermafrostError } from '../../errors.ts'
import type { PassServices } from '../pass.ts'
import { constantOf } from './constants.ts'
import { hasSideEffects, isNondeterministic } from './effects.ts'

/** What an attribute holds whenever the node reads it; undefined where it may change. */
export type ContentOf = (read: Node) => IValue | undefined

/** Deeper than conditions of real models, and far from the stack's end. */
const maxDepth = 100

/**
 * What conditions are, given what a module's attributes hold: constants, reads, conditional values and operators on
 * numbers, strings and None. The graph is not changed.
 */
export class KnownValues {
  readonly #contentOf: ContentOf
  readonly #services: PassServices
  readonly #known = new Map<Value, IValue | undefined>()

  constructor(contentOf: ContentOf, services: PassServices) {
    this.#contentOf = contentOf
    this.#services = services
  }

  of(value: Value, depth = 0): IValue | undefined {
    if (this.#known.has(value)) return this.#known.get(value)
    const found = depth > maxDepth ? undefined : this.#find(value, depth)
    this.#known.set(value, found)
    return found
  }

  #find(value: Value, depth: number): IValue | undefined {
    const { node } = value
    if (node.kind === 'prim::Constant') return constantOf(value)
    if (node.kind === 'prim::GetAttr') return this.#contentOf(node)
    if (node.kind === 'prim::unchecked_cast') return this.of(node.input(), depth + 1)
    return node.kind === 'prim::If' ? this.#ofCondition(value, depth) : this.#compute(value, depth)
  }

  #ofCondition({ node, offset }: Value, depth: number): IValue | undefined {
    const condition = this.of(node.input(), depth + 1)
    const results = node.blocks.map((block) => {
      const output = block.outputs[offset]
      return output && this.of(output, depth + 1)
    })
    if (typeof condition === 'boolean') return results[condition ? 0 : 1]
    const [onTrue, onFalse] = results
    return typeof onTrue === 'boolean' && onTrue === onFalse ? onTrue : undefined
  }

  #compute(value: Value, depth: number): IValue | undefined {
    const { node } = value
    if (!this.#isComputable(node)) return undefined
    const inputs: IValue[] = []
    for (const input of node.inputs) {
      const known = this.of(input, depth + 1)
      if (known === undefined) return undefined
      inputs.push(known)
    }
    try {
      return this.#services.evaluate(node, inputs)?.[value.offset]
    } catch (error) {
      if (error instanceof PermafrostError) return undefined
      throw error
    }
  }

  /** Tensors and containers may be written, but whether one is None stays. */
  #isComputable(node: Node): boolean {
    const isNoneTest = node.kind === 'aten::__is__' || node.kind === 'aten::__isnot__'
    return (
      node.inputs.length > 0 &&
      node.outputs.every((output) => !isMutableType(output.type)) &&
      (isNoneTest || node.inputs.every((input) => !isMutableType(input.type))) &&
      !hasSideEffects(node, this.#services) &&
      !isNondeterministic(node, this.#services)
    )
  }

  /** Whether a bool may be true, as far as is known here. */
  mayBeTrue(value: Value): boolean {
    return this.of(value) !== false
  }
}
