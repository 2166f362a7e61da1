import type { Graph, Value } from '../ir/graph.ts'
import { Dict, List, type ScriptObject, Tuple, type IValue } from '../ir/ivalue.ts'
import { printType } from '../ir/type-printer.ts'
import { Tensor } from '../tensor/tensor.ts'
import { FreezeError } from './errors.ts'
import { countNodes, describeWriter, FreezeLedger, staysWhole } from './freeze-ledger.ts'
import type { FreezePass, FreezeReport } from './freeze-report.ts'
import { runPasses, type PassOptions } from './pass-manager.ts'
import { definePass, type Pass, type PassContext } from './pass.ts'
import { frozenPipeline, numericsPipeline } from './pipelines.ts'
import { typeOfValue } from '../ir/type-of-value.ts'
import { insertValue, isInsertable } from './support/constants.ts'
import { subgraphOf } from './support/control-flow.ts'
import { buildFrozenModule, escapingModules } from './support/frozen-module.ts'
import {
  accessesOf,
  inlineMethods,
  methodsOf,
  type InlinedMethod,
  type InlinedMethods,
} from './support/inline-module.ts'
import {
  everyNode,
  isModule,
  joinPath,
  listSlots,
  type Slot,
  type SlotAccess,
} from './support/module-slots.ts'
import { readsOfObject } from './support/object-reads.ts'
import { resolvePreserved, type Preserved } from './support/preserved.ts'
import { defaultServices } from './support/services.ts'
import { memoryOf, SlotWrites } from './support/slot-writes.ts'
import { contentWith, modulesBelow } from './support/whole-module.ts'

export interface FreezeOptions extends PassOptions {
  /** Attributes (`scale`, `encoder.scale`) and methods that stay, besides `forward`. */
  readonly preserved?: readonly string[]
  /** Bool attributes that count as having this value in every module, e.g. `{ training: false }`. */
  readonly flags?: Readonly<Record<string, boolean>>
  /** Whether passes may run that change results in the last bits, such as folding batch norms; true by default. */
  readonly optimizeNumerics?: boolean
}

export interface FrozenModule {
  readonly module: ScriptObject
  readonly report: FreezeReport
}

/**
 * Freezes a whole module, as `torch.jit.freeze` (torch/csrc/jit/passes/freeze_module.cpp):
 *
 * 1. The preserved methods are inlined completely, through interfaces too.
 * 2. Every attribute that they read becomes a constant, called `self.<path>`, unless a preserved method writes it
 *    (by assignment, in place or through memory that it shares), it is preserved by name, or no constant can hold it.
 *    Tensors are detached.
 * 3. The graphs are optimised (`frozenPipeline`, and `numericsPipeline` if allowed).
 * 4. What is left is a module of a new class of the same name with the preserved methods and attributes that they
 *    still use. Submodules stay only as holders of such attributes, or whole where they are preserved or leave the
 *    graph.
 *
 * @throws FreezeError for a module in training mode, a name that does not exist, a module that returns itself
 */
export function freeze(module: ScriptObject, options: FreezeOptions = {}): FrozenModule {
  const preserved = resolvePreserved(module, options.preserved ?? [])
  const inlined = inlineMethods(preserved.methods)
  const nodesBefore = inlined.methods.reduce((sum, { graph }) => sum + countNodes(graph), 0)
  const freezer = new ModuleFreezer(module, inlined, preserved, options)
  const passes = inlined.methods.flatMap((method) => freezer.optimize(method))
  const rest = buildFrozenModule(module, inlined, preserved)
  const report = freezer.ledger.report(module, {
    passes,
    graphs: inlined.methods.map(({ graph }) => graph),
    nodesBefore,
    holds: (slot) => rest.holds(slot),
  })
  return { module: rest.module, report }
}

class ModuleFreezer {
  readonly ledger = new FreezeLedger()
  readonly #assigned: ReadonlySet<string>
  readonly #preserved: Preserved
  readonly #options: FreezeOptions
  readonly #flags: ReadonlyMap<string, boolean>
  readonly #writes: SlotWrites
  /** What others may write through preserved attributes. */
  readonly #preservedMemory: ReadonlySet<object>
  /** Modules that stay with all their methods, which may be called from outside. */
  readonly #whole = new Set<ScriptObject>()

  /** Notes what the methods read and write, before any graph is changed. */
  constructor(module: ScriptObject, inlined: InlinedMethods, preserved: Preserved, options: FreezeOptions) {
    this.#assigned = inlined.assigned
    this.#preserved = preserved
    this.#options = options
    this.#flags = new Map(Object.entries(options.flags ?? {}))
    for (const slot of preserved.slots) this.ledger.kept(slot, 'it is preserved')
    this.#checkEval({ object: module, name: 'training', path: 'training' })
    for (const method of inlined.methods)
      for (const access of accessesOf(method, inlined.assigned).reads) {
        this.ledger.read(access)
        this.#checkEval(access.slot)
      }
    this.#preservedMemory = new Set(
      listSlots(module).flatMap((slot) =>
        preserved.has(slot) ? [...memoryOf(slot.object.slots.get(slot.name))] : [],
      ),
    )
    for (const object of [...preserved.modules, ...escapingModules(inlined)])
      if (object !== module) this.#whole.add(object)
    this.#writes = new SlotWrites(this.#withMethodsOfWhole(module, inlined), {
      services: defaultServices,
      contentOf: (slot) => (preserved.has(slot) ? undefined : contentWith(this.#flags, slot)),
    })
  }

  #withMethodsOfWhole(module: ScriptObject, { methods, assigned }: InlinedMethods): InlinedMethods {
    const whole = [...modulesBelow(module)].filter(([object]) => this.#whole.has(object))
    const others = inlineMethods(methodsOf(whole))
    return {
      methods: [...methods, ...others.methods],
      assigned: new Set([...assigned, ...others.assigned]),
    }
  }

  #checkEval({ object, name, path }: Slot): void {
    if (name !== 'training' || this.#flags.has(name) || object.slots.get(name) !== true) return
    throw new FreezeError(
      `the module is in training mode: ${path} is true`,
      {},
      'call .eval() before saving it, or freeze with --flag training=false',
    )
  }

  optimize(method: InlinedMethod): FreezePass[] {
    const { graph, name, path } = method
    const numerics = this.#options.optimizeNumerics === false ? [] : numericsPipeline
    const passes = runPasses(graph, [this.#pass(method), ...frozenPipeline, ...numerics], this.#options)
    for (const node of everyNode(graph)) {
      const subgraph = subgraphOf(node)
      if (subgraph) runPasses(subgraph, frozenPipeline, this.#options)
    }
    return passes.map((pass) => ({ ...pass, method: joinPath(path, name) }))
  }

  #pass(method: InlinedMethod): Pass {
    return definePass({
      name: 'freeze-module',
      summary: 'Makes attributes that no preserved method writes constants.',
      run: (_graph, cx) => this.#freezeReads(method, cx),
    })
  }

  #freezeReads(method: InlinedMethod, cx: PassContext): void {
    const constants: Constants = new Map()
    for (const access of accessesOf(method, this.#assigned).reads) {
      const content = access.slot.object.slots.get(access.slot.name)
      if (isModule(content)) continue
      this.#freezeReadsOfObject(access, constants, cx)
      const decision = this.#decide(access.slot, content ?? null)
      if ('why' in decision) {
        this.ledger.kept(access.slot, decision.why)
        cx.miss(access.node, decision.why)
      } else if (replaceRead(access, decision.content, constants, cx)) this.ledger.frozen(access.slot)
    }
  }

  /** An object that is no module stays where it is, but what it holds becomes constants as a module's attributes do. */
  #freezeReadsOfObject(access: SlotAccess, constants: Constants, cx: PassContext): void {
    if (this.#preserved.has(access.slot) || this.#writes.writerOf(access.slot)) return
    for (const inner of readsOfObject(access)) {
      const decision = this.#decide(inner.slot, inner.slot.object.slots.get(inner.slot.name) ?? null)
      if ('content' in decision) replaceRead(inner, decision.content, constants, cx)
    }
  }

  #decide(slot: Slot, content: IValue): { readonly why: string } | { readonly content: IValue } {
    if (this.#preserved.has(slot)) return { why: 'it is preserved' }
    if (this.#whole.has(slot.object)) return { why: staysWhole }
    if ([...memoryOf(content)].some((memory) => this.#preservedMemory.has(memory)))
      return { why: 'it is preserved by another name' }
    const writer = this.#writes.writerOf(slot)
    if (writer) return { why: describeWriter(writer) }
    const flag = typeof content === 'boolean' ? this.#flags.get(slot.name) : undefined
    const detached = detach(flag ?? content)
    if (!isInsertable(detached)) return { why: `no constant can hold ${printType(typeOfValue(detached))}` }
    return { content: detached }
  }
}

type Constants = Map<Graph, Map<ScriptObject, Map<string, Value>>>

/** One constant per attribute and graph, at the front of the graph. */
function replaceRead(
  { node, slot }: SlotAccess,
  content: IValue,
  constants: Constants,
  cx: PassContext,
): boolean {
  const ofGraph = constants.get(node.graph) ?? new Map<ScriptObject, Map<string, Value>>()
  const ofObject = ofGraph.get(slot.object) ?? new Map<string, Value>()
  constants.set(node.graph, ofGraph.set(slot.object, ofObject))
  const known = ofObject.get(slot.name)
  return cx.rewrite(node, `freezes ${slot.path}`, (edit) => {
    const value = known ?? edit.at(node.graph.block.returnNode.next, () => insertValue(edit, content))
    if (known === undefined) ofObject.set(slot.name, edit.setDebugName(value, `self.${slot.path}`))
    edit.replaceAllUses(node.output(), value)
  })
}

/** The value with all its tensors detached. */
function detach(value: IValue): IValue {
  if (value instanceof Tensor) return value.detach()
  if (value instanceof List) return new List(value.elements.map(detach), value.elementType)
  if (value instanceof Tuple) return new Tuple(value.elements.map(detach), value.type)
  if (!(value instanceof Dict)) return value
  const detached = new Dict(value.keyType, value.valueType)
  for (const [key, item] of value.entries()) detached.set(key, detach(item))
  return detached
}
