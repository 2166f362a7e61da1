import type { Node, Use, Value } from '../ir/graph.ts'
import { List, type IValue, type ScriptObject } from '../ir/ivalue.ts'
import { schemaKey } from '../ir/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { InvalidParamNameError } from './errors.ts'
import { refuseIfWritten } from './freeze-ledger.ts'
import type { PassOptions } from './pass-manager.ts'
import { definePass, type Pass, type PassContext } from './pass.ts'
import { insertValue } from './support/constants.ts'
import { freezeMethod, type FreezeInputs, type FrozenMethod } from './support/freeze-method.ts'
import { findSlotAccesses, type SlotAccess } from './support/module-slots.ts'

export const paramNames = ['weight', 'bias', 'running_mean', 'running_var'] as const
export type ParamName = (typeof paramNames)[number]

/** Whether freezing by name takes what a node uses at an argument. */
export type IsOfInterest = (node: Node, argument: string, cx: PassContext) => boolean

export interface FreezeParamsOptions extends PassOptions {
  /** By default the operators that declare the argument as freezable. */
  readonly isOfInterest?: IsOfInterest
}

/**
 * Makes the parameters that nodes of interest use at the argument `name` constants of the method's inlined graph:
 *
 * 1. `name` is `weight`, `bias`, `running_mean` or `running_var`.
 * 2. Every `prim::GetAttr` reachable from `self` is paired with the attribute that it reads.
 * 3. Chosen are those that hold a tensor and are used by a node of interest where the schema's argument has that name,
 *    or where its operator says that the argument plays that part: `w_ih` of an LSTM cell is a weight; of the list of
 *    an LSTM's parameters the matrices are weights and the vectors are biases, and a list that is one attribute is
 *    a weight as a whole.
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
  const known = paramNameOf(name)
  const { isOfInterest } = options
  return freezeMethod(
    module,
    method,
    (inputs) => [freezeParamsPass(module, known, inputs, isOfInterest)],
    options,
  )
}

/** @throws InvalidParamNameError for a name that is not among the four */
export function paramNameOf(name: string): ParamName {
  const known = paramNames.find((one) => one === name)
  if (known !== undefined) return known
  throw new InvalidParamNameError(`Invalid Param Name: ${name}`, {}, `it is one of ${paramNames.join(', ')}`)
}

/** `freezeParams` as a pass over an inlined graph of the module. */
export function freezeParamsPass(
  module: ScriptObject,
  name: ParamName,
  inputs: FreezeInputs,
  isOfInterest: IsOfInterest = isFreezable,
): Pass {
  return definePass({
    name: 'freeze-params',
    summary: `Makes parameters that are used as '${name}' constants.`,
    run: (graph, cx) =>
      new ParamFreezer(name, inputs, isOfInterest, cx).run(findSlotAccesses(graph, module, inputs).reads),
  })
}

class ParamFreezer {
  readonly #name: ParamName
  readonly #inputs: FreezeInputs
  readonly #isOfInterest: IsOfInterest
  readonly #cx: PassContext
  readonly #constants: { readonly content: IValue; readonly value: Value }[] = []

  constructor(name: ParamName, inputs: FreezeInputs, isOfInterest: IsOfInterest, cx: PassContext) {
    this.#name = name
    this.#inputs = inputs
    this.#isOfInterest = isOfInterest
    this.#cx = cx
  }

  run(reads: readonly SlotAccess[]): void {
    for (const access of reads) {
      this.#inputs.ledger.read(access)
      const content = access.slot.object.slots.get(access.slot.name) ?? null
      if (access.node.output().uses.some((use) => this.#takes(use, content))) this.#freeze(access, content)
    }
  }

  /** Whether the use is one as a parameter of the wanted name, directly or as an element of a list of parameters. */
  #takes({ user, offset }: Use, content: IValue): boolean {
    const [list] = user.outputs
    if (user.kind === 'prim::ListConstruct' && list !== undefined)
      return list.uses.some((use) => this.#partOf(use) === 'by-rank' && partByRank(content) === this.#name)
    const part = this.#partOf({ user, offset })
    return (part === 'by-rank' ? partByRank(content) : part) === this.#name
  }

  /** What the operator takes at the place: a parameter of that name. */
  #partOf({ user, offset }: Use): string | undefined {
    const schema = this.#cx.schemaOf(user)
    const argument = schema?.arguments[offset]?.name
    if (schema === undefined || argument === undefined) return undefined
    if (!this.#isOfInterest(user, argument, this.#cx)) return undefined
    return this.#cx.findOperator(schemaKey(schema))?.parts?.[argument] ?? argument
  }

  #freeze({ node, slot }: SlotAccess, content: IValue): void {
    const detached = content === null ? null : detachTensors(content)
    if (detached === undefined) {
      this.#inputs.ledger.kept(slot, 'it holds no tensor')
      this.#cx.miss(node, 'it holds no tensor')
      return
    }
    refuseIfWritten(slot, this.#inputs)
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
}

const isFreezable: IsOfInterest = (node, argument, cx) => {
  const schema = cx.schemaOf(node)
  const operator = schema && cx.findOperator(schemaKey(schema))
  return operator?.freezable?.includes(argument) === true || operator?.parts?.[argument] !== undefined
}

/** Undefined for what is neither a tensor nor a list of tensors. */
function detachTensors(content: IValue): IValue | undefined {
  if (content instanceof Tensor) return content.detach()
  if (!(content instanceof List) || content.elementType.kind !== 'Tensor') return undefined
  return new List(
    content.elements.map((item) => (item instanceof Tensor ? item.detach() : item)),
    content.elementType,
  )
}

/** An attribute that is the whole list, as `_flat_weights` of an LSTM is, counts as weight. */
function partByRank(content: IValue): ParamName | undefined {
  if (content instanceof List) return 'weight'
  if (!(content instanceof Tensor)) return undefined
  return content.dim > 1 ? 'weight' : 'bias'
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
