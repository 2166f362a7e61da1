import type { Graph, Node, Value } from '../ir/graph.ts'
import { type ScriptObject, type IValue } from '../ir/ivalue.ts'
import { schemaKey } from '../ir/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { FreezeError, InvalidParamNameError } from './errors.ts'
import { describeWriter, FreezeLedger, type FreezeReport } from './freeze-report.ts'
import { runPasses, type PassOptions } from './pass-manager.ts'
import { definePass, type Pass, type PassContext } from './pass.ts'
import { insertValue } from './support/constants.ts'
import { moduleWithGraph } from './support/derive-class.ts'
import { defaultServices } from './support/services.ts'
import { inlineMethod, methodOf } from './support/inline-module.ts'
import { findSlotAccesses, type Slot, type SlotAccess } from './support/module-slots.ts'
import { SlotWrites } from './support/slot-writes.ts'

export const paramNames = ['weight', 'bias', 'running_mean', 'running_var'] as const
export type ParamName = (typeof paramNames)[number]

/** Whether freezing by name takes what a node uses at an argument. */
export type IsOfInterest = (node: Node, argument: string, cx: PassContext) => boolean

export interface FreezeParamsOptions extends PassOptions {
  /** By default the operators that declare the argument as freezable: convolutions, batch norms and their twins. */
  readonly isOfInterest?: IsOfInterest
}

export interface FrozenMethod {
  /** The given module with the new graph as its method; the given one stays as it is. */
  readonly module: ScriptObject
  readonly graph: Graph
  readonly report: FreezeReport
}

/**
 * Makes the parameters that nodes of interest use at the argument `name` constants of the method's inlined graph:
 *
 * 1. `name` is `weight`, `bias`, `running_mean` or `running_var`.
 * 2. Every `prim::GetAttr` reachable from `self` is paired with the attribute that it reads.
 * 3. Chosen are those that hold a tensor and are used by a node of interest where the schema's argument has that name.
 * 4. Right behind the GetAttr a `prim::Constant` holds the detached tensor, with a complete type and the debug name
 *    `<value>.<name>`, and takes over all uses. An absent bias becomes None. Attributes that share a tensor share
 *    the constant. Nothing else changes.
 *
 * @throws InvalidParamNameError for another name
 * @throws FreezeError when a method of the module writes one of them, in place, through an alias or by assignment;
 *   the message names the node
 */
export function freezeParams(
  module: ScriptObject,
  method: string,
  name: string,
  options: FreezeParamsOptions = {},
): FrozenMethod {
  if (!isParamName(name))
    throw new InvalidParamNameError(
      `Invalid Param Name: ${name}`,
      {},
      `it is one of ${paramNames.join(', ')}`,
    )
  const graph = inlineMethod(module, methodOf(module, method))
  const ledger = new FreezeLedger()
  const pass = freezeParamsPass(module, name, { ledger, writes: writesOfAllMethods(module), ...options })
  const passes = runPasses(graph, [pass], options)
  const report = ledger.report(module, passes, { status: 'kept', reason: 'the method does not read it' })
  return { module: moduleWithGraph(module, method, graph), graph, report }
}

function isParamName(name: string): name is ParamName {
  return paramNames.some((known) => known === name)
}

/** What any method of the module writes: each of them may be called after freezing. */
export function writesOfAllMethods(module: ScriptObject): SlotWrites {
  const writes = new SlotWrites()
  for (const fn of module.type.methods.values()) {
    const graph = inlineMethod(module, fn)
    writes.add(graph, findSlotAccesses(graph, module), defaultServices)
  }
  return writes
}

interface PassInputs {
  readonly ledger: FreezeLedger
  readonly writes: SlotWrites
  readonly isOfInterest?: IsOfInterest
}

/** `freezeParams` as a pass over an inlined graph of the module. */
export function freezeParamsPass(module: ScriptObject, name: ParamName, inputs: PassInputs): Pass {
  return definePass({
    name: 'freeze-params',
    summary: `Makes parameters that are used as '${name}' constants.`,
    run: (graph, cx) => new ParamFreezer(name, inputs, cx).run(findSlotAccesses(graph, module).reads),
  })
}

class ParamFreezer {
  readonly #name: ParamName
  readonly #inputs: PassInputs
  readonly #cx: PassContext
  readonly #constants: { readonly content: IValue; readonly value: Value }[] = []

  constructor(name: ParamName, inputs: PassInputs, cx: PassContext) {
    this.#name = name
    this.#inputs = inputs
    this.#cx = cx
  }

  run(reads: readonly SlotAccess[]): void {
    for (const access of reads) {
      this.#inputs.ledger.read(access)
      if (this.#isChosen(access.node)) this.#freeze(access)
    }
  }

  #isChosen(read: Node): boolean {
    const { isOfInterest = isFreezable } = this.#inputs
    return read
      .output()
      .uses.some(
        ({ user, offset }) =>
          this.#cx.schemaOf(user)?.arguments[offset]?.name === this.#name &&
          isOfInterest(user, this.#name, this.#cx),
      )
  }

  #freeze({ node, slot }: SlotAccess): void {
    const content = slot.object.slots.get(slot.name) ?? null
    if (content !== null && !(content instanceof Tensor)) {
      this.#inputs.ledger.kept(slot, 'it holds no tensor')
      this.#cx.miss(node, 'it holds no tensor')
      return
    }
    this.#refuseIfWritten(slot)
    const detached = content?.detach() ?? null
    const shared = this.#constants.find(
      (known) => isSame(known.content, detached) && dominates(known.value.node, node),
    )
    const done = this.#cx.rewrite(node.next, `freezes ${slot.path}`, (edit) => {
      const value = shared?.value ?? insertValue(edit, detached, node.range)
      if (shared === undefined) {
        edit.setDebugName(value, `${node.output().debugName}.${this.#name}`)
        this.#constants.push({ content: detached, value })
      }
      edit.replaceAllUses(node.output(), value)
    })
    if (done) this.#inputs.ledger.frozen(slot)
  }

  #refuseIfWritten(slot: Slot): void {
    const writer = this.#inputs.writes.writerOf(slot)
    if (writer === undefined) return
    const reason = describeWriter(writer)
    this.#inputs.ledger.refused(slot, reason)
    throw new FreezeError(
      `${slot.path} cannot be frozen: ${reason}`,
      { node: writer.kind, value: slot.path },
      'a parameter that is written stays an attribute; freeze the others by other names or the whole module',
    )
  }
}

const isFreezable: IsOfInterest = (node, argument, cx) => {
  const schema = cx.schemaOf(node)
  return schema !== undefined && cx.findOperator(schemaKey(schema))?.freezable?.includes(argument) === true
}

/** Whether two tensors look at the same memory in the same way. */
function isSame(a: IValue, b: IValue): boolean {
  if (!(a instanceof Tensor) || !(b instanceof Tensor)) return false
  return (
    a.storage === b.storage &&
    a.storageOffset === b.storageOffset &&
    a.dtype === b.dtype &&
    a.sizes.join() === b.sizes.join() &&
    a.strides.join() === b.strides.join()
  )
}

/** Whether `definition` is computed on every way to `node`. */
function dominates(definition: Node, node: Node): boolean {
  for (let at: Node | undefined = node; at !== undefined; at = at.owningBlock.owningNode)
    if (at.owningBlock === definition.owningBlock) return definition.isBefore(at)
  return false
}
