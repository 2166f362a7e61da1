import type { MemoryDescriptor } from './binding/dnnl.ts'

/** Bytes that a plan uses, before it is known where they lie. */
export class PlanBuffer {
  readonly kind: 'arena' | 'constant' | 'input'
  readonly content: Uint8Array | undefined
  /** Which input of the graph it is. */
  readonly inputIndex: number
  bytes: number
  /** Steps that touch it. */
  first = Infinity
  last = -1
  #parent: { readonly buffer: PlanBuffer; readonly offset: number } | undefined

  private constructor(kind: PlanBuffer['kind'], bytes: number, content?: Uint8Array, inputIndex = -1) {
    this.kind = kind
    this.bytes = bytes
    this.content = content
    this.inputIndex = inputIndex
  }

  static arena(bytes: number): PlanBuffer {
    return new PlanBuffer('arena', bytes)
  }

  static constant(content: Uint8Array): PlanBuffer {
    return new PlanBuffer('constant', content.length, content)
  }

  static input(index: number, bytes: number): PlanBuffer {
    return new PlanBuffer('input', bytes, undefined, index)
  }

  /** The buffer that it is a part of, itself if of none, and where in it. */
  get root(): { readonly buffer: PlanBuffer; readonly offset: number } {
    if (this.#parent === undefined) return { buffer: this, offset: 0 }
    const { buffer, offset } = this.#parent.buffer.root
    return { buffer, offset: offset + this.#parent.offset }
  }

  /** Whether others are parts of it. */
  hasParts = false

  get isPart(): boolean {
    return this.#parent !== undefined
  }

  /** Makes it a part of another: what is written here is written there. */
  become(buffer: PlanBuffer, offset: number): void {
    this.#parent = { buffer, offset }
    buffer.hasParts = true
    buffer.touch(this.first)
    buffer.touch(this.last)
  }

  touch(step: number): void {
    if (step < 0 || step === Infinity) return
    this.first = Math.min(this.first, step)
    this.last = Math.max(this.last, step)
    this.#parent?.buffer.touch(step)
  }
}

/** A tensor in a buffer, in some layout. */
export interface Placement {
  readonly descriptor: MemoryDescriptor
  readonly buffer: PlanBuffer
  /** In bytes. */
  readonly offset: number
}
