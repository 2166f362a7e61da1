import type { Node } from '../ir/graph.ts'
import { Dict, List, type ScriptObject, Tuple, type IValue } from '../ir/ivalue.ts'
import { formatLocation } from '../ir/source-range.ts'
import { printType } from '../ir/type-printer.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { PassStats } from './pass-manager.ts'
import { typeOfValue } from '../ir/type-of-value.ts'
import { isModule, listSlots, type Slot, type SlotAccess } from './support/module-slots.ts'

/** What became of one attribute. */
export interface FreezeEntry {
  /** From the root, `layer1.0.conv1.weight`. */
  readonly path: string
  readonly kind: 'parameter' | 'buffer' | 'attribute'
  readonly type: string
  /** Of its tensors. */
  readonly bytes: number
  /** Kinds of the nodes that used it. */
  readonly consumers: readonly string[]
  readonly status: 'frozen' | 'kept' | 'refused' | 'dropped'
  /** Why it was not frozen. */
  readonly reason?: string
}

/** What a freeze did with every attribute, and what its passes did. */
export interface FreezeReport {
  readonly entries: readonly FreezeEntry[]
  readonly passes: readonly PassStats[]
}

type Verdict = Pick<FreezeEntry, 'status' | 'reason'>

/** Collects verdicts while a freeze runs. A later verdict on a slot counts only if the slot was not frozen before. */
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

  /** What was to be kept is dropped after all where optimised graphs no longer use it. */
  dropUnused(used: readonly Slot[]): void {
    for (const [object, verdicts] of this.#verdicts)
      for (const [name, { status }] of verdicts)
        if (status === 'kept' && !used.some((slot) => slot.object === object && slot.name === name))
          verdicts.set(name, { status: 'dropped', reason: 'nothing uses it any longer' })
  }

  #decide(slot: Slot, verdict: Verdict): void {
    const names = this.#verdicts.get(slot.object) ?? new Map<string, Verdict>()
    this.#verdicts.set(slot.object, names)
    names.set(slot.name, verdict)
  }

  /**
   * The report over every attribute below the root.
   *
   * @param unread what became of attributes that no method reads
   */
  report(root: ScriptObject, passes: readonly PassStats[], unread: Verdict): FreezeReport {
    const slots = listSlots(root).filter(({ object, name }) => !isModule(object.slots.get(name)))
    return { entries: slots.map((slot) => this.#entry(slot, unread)), passes }
  }

  #entry(slot: Slot, unread: Verdict): FreezeEntry {
    const content = slot.object.slots.get(slot.name) ?? null
    const declared = slot.object.type.attributes.get(slot.name)
    const verdict = this.#verdicts.get(slot.object)?.get(slot.name)
    const consumers = [...(this.#consumers.get(slot.object)?.get(slot.name) ?? [])]
    return {
      path: slot.path,
      kind: declared?.kind ?? 'attribute',
      type: printType(
        content instanceof Tensor ? typeOfValue(content) : (declared?.type ?? typeOfValue(content)),
      ),
      bytes: bytesOf(content),
      consumers,
      ...(verdict ?? (consumers.length > 0 ? { status: 'kept', reason: 'it was not asked for' } : unread)),
    }
  }
}

function entryOf<T>(map: Map<ScriptObject, Map<string, T>>, { object, name }: Slot, create: () => T): T {
  const names = map.get(object) ?? new Map<string, T>()
  map.set(object, names)
  const entry = names.get(name) ?? create()
  names.set(name, entry)
  return entry
}

function bytesOf(value: IValue): number {
  if (value instanceof Tensor) return value.byteLength
  if (value instanceof List || value instanceof Tuple) return sum(value.elements.map(bytesOf))
  return value instanceof Dict ? sum([...value.entries()].map(([, item]) => bytesOf(item))) : 0
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}

/** `aten::add_ writes it (model.py:17:8)` */
export function describeWriter(node: Node): string {
  const location = node.range && formatLocation(node.range.writtenAt ?? node.range.location)
  return `${node.kind} writes it${location === undefined ? '' : ` (${location})`}`
}

/** One line per attribute, and a line with the sums. */
export function formatFreezeReport(report: FreezeReport): string {
  const rows = report.entries.map((entry) => [
    entry.path,
    entry.kind,
    entry.type,
    String(entry.bytes),
    entry.consumers.join(' '),
    entry.reason === undefined ? entry.status : `${entry.status} because ${entry.reason}`,
  ])
  const table = [['attribute', 'kind', 'type', 'bytes', 'used by', 'result'], ...rows]
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  const lines = table.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [...lines, summaryOf(report)].join('\n')
}

function summaryOf({ entries }: FreezeReport): string {
  const frozen = entries.filter((entry) => entry.status === 'frozen')
  const bytes = sum(frozen.map((entry) => entry.bytes))
  return `${frozen.length} of ${entries.length} attributes frozen, ${bytes} bytes of tensors`
}
