import { PermafrostError } from '../errors.ts'
import type { Graph, Node } from '../ir/graph.ts'
import type { IValue, ScriptObject } from '../ir/ivalue.ts'
import { formatLocation } from '../ir/source-range.ts'
import { cloneAs } from '../ops/tensor-access.ts'
import { compileProgram } from './compile.ts'
import { compareTensors, reasonAgainst, type Comparison, type Tolerance } from './compare.ts'
import type { Environment } from './environment.ts'
import { Machine } from './machine.ts'
import { ruleOf } from './node-rules.ts'
import { flattenOutputs } from './outputs.ts'
import { restoreObjects } from './restore-objects.ts'
import { contiguousStrides, type Tensor } from '../tensor/tensor.ts'

/** One value that a node gave in a run. */
export interface RecordedValue {
  readonly node: Node
  readonly name: string
  readonly tensors: ReadonlyMap<string, Tensor>
}

/** Beyond this, values are not kept. */
const maxBytes = 2 ** 29

/**
 * Runs a method's graph and keeps a copy of what each of its nodes gave, those of nested blocks at every turn, as it
 * was at that moment. Where the run fails: what there was until then.
 */
export function recordValues(
  graph: Graph,
  self: ScriptObject,
  args: readonly IValue[],
  environment: Environment,
): readonly RecordedValue[] {
  const records: RecordedValue[] = []
  let bytes = 0
  const program = compileProgram(graph, (node) => {
    const evaluate = ruleOf(node)
    return (inputs, machine) => {
      const outputs = evaluate(inputs, machine)
      for (const [i, output] of outputs.entries()) {
        if (bytes > maxBytes || !isData(node)) break
        const tensors = new Map<string, Tensor>()
        for (const [name, tensor] of flattenOutputs(output)) {
          bytes += tensor.byteLength
          tensors.set(name, cloneAs(tensor, tensor.dtype, contiguousStrides(tensor.sizes)))
        }
        records.push({ node, name: node.outputs[i]?.debugName ?? '', tensors })
      }
      return outputs
    }
  })
  const machine = new Machine(environment)
  restoreObjects(self, machine)
  try {
    machine.runProgram(program, [self, ...args])
  } catch (error) {
    if (!(error instanceof PermafrostError)) throw error
  }
  return records
}

/** Attributes are what the model holds, not what it computes. */
function isData(node: Node): boolean {
  return node.kind !== 'prim::GetAttr'
}

export interface Pairing {
  /**
   * `models`: values of the same kind of node from the same line of Python, else of the same name. `stages`: the two
   * graphs are one graph before and after a rewrite, so that names are enough.
   */
  readonly of: 'models' | 'stages'
  /** The name of a value of the first run that is not to be compared: it was rewritten to mean something else. */
  readonly except?: string
}

export interface FirstDifference {
  /** The value in the first graph, and the node that gives it. */
  readonly value: string
  readonly node: string
  /** The user's own Python line, or else that of the archive's code. */
  readonly source?: string
  /** The value of the second graph that it was compared with. */
  readonly otherValue: string
  readonly otherNode: string
  readonly comparison: Comparison
  /** How many values were compared and found equal before. */
  readonly equalBefore: number
}

/** The first value, in the order of the first run, that differs from its partner in the second. */
export function findFirstDifference(
  first: readonly RecordedValue[],
  second: readonly RecordedValue[],
  tolerance: Tolerance,
  pairing: Pairing,
): FirstDifference | undefined {
  const partners = new Partners(second, pairing.of === 'stages' ? (record) => [nameKey(record)] : keysOfModel)
  let equalBefore = 0
  for (const record of first) {
    const partner = partners.of(record)
    if (partner === undefined || record.name === pairing.except) continue
    const comparison = differenceOf(record, partner, tolerance)
    if (comparison === undefined) equalBefore++
    else return describe(record, partner, comparison, equalBefore)
  }
  return undefined
}

function describe(
  record: RecordedValue,
  partner: RecordedValue,
  comparison: Comparison,
  equalBefore: number,
): FirstDifference {
  const source = sourceOf(record.node) ?? sourceOf(partner.node)
  return {
    value: record.name,
    node: record.node.kind,
    ...(source !== undefined && { source }),
    otherValue: partner.name,
    otherNode: partner.node.kind,
    comparison,
    equalBefore,
  }
}

function differenceOf(a: RecordedValue, b: RecordedValue, tolerance: Tolerance): Comparison | undefined {
  for (const [path, tensor] of a.tensors) {
    const other = b.tensors.get(path)
    const reason = reasonAgainst(tensor, other)
    const comparison: Comparison =
      reason === undefined && other !== undefined
        ? compareTensors(a.name, tensor, other, tolerance)
        : {
            name: a.name,
            equal: false,
            reason: reason ?? '',
            maxAbsolute: Infinity,
            maxRelative: Infinity,
            nonFinite: 0,
          }
    if (!comparison.equal) return comparison
  }
  return undefined
}

/** Where the node was written: in the user's Python, or in the archive's code. */
export function sourceOf({ range }: Node): string | undefined {
  if (range === undefined) return undefined
  return formatLocation(range.writtenAt ?? range.location)
}

/** Finds the value of another run that stands for the same. */
class Partners {
  readonly #byKey = new Map<string, RecordedValue[]>()
  readonly #asked = new Map<string, number>()
  readonly #keysOf: (record: RecordedValue) => readonly string[]

  constructor(records: readonly RecordedValue[], keys: (record: RecordedValue) => readonly string[]) {
    this.#keysOf = keys
    for (const record of records)
      for (const key of keys(record)) {
        const same = this.#byKey.get(key)
        if (same) same.push(record)
        else this.#byKey.set(key, [record])
      }
  }

  of(record: RecordedValue): RecordedValue | undefined {
    let found: RecordedValue | undefined
    for (const key of this.#keysOf(record)) {
      const turn = this.#asked.get(key) ?? 0
      this.#asked.set(key, turn + 1)
      found ??= this.#byKey.get(key)?.[turn]
    }
    return found
  }
}

function nameKey({ node, name }: RecordedValue): string {
  return `${node.kind} %${name}`
}

function keysOfModel(record: RecordedValue): string[] {
  const isKnown = record.node.range?.writtenAt !== undefined
  return isKnown ? [placeKey(record), nameKey(record)] : [nameKey(record)]
}

/** The line and the calls that led there. */
function placeKey({ node, name }: RecordedValue): string {
  const offset = node.outputs.findIndex((output) => output.debugName === name)
  const places: string[] = []
  for (let { range } = node; range !== undefined; range = range.caller)
    if (range.original) places.push(formatLocation(range.original))
  return `${node.kind} ${offset} ${places.join(' < ')}`
}
