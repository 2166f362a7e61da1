import { bug, invariant } from '../../errors.ts'
import type { Node, Value } from '../../ir/graph.ts'
import type { IValue } from '../../ir/ivalue.ts'
import { itemSize } from '../../tensor/dtype.ts'
import type { Storage } from '../../tensor/storage.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { SpecialisedGraph } from '../../runtime/specialise.ts'
import type { Dnnl, MemoryDescriptor, Operation, PostOperation, Primitive } from './binding/dnnl.ts'
import { argument } from './binding/dnnl.ts'
import { OneDnnError } from './binding/errors.ts'
import { writesInPlace } from './lower-views.ts'
import { PlanBuffer, type Placement } from './placement.ts'
import type { ReferenceStep, Step, StepArgument } from './step.ts'
import type { ConvolutionTuner } from './convolution-tuner.ts'

/** How kernels are chosen where there are several. */
export interface LoweringChoices {
  /** Measures convolutions; without it the library's own preference is taken. */
  readonly tuner: ConvolutionTuner | undefined
  /** Every kernel gives its result back row-major: what layouts that stay are worth can be measured so. */
  readonly rowMajorActivations: boolean
}

/** Where the elements of a storage are when they lie as the graph's strides say. */
interface Home {
  readonly buffer: PlanBuffer
  valid: boolean
}

/**
 * Turns the nodes of a specialised graph into steps, one after the other, and keeps books on where each tensor is. A
 * tensor may be in several places at once, each in its own layout: a reorder is made when a step needs a layout that
 * is not there yet, and never twice.
 */
export class Lowering {
  readonly dnnl: Dnnl
  readonly graph: SpecialisedGraph
  readonly choices: LoweringChoices
  readonly steps: Step[] = []
  readonly #placements = new Map<Value, Placement[]>()
  readonly #homes = new Map<Storage, Home>()
  /** The values that fill a storage of their own. */
  readonly #owners = new Map<Storage, Value>()
  readonly #packed: WeightCache
  /** What some node writes in place. */
  readonly #written = new Set<Storage>()

  constructor(dnnl: Dnnl, graph: SpecialisedGraph, packed: WeightCache, choices: LoweringChoices) {
    this.dnnl = dnnl
    this.graph = graph
    this.choices = choices
    this.#packed = packed
    graph.graph.inputs.forEach((value, index) => {
      const tensor = this.tensorOf(value)
      this.#homes.set(tensor.storage, {
        buffer: PlanBuffer.input(index, tensor.storage.byteLength),
        valid: true,
      })
      this.#owners.set(tensor.storage, value)
    })
    for (const node of graph.graph.nodes())
      if (writesInPlace(node))
        for (const value of node.inputs)
          if (graph.tensors.has(value)) this.#written.add(this.tensorOf(value).storage)
  }

  /** Whether a node writes in place to the value's memory: then nothing else may lie there. */
  isWritten(value: Value): boolean {
    return this.#written.has(this.tensorOf(value).storage)
  }

  /** The tensor of a value: without elements unless it is a constant. */
  tensorOf(value: Value): Tensor {
    const known = this.graph.tensors.get(value)
    if (known) return known
    const constant = this.constantOf(value)
    if (!(constant instanceof Tensor)) bug(`%${value.debugName} is no tensor`)
    return constant
  }

  isTensor(value: Value): boolean {
    return this.graph.tensors.has(value) || this.constantOf(value) instanceof Tensor
  }

  constantOf(value: Value): IValue | undefined {
    return value.node.kind === 'prim::Constant' ? (value.node.attribute('value') ?? null) : undefined
  }

  /** The tensor as strided memory. */
  plain(tensor: Tensor): MemoryDescriptor {
    return this.dnnl.describe(tensor.dtype, tensor.sizes, tensor.strides)
  }

  any(tensor: Tensor): MemoryDescriptor {
    return this.dnnl.describe(tensor.dtype, tensor.sizes, 'any')
  }

  /** Where the value is now, the newest place first; where its strides say if it is nowhere else. */
  current(value: Value): Placement {
    return this.#placements.get(value)?.at(-1) ?? this.home(value)
  }

  /** The value in the layout, after a reorder if it is not there in it yet. */
  in(value: Value, wanted: MemoryDescriptor): Placement {
    const constant = this.constantOf(value)
    if (constant instanceof Tensor) return this.#packedConstant(constant, wanted)
    const placements = this.#placements.get(value) ?? []
    const there = placements.find(({ descriptor }) => descriptor.equals(wanted))
    // The same memory, by the name that the kernel was made for.
    if (there) return { ...there, descriptor: wanted }
    const home = this.#homes.get(this.tensorOf(value).storage)
    if ((home?.valid ?? placements.length === 0) && this.plain(this.tensorOf(value)).equals(wanted))
      return { ...this.home(value), descriptor: wanted }
    const placement = this.#fresh(wanted)
    this.reorder(placements.at(-1) ?? this.home(value), placement, value.node)
    this.#place(value, placement)
    return placement
  }

  /** The value where the strides of its tensor say. */
  home(value: Value): Placement {
    const constant = this.constantOf(value)
    if (constant instanceof Tensor) return this.#packedConstant(constant, this.plain(constant))
    const tensor = this.tensorOf(value)
    const home = this.homeOf(tensor.storage)
    if (!home.valid) this.#bringHome(tensor.storage, home)
    return {
      descriptor: this.plain(tensor),
      buffer: home.buffer,
      offset: tensor.storageOffset * itemSize(tensor.dtype),
    }
  }

  /** Memory for a storage as a whole. */
  homeOf(storage: Storage): Home {
    let home = this.#homes.get(storage)
    if (home === undefined)
      this.#homes.set(storage, (home = { buffer: PlanBuffer.arena(storage.byteLength), valid: false }))
    return home
  }

  #bringHome(storage: Storage, home: Home): void {
    const owner = this.#owners.get(storage)
    invariant(owner !== undefined, 'a tensor is used that nothing computes')
    const tensor = this.tensorOf(owner)
    const wanted = this.plain(tensor)
    const placements = this.#placements.get(owner) ?? []
    const there = placements.find(({ descriptor }) => descriptor.equals(wanted))
    if (there)
      this.#homes.set(storage, Object.assign(home, { buffer: sub(there, storage.byteLength), valid: true }))
    else {
      this.reorder(
        placements.at(-1) as Placement,
        { descriptor: wanted, buffer: home.buffer, offset: tensor.storageOffset * itemSize(tensor.dtype) },
        owner.node,
      )
      home.valid = true
    }
  }

  /** Says where a step puts a value. */
  define(value: Value, placement: Placement): void {
    this.#owners.set(this.tensorOf(value).storage, value)
    this.#place(value, placement)
    if (!this.choices.rowMajorActivations) return
    this.home(value)
    this.#placements.delete(value)
  }

  /** Says that a step puts a value where its strides say. */
  defineHome(value: Value): Placement {
    const tensor = this.tensorOf(value)
    const home = this.homeOf(tensor.storage)
    home.valid = true
    this.#owners.set(tensor.storage, value)
    return this.home(value)
  }

  /** The value is also there: a look at what is in another place already. */
  alsoAt(value: Value, placement: Placement): void {
    this.#place(value, placement)
  }

  #place(value: Value, placement: Placement): void {
    const placements = this.#placements.get(value)
    if (placements) placements.push(placement)
    else this.#placements.set(value, [placement])
  }

  placementsOf(value: Value): readonly Placement[] {
    return this.#placements.get(value) ?? []
  }

  /** What was written in place is at home only. */
  forgetCopies(storage: Storage): void {
    for (const [value] of this.#placements)
      if (this.tensorOf(value).storage === storage) this.#placements.delete(value)
  }

  #fresh(descriptor: MemoryDescriptor): Placement {
    return { descriptor, buffer: PlanBuffer.arena(descriptor.byteLength), offset: 0 }
  }

  /** New memory in a layout. */
  allocate(descriptor: MemoryDescriptor): Placement {
    return this.#fresh(descriptor)
  }

  reorder(source: Placement, destination: Placement, node: Node): void {
    const primitive = this.dnnl.create({
      kind: 'reorder',
      source: source.descriptor,
      destination: destination.descriptor,
    })
    this.addUnary(primitive, [node], source, destination, true)
  }

  /** @returns undefined where the library has nothing for the operation */
  tryCreate(operation: Operation, postOperations: readonly PostOperation[] = []): Primitive | undefined {
    try {
      return this.dnnl.create(operation, postOperations)
    } catch (error) {
      if (error instanceof OneDnnError && error.isRefusal) return undefined
      throw error
    }
  }

  /** Adds a primitive that reads one operand, as `add`. */
  addUnary(
    primitive: Primitive,
    nodes: readonly Node[],
    source: Placement,
    destination: Placement,
    isReorder = false,
  ): void {
    this.add(primitive, nodes, [{ argument: argument.source, placement: source }], destination, isReorder)
  }

  /** Adds a step that reads the inputs and writes the destination. */
  add(
    primitive: Primitive,
    nodes: readonly Node[],
    inputs: readonly StepArgument[],
    destination: Placement,
    isReorder = false,
  ): void {
    const all: StepArgument[] = [
      ...inputs,
      { argument: argument.destination, placement: destination, written: true },
    ]
    if (primitive.scratchpadBytes > 0) {
      const scratchpad = this.dnnl.describe('uint8', [primitive.scratchpadBytes], [1])
      all.push({ argument: argument.scratchpad, placement: this.#fresh(scratchpad), written: true })
    }
    const step = this.steps.push({ kind: 'primitive', primitive, arguments: all, nodes, isReorder }) - 1
    for (const { placement } of all) placement.buffer.touch(step)
  }

  addReference(step: ReferenceStep): void {
    const number = this.steps.push(step) - 1
    for (const buffer of step.buffers) buffer.touch(number)
  }

  /** Gives the primitives back. */
  dispose(): void {
    for (const step of this.steps) if (step.kind === 'primitive') step.primitive.dispose()
  }

  #packedConstant(tensor: Tensor, wanted: MemoryDescriptor): Placement {
    return this.packed(tensor, wanted, this.plain(tensor))
  }

  /** A constant in a layout, packed now. @param plain how it lies, in the sizes of the layout */
  packed(tensor: Tensor, wanted: MemoryDescriptor, plain: MemoryDescriptor): Placement {
    const content = this.#packed.packed(tensor, wanted, plain)
    return { descriptor: wanted, buffer: PlanBuffer.constant(content), offset: 0 }
  }
}

/** Weights in the layouts that primitives asked for; plans for several shapes share them. */
export interface WeightCache {
  packed(tensor: Tensor, wanted: MemoryDescriptor, plain: MemoryDescriptor): Uint8Array
}

function sub(placement: Placement, bytes: number): PlanBuffer {
  if (placement.offset === 0) return placement.buffer
  const part = PlanBuffer.arena(bytes)
  part.become(placement.buffer, placement.offset)
  return part
}
