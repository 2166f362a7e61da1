import { Tensor } from '../tensor/tensor.ts'
import type { ArchiveLimits } from './limits.ts'
import {
  PickleDict,
  PickleList,
  PickleObject,
  PickleReduce,
  PickleTuple,
  type PickleValue,
} from './pickle-values.ts'

interface Frame {
  readonly container: object
  readonly children: readonly PickleValue[]
  next: number
  /** Values in the container, itself included, shared ones counted each time. */
  size: number
}

/**
 * What would make a walk over the value endless, too deep or too long, if anything: a container within itself,
 * nesting beyond the limit, or sharing that unfolds to more values than the limit. Takes time in the number of
 * different values, and no call stack.
 */
export function shapeFault(root: PickleValue, limits: ArchiveLimits): string | undefined {
  const sizes = new Map<object, number | undefined>()
  const path: Frame[] = []
  enter(root, path, sizes)
  for (let frame = path[0]; frame !== undefined; frame = path[path.length - 1]) {
    const child = frame.children[frame.next++]
    if (child === undefined) {
      leave(path, sizes)
      continue
    }
    if (typeof child !== 'object' || child === null || !sizes.has(child)) {
      enter(child, path, sizes)
    } else {
      const size = sizes.get(child)
      if (size === undefined) return 'a value contains itself'
      frame.size += size
    }
    if (path.length > limits.pickleDepth) return `values are nested deeper than ${limits.pickleDepth} levels`
    if (frame.size > limits.pickleValues)
      return `the pickle unfolds to more than ${limits.pickleValues} values`
  }
  return undefined
}

function enter(value: PickleValue, path: Frame[], sizes: Map<object, number | undefined>): void {
  const parent = path[path.length - 1]
  const children = childrenOf(value)
  if (children === undefined) {
    if (parent !== undefined) parent.size++
    return
  }
  const container = value as object
  if (children.length === 0) {
    sizes.set(container, 1)
    if (parent !== undefined) parent.size++
    return
  }
  sizes.set(container, undefined)
  path.push({ container, children, next: 0, size: 1 })
}

function leave(path: Frame[], sizes: Map<object, number | undefined>): void {
  const frame = path.pop()
  if (frame === undefined) return
  sizes.set(frame.container, frame.size)
  const parent = path[path.length - 1]
  if (parent !== undefined) parent.size += frame.size
}

function childrenOf(value: PickleValue): readonly PickleValue[] | undefined {
  if (value instanceof PickleTuple || value instanceof PickleList) return value.items
  if (value instanceof PickleDict) return value.size === 0 ? [] : [...value.entries()].flat()
  if (value instanceof PickleObject) return [value.args, value.state]
  if (value instanceof PickleReduce) return [value.args]
  return undefined
}

/** The containers and tensors that occur more than once. The value must be without `shapeFault`. */
export function sharedValues(root: PickleValue): ReadonlySet<PickleValue> {
  const seen = new Set<PickleValue>()
  const shared = new Set<PickleValue>()
  const pending: PickleValue[] = [root]
  while (pending.length > 0) {
    const value = pending.pop() as PickleValue
    const children = value instanceof Tensor ? [] : childrenOf(value)
    if (children === undefined) continue
    if (seen.has(value)) shared.add(value)
    else {
      seen.add(value)
      for (const child of children) pending.push(child)
    }
  }
  return shared
}
