import { Dict, List, ScriptObject, Tuple, type IValue } from '../ir/ivalue.ts'
import type { Machine } from './machine.ts'

/**
 * Runs `__setstate__` of every object in `value` that was saved by `__getstate__` and has not been restored yet, inner
 * objects first, as libtorch does while it loads.
 */
export function restoreObjects(value: IValue, machine: Machine, seen = new Set<IValue>()): void {
  if (seen.has(value)) return
  seen.add(value)
  for (const part of partsOf(value)) restoreObjects(part, machine, seen)
  if (!(value instanceof ScriptObject) || value.pickledState === undefined || value.slots.size > 0) return
  restoreObjects(value.pickledState, machine, seen)
  const setState = value.type.methods.get('__setstate__')
  if (setState) machine.call(setState, [value, value.pickledState])
}

function partsOf(value: IValue): Iterable<IValue> {
  if (value instanceof ScriptObject) return value.slots.values()
  if (value instanceof List || value instanceof Tuple) return value.elements
  return value instanceof Dict ? [...value.entries()].map(([, item]) => item) : []
}
