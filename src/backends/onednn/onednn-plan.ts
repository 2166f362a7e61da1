import { bug, invariant } from '../../errors.ts'
import type { Value } from '../../ir/graph.ts'
import { List, type IValue } from '../../ir/ivalue.ts'
import { schemaKey } from '../../ir/schema.ts'
import { findOperator } from '../../ops/index.ts'
import { allocate } from '../../ops/tensor-access.ts'
import { schemaOfNode } from '../../ops/schema-table.ts'
import type { Plan, PlanReport, StepReport } from '../../runtime/backend.ts'
import { createEnvironment } from '../../runtime/environment.ts'
import { SessionDisposedError } from '../../runtime/errors.ts'
import { requireMemory } from '../../runtime/input-memory.ts'
import { itemSize } from '../../tensor/dtype.ts'
import { Storage } from '../../tensor/storage.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { argument, type Call, type Dnnl } from './binding/dnnl.ts'
import type { Lowering } from './lowering.ts'
import type { PrimitiveStep, ReferenceStep, Step } from './step.ts'
import { PlanArena } from './plan-arena.ts'
import { copy, laidOutLike, viewOf } from './plan-memory.ts'
import type { PlanBuffer, Placement } from './placement.ts'

interface Runnable {
  execute(): void
  milliseconds: number
}

/** A call's argument that is one of the plan's inputs. */
interface InputUse {
  readonly call: Call
  readonly argument: number
  readonly offset: number
}

/** Steps over one arena, with everything bound that does not change from run to run. */
export class OneDnnPlan implements Plan {
  readonly #lowering: Lowering
  readonly #dnnl: Dnnl
  readonly #threads: number
  readonly #arena: PlanArena
  readonly #runnables: Runnable[]
  readonly #calls: Call[] = []
  readonly #inputUses: InputUse[][]
  readonly #inputTensors: Tensor[]
  readonly #constants = new Set<Uint8Array>()
  readonly #outputs: readonly { readonly value: Value; readonly placement: Placement | undefined }[]
  /** Where each input of the running call is. */
  #current: readonly Tensor[] = []
  #disposed = false

  constructor(lowering: Lowering, threads: number) {
    this.#lowering = lowering
    this.#dnnl = lowering.dnnl
    this.#threads = threads
    const { graph } = lowering.graph
    this.#inputUses = graph.inputs.map(() => [])
    this.#inputTensors = graph.inputs.map((value) => lowering.tensorOf(value))
    this.#outputs = graph.outputs.map((value) => ({
      value,
      placement: lowering.graph.tensors.has(value) ? lowering.home(value) : undefined,
    }))
    for (const { placement } of this.#outputs) placement?.buffer.touch(lowering.steps.length)
    this.#arena = new PlanArena(lowering, arenaBuffers(lowering.steps, this.#outputs))
    this.#runnables = lowering.steps.map((step) =>
      step.kind === 'primitive' ? this.#bindPrimitive(step) : this.#bindReference(step),
    )
  }

  #bindPrimitive(step: PrimitiveStep): Runnable {
    const call = this.#dnnl.bind(
      step.primitive,
      step.arguments.map(({ argument: number, placement }) => ({
        argument: number,
        descriptor: placement.descriptor,
        address: this.#addressOf(placement),
      })),
      [this.#arena.bytes],
    )
    this.#calls.push(call)
    for (const { argument: number, placement } of step.arguments) {
      const { buffer, offset } = placement.buffer.root
      if (buffer.kind === 'input')
        this.#inputUses[buffer.inputIndex]?.push({
          call,
          argument: number,
          offset: offset + placement.offset,
        })
    }
    return { execute: () => call.execute(), milliseconds: 0 }
  }

  /** Of an input 0: it is told before every run. */
  #addressOf(placement: Placement): bigint {
    const { buffer, offset } = placement.buffer.root
    if (buffer.kind === 'input') return 0n
    const at = offset + placement.offset
    if (buffer.content) {
      this.#constants.add(buffer.content)
      return this.#dnnl.addressOf(buffer.content) + BigInt(at)
    }
    return this.#dnnl.addressOf(this.#arena.bytes) + BigInt(this.#arena.offsetOf(buffer) + at)
  }

  #bindReference(step: ReferenceStep): Runnable {
    const { node } = step
    const schema = schemaOfNode(node)
    const operator = schema && findOperator(schemaKey(schema))
    if (operator === undefined) bug(`no kernel for ${node.kind}`)
    const environment = createEnvironment()
    const inputs = node.inputs.map((value) => this.#reader(value))
    const outputs = step.outputs.map((value) => value && this.#arena.tensorOf(value))
    const execute = (): void => {
      const results = operator.evaluate(
        inputs.map((read) => read()),
        environment,
      )
      outputs.forEach((output, i) => {
        if (output) copy(output, results[i] as Tensor)
      })
    }
    return { execute, milliseconds: 0 }
  }

  /** How to get a node's input at run time. */
  #reader(value: Value): () => IValue {
    const { tensors } = this.#lowering.graph
    if (tensors.has(value)) {
      const { buffer } = this.#lowering.home(value).buffer.root
      if (buffer.kind === 'input') {
        const tensor = this.#lowering.tensorOf(value)
        return () => viewOf(this.#current[buffer.inputIndex] as Tensor, tensor)
      }
      const tensor = this.#arena.tensorOf(value)
      return () => tensor
    }
    if (value.node.kind === 'prim::ListConstruct') {
      const items = value.node.inputs.map((item) => this.#reader(item))
      const { type } = value
      invariant(type.kind === 'List', 'a list has a list type')
      return () =>
        new List(
          items.map((read) => read()),
          type.element,
        )
    }
    const constant = this.#lowering.constantOf(value)
    return () => constant ?? null
  }

  run(inputs: readonly Tensor[], profile = false): readonly Tensor[] {
    if (this.#disposed) throw new SessionDisposedError('the plan was disposed of')
    this.#current = inputs.map((input, i) => laidOutLike(input, this.#inputTensors[i] as Tensor))
    try {
      this.#current.forEach((input, i) => this.#rebind(input, this.#inputUses[i] ?? []))
      this.#dnnl.setThreads(this.#threads)
      if (profile) for (const runnable of this.#runnables) timed(runnable)
      else for (const runnable of this.#runnables) runnable.execute()
      const copies = new Map<Storage, Storage>()
      return this.#outputs.map(({ value, placement }) => this.#collect(value, placement, copies))
    } finally {
      this.#current = []
    }
  }

  #rebind(input: Tensor, uses: readonly InputUse[]): void {
    if (uses.length === 0) return
    // Looked at again: between two plans of one run the model may have called somebody who gave it away.
    requireMemory(input)
    const address = this.#dnnl.addressOf(input.storage.bytes)
    for (const { call, argument: number, offset } of uses) call.rebind(number, address + BigInt(offset))
  }

  /** @param copies of memory that an output looks at: what shares memory in the graph goes on sharing it */
  #collect(value: Value, placement: Placement | undefined, copies: Map<Storage, Storage>): Tensor {
    const tensor = this.#lowering.tensorOf(value)
    if (placement === undefined) return tensor
    const { buffer } = placement.buffer.root
    if (buffer.kind === 'input') return viewOf(this.#current[buffer.inputIndex] as Tensor, tensor)
    const source = this.#arena.tensorOf(value)
    const { storage, dtype, sizes, strides, storageOffset } = tensor
    if (storage.byteLength > tensor.byteLength && !this.#isShared(storage)) {
      const result = allocate(dtype, sizes)
      copy(result, source)
      return result
    }
    const lead = (source.storageOffset - storageOffset) * itemSize(dtype)
    const copied = copies.get(storage) ?? new Storage(source.storage.bytes.slice(lead))
    copies.set(storage, copied)
    return new Tensor(copied, dtype, sizes, { strides, storageOffset })
  }

  #isShared(storage: Storage): boolean {
    return this.#outputs.filter(({ value }) => this.#lowering.tensorOf(value).storage === storage).length > 1
  }

  report(): PlanReport {
    return {
      steps: this.#lowering.steps.map((step, i) =>
        this.#describe(step, this.#runnables[i]?.milliseconds ?? 0),
      ),
      arenaBytes: this.#arena.plan.arenaBytes,
      sumBytes: this.#arena.plan.sumBytes,
      lowerBound: this.#arena.plan.lowerBound,
      constantBytes: [...this.#constants].reduce((sum, { length }) => sum + length, 0),
    }
  }

  #describe(step: Step, milliseconds: number): StepReport {
    if (step.kind === 'reference') {
      const [output] = step.node.outputs
      return {
        nodes: step.node.kind,
        value: output?.debugName ?? '',
        backend: 'reference',
        implementation: 'reference',
        layout: '',
        reason: step.reason,
        milliseconds,
      }
    }
    const tags = (written: boolean): string =>
      step.arguments
        .filter((one) => one.argument !== argument.scratchpad && (one.written ?? false) === written)
        .map(({ placement }) => placement.descriptor.tag)
        .join(' ')
    return {
      nodes: step.isReorder ? 'layout::reorder' : step.nodes.map(({ kind }) => kind).join(' + '),
      value: step.nodes.at(-1)?.outputs[0]?.debugName ?? '',
      backend: 'onednn',
      implementation: step.primitive.implementation,
      layout: `${tags(false)} → ${tags(true)}`,
      milliseconds,
    }
  }

  dispose(): void {
    this.#disposed = true
    for (const call of this.#calls) call.dispose()
    this.#calls.length = 0
    this.#lowering.dispose()
  }
}

function timed(runnable: Runnable): void {
  const start = performance.now()
  runnable.execute()
  runnable.milliseconds = performance.now() - start
}

/** Every root buffer of the arena that a step or an output uses. */
function arenaBuffers(
  steps: readonly Step[],
  outputs: readonly { readonly placement: Placement | undefined }[],
): PlanBuffer[] {
  const found = new Set<PlanBuffer>()
  const note = (buffer: PlanBuffer): void => {
    const root = buffer.root.buffer
    if (root.kind === 'arena') found.add(root)
  }
  for (const step of steps) {
    if (step.kind === 'primitive') for (const { placement } of step.arguments) note(placement.buffer)
    else for (const buffer of step.buffers) note(buffer)
  }
  for (const { placement } of outputs) if (placement) note(placement.buffer)
  return [...found]
}
