import { bug } from '../errors.ts'
import type { Value } from './graph.ts'

/**
 * The debug names of one graph. A new owner takes a name over; the old owner is renamed with the next free
 * number suffix, as `Value::setDebugName` does (torch/csrc/jit/ir/ir.cpp).
 */
export class ValueNames {
  readonly #owners = new Map<string, Value>()
  readonly #nextSuffix = new Map<string, number>()

  get(name: string): Value | undefined {
    return this.#owners.get(name)
  }

  set(value: Value, name: string): void {
    if (/^\d+$/.test(name)) bug(`'${name}' is no debug name`)
    this.release(value)
    if (name === '') return
    const owner = this.#owners.get(name)
    if (owner !== undefined) this.set(owner, this.#freeVariantOf(name))
    this.#owners.set(name, value)
    value._name = name
  }

  release(value: Value): void {
    if (value._name !== undefined) this.#owners.delete(value._name)
    value._name = undefined
  }

  #freeVariantOf(name: string): string {
    const match = /^(.*)\.(\d+)$/s.exec(name)
    const base = match?.[1] ?? name
    let suffix = Math.max(match ? Number(match[2]) : 1, this.#nextSuffix.get(base) ?? 0)
    while (this.#owners.has(`${base}.${suffix}`)) suffix++
    this.#nextSuffix.set(base, suffix + 1)
    return `${base}.${suffix}`
  }
}
