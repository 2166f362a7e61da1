import type { Graph, Node } from '../ir/graph.ts'
import { Dict, List, type ScriptObject, Tuple, type IValue } from '../ir/ivalue.ts'
import { formatLocation } from '../ir/source-range.ts'
import { typeOfValue } from '../ir/type-of-value.ts'
import { printType } from '../ir/type-printer.ts'
import { Tensor } from '../tensor/tensor.ts'
import { FreezeError } from './errors.ts'
import type { FreezeEntry, FreezePass, FreezeReport, FreezeTotals } from './freeze-report.ts'
import { isModule, listSlots, everyNode, type Slot, type SlotAccess } from './support/module-slots.ts'
import type { SlotWrites } from './support/slot-writes.ts'

type Verdict = Pick<FreezeEntry, 'status' | 'reason'>

/** What a freeze left. */
interface Outcome {
  readonly passes: readonly FreezePass[]
  /** The optimised graphs. */
  readonly graphs: readonly Graph[]
  /** Nodes of the inlined graphs in front of the first pass. */
  readonly nodesBefore: number
  /** Whether the module that is left has an attribute; all of them when left out. */
  readonly holds?: (slot: Slot) => boolean
}

export const staysWhole = 'its module stays whole'

/** Collects verdicts while a freeze runs. What is frozen stays frozen. */
export class FreezeLedger {
  readonly #verdicts = new Map<ScriptObject, Map<string, Verdict>>()
  readonly #consumers = new Map<ScriptObject, Map<string, Set<string>>>()

  read({ node, slot }: SlotAccess): void {
    const consumers = entryOf(this.#consumers, slot, () => new Set<string>())
    for (const use of node.output().uses) consumers.add(use.user.kind)
  }

  frozen(slot: Slot): void {
    this.#decide(slot, { status: 'frozen' })
  }

  kept(slot: Slot, reason: string): void {
    this.#decide(slot, { status: 'kept', reason })
  }

  refused(slot: Slot, reason: string): void {
    this.#decide(slot, { status: 'refused', reason })
  }

  /** Whether a constant took the slot's place. */
  isFrozen({ object, name }: Slot): boolean {
    return this.#verdicts.get(object)?.get(name)?.status === 'frozen'
  }

  #decide({ object, name }: Slot, verdict: Verdict): void {
    const names = this.#verdicts.get(object) ?? new Map<string, Verdict>()
    this.#verdicts.set(object, names)
    if (names.get(name)?.status !== 'frozen') names.set(name, verdict)
  }

  /** The report over every attribute below the root. */
  report(root: ScriptObject, outcome: Outcome): FreezeReport {
    const slots = listSlots(root).filter(({ object, name }) => !isModule(object.slots.get(name)))
    const constants = tensorsOfGraphs(outcome.graphs)
    const storages = new Set(constants.map((tensor) => tensor.storage))
    const entries = slots.map((slot) => {
      const entry = this.#entry(slot, outcome.holds)
      const tensors = tensorsOf(slot.object.slots.get(slot.name))
      const isFolded =
        entry.status === 'frozen' &&
        tensors.length > 0 &&
        !tensors.some((tensor) => storages.has(tensor.storage))
      return isFolded ? { ...entry, folded: true } : entry
    })
    return { entries, passes: outcome.passes, totals: totalsOf(slots, entries, constants, outcome) }
  }

  #entry(slot: Slot, holds: Outcome['holds']): FreezeEntry {
    const content = slot.object.slots.get(slot.name) ?? null
    const declared = slot.object.type.attributes.get(slot.name)
    const verdict = this.#verdicts.get(slot.object)?.get(slot.name)
    const consumers = [...(this.#consumers.get(slot.object)?.get(slot.name) ?? [])]
    const isRead = consumers.length > 0
    return {
      path: slot.path,
      kind: declared?.kind ?? 'attribute',
      type: printType(
        content instanceof Tensor ? typeOfValue(content) : (declared?.type ?? typeOfValue(content)),
      ),
      bytes: bytesOf(tensorsOf(content)),
      consumers,
      ...(holds === undefined ? (verdict ?? unasked(isRead)) : verdictAfter(verdict, holds(slot), isRead)),
    }
  }
}

function unasked(isRead: boolean): Verdict {
  return { status: 'kept', reason: isRead ? 'it was not asked for' : 'the method does not read it' }
}

/** What was to be kept is dropped after all where optimised graphs no longer use it. */
function verdictAfter(verdict: Verdict | undefined, isHeld: boolean, isRead: boolean): Verdict {
  if (verdict?.status === 'frozen') return verdict
  if (isHeld) return verdict ?? { status: 'kept', reason: staysWhole }
  return {
    status: 'dropped',
    reason: isRead || verdict ? 'nothing uses it any longer' : 'no preserved method reads it',
  }
}

function totalsOf(
  slots: readonly Slot[],
  entries: readonly FreezeEntry[],
  constants: readonly Tensor[],
  { passes, graphs, nodesBefore }: Outcome,
): FreezeTotals {
  const chosen = (isChosen: (entry: FreezeEntry) => boolean): number =>
    bytesOf(
      slots.flatMap(({ object, name }, i) => {
        const entry = entries[i]
        return entry !== undefined && isChosen(entry) ? tensorsOf(object.slots.get(name)) : []
      }),
    )
  return {
    attributes: entries.length,
    frozen: entries.filter(({ status }) => status === 'frozen').length,
    bytes: chosen(() => true),
    bytesFrozen: chosen(({ status }) => status === 'frozen'),
    bytesFolded: chosen(({ folded }) => folded === true),
    bytesKept: chosen(({ status }) => status === 'kept' || status === 'refused'),
    bytesDropped: chosen(({ status }) => status === 'dropped'),
    bytesOfConstants: bytesOf(constants),
    nodesBefore,
    nodesAfter: graphs.reduce((sum, graph) => sum + countNodes(graph), 0),
    milliseconds: passes.reduce((sum, pass) => sum + pass.milliseconds, 0),
  }
}

/** The sums when further passes have run over the graphs of a frozen module. */
export function totalsAfter(
  totals: FreezeTotals,
  passes: readonly FreezePass[],
  graphs: readonly Graph[],
): FreezeTotals {
  return {
    ...totals,
    bytesOfConstants: bytesOf(tensorsOfGraphs(graphs)),
    nodesAfter: graphs.reduce((sum, graph) => sum + countNodes(graph), 0),
    milliseconds: passes.reduce((sum, pass) => sum + pass.milliseconds, 0),
  }
}

export function countNodes(graph: Graph): number {
  return [...graph.nodes()].length
}

function entryOf<T>(map: Map<ScriptObject, Map<string, T>>, { object, name }: Slot, create: () => T): T {
  const names = map.get(object) ?? new Map<string, T>()
  map.set(object, names)
  const entry = names.get(name) ?? create()
  names.set(name, entry)
  return entry
}

function tensorsOfGraphs(graphs: readonly Graph[]): Tensor[] {
  return graphs.flatMap((graph) =>
    [...everyNode(graph)].flatMap((node) => {
      const value = node.kind === 'prim::Constant' ? node.attributes.get('value') : undefined
      return value?.kind === 'value' ? tensorsOf(value.value) : []
    }),
  )
}

function tensorsOf(value: IValue | undefined): Tensor[] {
  if (value instanceof Tensor) return [value]
  if (value instanceof List || value instanceof Tuple) return value.elements.flatMap(tensorsOf)
  return value instanceof Dict ? [...value.entries()].flatMap(([, item]) => tensorsOf(item)) : []
}

/** Tensors that are the same memory count once. */
function bytesOf(tensors: readonly Tensor[]): number {
  const distinct = new Map<unknown, Map<string, number>>()
  for (const tensor of tensors) {
    const views = distinct.get(tensor.storage) ?? new Map<string, number>()
    distinct.set(
      tensor.storage,
      views.set(`${tensor.storageOffset}:${tensor.sizes.join()}`, tensor.byteLength),
    )
  }
  return [...distinct.values()].flatMap((views) => [...views.values()]).reduce((a, b) => a + b, 0)
}

/** `aten::add_ writes it (model.py:17:8)` */
export function describeWriter(node: Node): string {
  const location = node.range && formatLocation(node.range.writtenAt ?? node.range.location)
  return `${node.kind} writes it${location === undefined ? '' : ` (${location})`}`
}

/** What a node in training writes is named with what to do about it. */
function adviceFor(writer: Node): string {
  return writer.kind.endsWith('_norm')
    ? "it may train: freeze the flag that decides this first, e.g. 'training' as false, or call .eval() before saving"
    : 'what is written stays an attribute; freeze the others by other names or the whole module'
}

/** @throws FreezeError naming the node that writes the slot, and its source line */
export function refuseIfWritten(
  slot: Slot,
  { ledger, writes }: { readonly ledger: FreezeLedger; readonly writes: SlotWrites },
): void {
  const writer = writes.writerOf(slot)
  if (writer === undefined) return
  const reason = describeWriter(writer)
  ledger.refused(slot, reason)
  throw new FreezeError(`${slot.path} cannot be frozen: ${reason}`, { node: writer.kind }, adviceFor(writer))
}
