import type { Node, Value } from '../../ir/graph.ts'
import { Double, List, type IValue } from '../../ir/ivalue.ts'
import { schemaOfNode } from '../../ops/schema-table.ts'
import { Tensor } from '../../tensor/tensor.ts'

/** Who knows what values are. */
export interface ValueReader {
  /** The content of a constant. */
  constantOf(value: Value): IValue | undefined
  isTensor(value: Value): boolean
}

/** A node's arguments by the names of its schema. */
export class CallArguments {
  readonly node: Node
  readonly #reader: ValueReader
  readonly #names: ReadonlyMap<string, Value>

  constructor(node: Node, reader: ValueReader) {
    this.node = node
    this.#reader = reader
    const names = schemaOfNode(node)?.arguments.map(({ name }) => name) ?? []
    this.#names = new Map(names.map((name, i) => [name, node.inputs[i] as Value]))
  }

  value(name: string): Value | undefined {
    return this.#names.get(name)
  }

  /** The tensor argument, unless it is None or not there. */
  tensor(name: string): Value | undefined {
    const value = this.#names.get(name)
    return value !== undefined && this.#reader.isTensor(value) ? value : undefined
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  number(name: string): number | undefined {
    const constant = this.#constant(name)
    if (constant instanceof Double) return constant.value
    return typeof constant === 'number' || typeof constant === 'boolean' ? Number(constant) : undefined
  }

  /** Of a constant tensor of one element. */
  onlyElement(name: string): number | undefined {
    const constant = this.#constant(name)
    if (!(constant instanceof Tensor) || constant.numel !== 1) return undefined
    return Number(constant.data[constant.storageOffset])
  }

  text(name: string): string | undefined {
    const constant = this.#constant(name)
    return typeof constant === 'string' ? constant : undefined
  }

  /** A list of ints; one int counts for all. */
  numbers(name: string, count: number): readonly number[] | undefined {
    const constant = this.#constant(name)
    if (typeof constant === 'number') return new Array<number>(count).fill(constant)
    if (!(constant instanceof List)) return undefined
    const numbers = constant.elements.map(Number)
    return numbers.length === 1 ? new Array<number>(count).fill(numbers[0] as number) : numbers
  }

  /** A list of floats; None and what is no list are undefined. */
  floats(name: string): readonly number[] | undefined {
    const constant = this.#constant(name)
    if (!(constant instanceof List)) return undefined
    return constant.elements.map((item) => (item instanceof Double ? item.value : Number(item)))
  }

  #constant(name: string): unknown {
    const value = this.#names.get(name)
    return value && this.#reader.constantOf(value)
  }
}
