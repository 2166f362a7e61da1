import { isMutableType } from '../../ir/alias-types.ts'
import type { Block, Graph, Node, Value } from '../../ir/graph.ts'
import type { GraphEditor } from '../../ir/graph-editor.ts'
import type { IValue } from '../../ir/ivalue.ts'
import { isSubtype } from '../../ir/type-relations.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { PassContext } from '../pass.ts'
import type { Aliases } from './aliases.ts'
import { constantBool, constantInt, constantOf, insertValue, isInsertable } from './constants.ts'
import { eraseIfOutput, eraseLoopOutput, loopBodyOffset, loopInputOffset } from './control-flow.ts'
import { hasSideEffects, isNondeterministic } from './effects.ts'
import { nodesEqual } from './node-identity.ts'

/** Which values may be folded: by alias analysis, or only those that cannot be written in place at all. */
export type FoldPolicy = Aliases | 'immutable types'

const neverFolded = new Set([
  'prim::Constant',
  'prim::Closure',
  'prim::Uninitialized',
  'prim::unchecked_unwrap_optional',
  'prim::GetAttr',
  'prim::CreateObject',
  'aten::dequantize',
])

/** What they give is in the constant already, so that every call gets the same. */
const takesApart = new Set([
  'prim::ListUnpack',
  'prim::TupleUnpack',
  'prim::TupleIndex',
  'aten::__getitem__',
  'prim::unchecked_cast',
])

/** The walk that both kinds of constant propagation share; returns whether anything changed. */
export function propagateConstants(graph: Graph, cx: PassContext, policy: FoldPolicy): boolean {
  return new Propagator(cx, policy).run(graph.block)
}

class Propagator {
  readonly #cx: PassContext
  readonly #policy: FoldPolicy
  #changed = false

  constructor(cx: PassContext, policy: FoldPolicy) {
    this.#cx = cx
    this.#policy = policy
  }

  run(block: Block): boolean {
    this.#visitBlock(block)
    return this.#changed
  }

  #visitBlock(block: Block): void {
    for (const node of block.nodes()) this.#visit(node)
  }

  #visit(node: Node): void {
    if (node.kind === 'prim::If') this.#visitIf(node)
    else if (node.kind === 'prim::Loop') this.#visitLoop(node)
    else if (node.blocks.length > 0) for (const block of node.blocks) this.#visitBlock(block)
    else if (node.inputs.every((input) => input.node.kind === 'prim::Constant') && this.#mayFold(node))
      this.#fold(node)
  }

  #visitIf(node: Node): void {
    const condition = constantBool(node.input())
    if (condition === undefined) {
      for (const block of node.blocks) this.#visitBlock(block)
      this.#removeExtraIfOutputs(node)
      return
    }
    const taken = node.block(condition ? 0 : 1)
    this.#visitBlock(taken)
    this.#rewrite(node, `its condition is ${String(condition)}`, (edit) => {
      for (const inner of taken.nodes()) edit.moveBefore(inner, node)
      node.outputs.forEach((output, i) => edit.replaceAllUses(output, taken.outputs[i] as Value))
      edit.destroy(node)
    })
  }

  #visitLoop(node: Node): void {
    const neverRuns = (constantInt(node.input(0)) ?? 1) <= 0 || constantBool(node.input(1)) === false
    if (neverRuns)
      this.#rewrite(node, 'the loop is never entered', (edit) => {
        node.outputs.forEach((output, i) => edit.replaceAllUses(output, node.input(loopInputOffset + i)))
        edit.destroy(node)
      })
    else {
      this.#visitBlock(node.block())
      this.#removeExtraLoopOutputs(node)
    }
  }

  /** Outputs that are the same on both paths: one value from outside, or equal constants. */
  #removeExtraIfOutputs(node: Node): void {
    for (let i = 0; i < node.outputs.length;) {
      const onTrue = node.block(0).outputs[i] as Value
      const onFalse = node.block(1).outputs[i] as Value
      const constant = constantOf(onTrue)
      const isSameConstant = constant !== undefined && nodesEqual(onTrue.node, onFalse.node)
      const removed =
        (onTrue === onFalse || isSameConstant) &&
        this.#rewrite(node, 'both branches give the same', (edit) => {
          const value = onTrue === onFalse ? onTrue : insertValue(edit, constant as IValue)
          edit.replaceAllUses(node.output(i), value)
          eraseIfOutput(edit, node, i)
        })
      if (!removed) i++
    }
  }

  /** Carried values that no iteration changes. */
  #removeExtraLoopOutputs(node: Node): void {
    const body = node.block()
    for (let i = node.outputs.length - 1; i >= 0; i--) {
      const inside = body.paramNode.output(loopBodyOffset + i)
      if (inside !== body.returnNode.input(loopBodyOffset + i)) continue
      this.#rewrite(node, `no iteration changes %${inside.debugName}`, (edit) => {
        const initial = node.input(loopInputOffset + i)
        edit.replaceAllUses(node.output(i), initial)
        edit.replaceAllUses(inside, initial)
        eraseLoopOutput(edit, node, i)
      })
    }
  }

  #mayFold(node: Node): boolean {
    return (
      !neverFolded.has(node.kind) &&
      node.outputs.length > 0 &&
      this.#isNeverWritten(node) &&
      !isNondeterministic(node, this.#cx) &&
      !hasSideEffects(node, this.#cx)
    )
  }

  /** A constant that a method hands to an attribute would be written by another method: every call makes it anew. */
  #isNeverWritten(node: Node): boolean {
    const aliases = this.#policy
    if (aliases !== 'immutable types')
      return (
        !aliases.hasWriters(node) &&
        (takesApart.has(node.kind) || !node.outputs.some((output) => aliases.isKeptOutside(output)))
      )
    return [...node.inputs, ...node.outputs].every((value) => !isMutableType(value.type))
  }

  #fold(node: Node): void {
    const inputs = node.inputs.map(constantOf)
    if (!inputs.every((input) => input !== undefined)) return
    const results = this.#evaluate(node, inputs)
    if (results === undefined || !results.every(isInsertable)) return
    this.#rewrite(node, 'computed from constants', (edit) => {
      node.outputs.forEach((output, i) => {
        const constant = insertValue(edit, results[i] ?? null)
        if (results[i] === null) edit.setType(constant, output.type)
        if (isPacked(results[i])) keepName(edit, output, constant)
        if (this.#policy !== 'immutable types') this.#policy.replace(output, constant)
        edit.replaceAllUses(output, constant)
      })
    })
  }

  #evaluate(node: Node, inputs: readonly IValue[]): readonly IValue[] | undefined {
    try {
      return this.#cx.evaluate(node, inputs)
    } catch (error) {
      this.#cx.miss(node, `cannot be computed now: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }

  #rewrite(...[at, why, change]: Parameters<PassContext['rewrite']>): boolean {
    const done = this.#cx.rewrite(at, why, change)
    this.#changed ||= done
    return done
  }
}

function isPacked(value: IValue | undefined): boolean {
  return value instanceof Tensor && value.layout !== undefined
}

/** A packed weight is known by its name; unless the graph is specialised to shapes, it is just a `Tensor`. */
function keepName(edit: GraphEditor, from: Value, to: Value): void {
  if (isSubtype(to.type, from.type)) edit.setType(to, from.type)
  if (from.hasDebugName) edit.setDebugName(to, from.debugName)
}
