import type { Node, Value } from '../../ir/graph.ts'
import { schemaKey, type FunctionSchema } from '../../ir/schema.ts'
import type { OperatorTraits } from '../../ops/operator.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { PassContext } from '../pass.ts'
import { constantBool, constantInt, constantNumber } from './constants.ts'
import { readOnlyConstant } from './read-only-constants.ts'

/** What the node's operator is to folding passes. */
export function roleOf(node: Node, cx: PassContext): OperatorTraits['role'] {
  const schema = cx.schemaOf(node)
  return schema && cx.findOperator(schemaKey(schema))?.role
}

/** The constant arguments of a node, by their schema names. */
export class NodeArguments {
  readonly node: Node
  readonly schema: FunctionSchema | undefined
  readonly #cx: PassContext

  constructor(node: Node, cx: PassContext) {
    this.node = node
    this.#cx = cx
    this.schema = cx.schemaOf(node)
  }

  /** Which input it is; -1 if the operator has no such argument. */
  offset(name: string): number {
    return this.schema?.arguments.findIndex((argument) => argument.name === name) ?? -1
  }

  value(name: string): Value | undefined {
    return this.node.inputs[this.offset(name)]
  }

  bool(name: string): boolean | undefined {
    const value = this.value(name)
    return value && constantBool(value)
  }

  int(name: string): number | undefined {
    const value = this.value(name)
    return value && constantInt(value)
  }

  number(name: string): number | undefined {
    const value = this.value(name)
    return value && constantNumber(value)
  }

  tensor(name: string): Tensor | undefined {
    return this.optionalTensor(name) ?? undefined
  }

  /** `null` for a constant None; undefined for anything that is no constant, or is written. */
  optionalTensor(name: string): Tensor | null | undefined {
    const value = this.value(name)
    const constant = value && readOnlyConstant(value, this.#cx)
    return constant === null || constant instanceof Tensor ? constant : undefined
  }
}
