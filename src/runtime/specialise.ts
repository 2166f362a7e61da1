import { GraphEditor } from '../ir/graph-editor.ts'
import { Graph, type Node, type Value } from '../ir/graph.ts'
import { Dict, List, type IValue } from '../ir/ivalue.ts'
import { schemaKey, type FunctionSchema } from '../ir/schema.ts'
import { typeOfTensor, typeOfValue } from '../ir/type-of-value.ts'
import { listOf, TensorT } from '../ir/types.ts'
import { findOperator } from '../ops/index.ts'
import type { Operator } from '../ops/operator.ts'
import { schemaOfNode } from '../ops/schema-table.ts'
import { MetaStorageError, type Storage } from '../tensor/storage.ts'
import { Tensor } from '../tensor/tensor.ts'
import { compileProgram } from './compile.ts'
import { attempt, DataDependentError, forbidden } from './data-dependence.ts'
import { takeApart, type Decomposes } from './take-apart.ts'
import { createEnvironment, type Environment, type Limits } from './environment.ts'
import { Machine } from './machine.ts'
import { functionalTwin } from './functional-twin.ts'
import { ruleOf } from './node-rules.ts'
import type { Evaluate } from './program.ts'
import { replaceTensors, tensorsIn } from './value-tensors.ts'

/** A graph for one kind of inputs: no control flow, every tensor's dtype, sizes and strides known. */
export interface SpecialisedGraph {
  /** Takes the tensors within the arguments, in their order, and gives `outputs`' tensors, in theirs, each once. */
  readonly graph: Graph
  /** The arguments, with stand-ins for their tensors. */
  readonly inputs: readonly IValue[]
  /** The original outputs; their tensors are stand-ins or constants. */
  readonly outputs: readonly IValue[]
  /** The stand-in of each value: tensors over one storage share memory. */
  readonly tensors: ReadonlyMap<Value, Tensor>
  /** Which output of `graph` a stand-in is; constants are not here. */
  readonly outputOf: ReadonlyMap<Tensor, number>
}

export interface SpecialiseOptions {
  readonly warn?: (message: string) => void
  readonly limits?: Limits
  readonly decomposes?: Decomposes
}

const mostNodes = 50_000

/**
 * Specialises a graph to the dtypes, sizes and strides of the tensors within `args`, and to the content of everything
 * else: the graph is run on tensors without elements, and every step that would compute one is written down. Branches
 * are decided, loops unrolled, lists and tuples taken apart; where an in-place operator's tensor has no other view it
 * becomes the functional one.
 *
 * @param options.warn gets what the model warns of, now and not at every run
 * @param options.limits of the run on tensors without elements: a loop that computes no tensor may have no end
 * @param options.decomposes which operators are written down as the simpler ones that they are made of; none when left out
 * @throws DataDependentError naming the first node whose result depends on elements, draws random numbers, or writes
 * to something that others see; what the model itself raises for such shapes passes through
 */
export function specialise(
  graph: Graph,
  args: readonly IValue[],
  options: SpecialiseOptions = {},
): SpecialisedGraph {
  return new Specialiser(args, options).run(graph, args)
}

class Specialiser {
  readonly #graph = new Graph()
  readonly #edit = new GraphEditor(this.#graph)
  readonly #values = new Map<Tensor, Value>()
  readonly #tensors = new Map<Value, Tensor>()
  /** Stand-ins by the memory that they would share. */
  readonly #views = new Map<Storage, Set<Tensor>>()
  /** Memory that the caller sees. */
  readonly #foreign = new Set<Storage>()
  readonly #foreignContainers = new Set<IValue>()
  readonly #constants = new Map<string, Value>()
  #emitted = 0
  readonly #environment: Environment
  readonly #decomposes: Decomposes

  constructor(args: readonly IValue[], options: SpecialiseOptions) {
    const { warn = () => undefined, limits = {}, decomposes = () => false } = options
    this.#decomposes = decomposes
    this.#environment = {
      ...createEnvironment({ warn, limits }),
      random: () => {
        throw new MetaStorageError('a random number was drawn')
      },
    }
    for (const arg of args) this.#noteContainers(arg)
  }

  run(graph: Graph, args: readonly IValue[]): SpecialisedGraph {
    const standIns = args.map((arg) => replaceTensors(arg, (tensor) => this.#input(tensor)))
    for (const arg of standIns) this.#noteContainers(arg)
    const program = compileProgram(graph, (node) => this.#rule(node))
    const machine = new Machine(this.#environment)
    const outputs = machine.runProgram(program, standIns)
    const outputOf = new Map<Tensor, number>()
    for (const output of outputs)
      for (const tensor of tensorsIn(output))
        if (tensor.isMeta && !outputOf.has(tensor)) {
          outputOf.set(tensor, outputOf.size)
          this.#edit.addBlockOutput(this.#graph.block, this.#valueOf(tensor))
        }
    return { graph: this.#graph, inputs: standIns, outputs, outputOf, tensors: this.#tensors }
  }

  #noteContainers(value: IValue): void {
    if (!(value instanceof List || value instanceof Dict)) return
    this.#foreignContainers.add(value)
    const items = value instanceof List ? value.elements : [...value.entries()].map(([, item]) => item)
    for (const item of items) this.#noteContainers(item)
  }

  #input(tensor: Tensor): Tensor {
    const standIn = Tensor.meta(tensor.dtype, tensor.sizes, tensor.strides)
    this.#foreign.add(standIn.storage)
    this.#know(standIn, this.#edit.addBlockInput(this.#graph.block, typeOfTensor(standIn)))
    return standIn
  }

  #know(tensor: Tensor, value: Value): void {
    this.#values.set(tensor, value)
    this.#tensors.set(value, tensor)
    const views = this.#views.get(tensor.storage) ?? new Set<Tensor>()
    this.#views.set(tensor.storage, views.add(tensor))
  }

  #rule(node: Node): Evaluate {
    const evaluate = ruleOf(node)
    const schema = schemaOfNode(node)
    const operator = schema && findOperator(schemaKey(schema))
    const reason = forbidden(node, operator)
    return (args, machine) => {
      if (reason !== undefined) throw new DataDependentError(node, reason)
      this.#checkWrites(node, schema, args)
      const results = attempt(node, () => evaluate(args, machine))
      const whole =
        operator?.decompose && this.#decomposes(operator, args)
          ? this.#takeApart(node, operator, args, results)
          : undefined
      if (whole) return [whole]
      this.#record(node, node.kind, schema, args, results)
      return results
    }
  }

  #takeApart(
    node: Node,
    operator: Operator,
    args: readonly IValue[],
    [result]: readonly IValue[],
  ): Tensor | undefined {
    if (!(result instanceof Tensor) || !result.isMeta) return undefined
    return takeApart(operator, args, result, (part, values) => {
      const results = attempt(node, () => part.evaluate(values, this.#environment))
      this.#record(node, part.schema.name, part.schema, values, results)
      return results[0] as Tensor
    })
  }

  /** Containers from outside, and constants that the graph already uses, must stay as they are. */
  #checkWrites(node: Node, schema: FunctionSchema | undefined, args: readonly IValue[]): void {
    for (const target of writtenBy(schema, args)) {
      if (this.#foreignContainers.has(target))
        throw new DataDependentError(node, 'it writes to a container from outside')
      if (target instanceof Tensor && this.#foreign.has(target.storage))
        throw new DataDependentError(node, 'it writes to a tensor from outside')
      if (target instanceof Tensor && !target.isMeta && this.#values.has(target))
        throw new DataDependentError(node, 'it writes to a constant')
    }
  }

  #record(
    node: Node,
    kind: string,
    schema: FunctionSchema | undefined,
    args: readonly IValue[],
    results: readonly IValue[],
  ): void {
    const written = writtenBy(schema, args).filter((target) => target instanceof Tensor && target.isMeta)
    if (written.length > 0)
      this.#recordWrite(node, schema as FunctionSchema, args, results, written as Tensor[])
    else if (results.some((result) => this.#isNew(result))) this.#emit(node, kind, args, results)
  }

  #isNew(result: IValue): boolean {
    for (const tensor of tensorsIn(result)) if (tensor.isMeta && !this.#values.has(tensor)) return true
    return false
  }

  #recordWrite(
    node: Node,
    schema: FunctionSchema,
    args: readonly IValue[],
    results: readonly IValue[],
    written: readonly Tensor[],
  ): void {
    const [target] = written as [Tensor]
    const isAlone = this.#views.get(target.storage)?.size === 1 && args[0] === target
    const twin =
      isAlone && written.length === 1 && results[0] === target
        ? functionalTwin(schema, args, target, this.#environment)
        : undefined
    if (twin === undefined) {
      this.#emit(node, node.kind, args, results)
      return
    }
    const output = this.#insert(node, twin, args, [typeOfTensor(target)])[0] as Value
    // Views to come are of the new value: the old one, which may live on, gets memory of its own.
    const old = this.#values.get(target) as Value
    this.#tensors.set(old, Tensor.meta(target.dtype, target.sizes, target.strides))
    this.#values.set(target, output)
    this.#tensors.set(output, target)
  }

  #emit(node: Node, kind: string, args: readonly IValue[], results: readonly IValue[]): void {
    const types = results.map((result) =>
      result instanceof Tensor
        ? typeOfTensor(result)
        : result instanceof List
          ? listOf(TensorT)
          : typeOfValue(result),
    )
    const outputs = this.#insert(node, kind, args, types)
    results.forEach((result, i) => this.#knowResult(node, result, outputs[i] as Value))
  }

  #knowResult(node: Node, result: IValue, value: Value): void {
    if (result instanceof Tensor) {
      if (result.isMeta && !this.#values.has(result)) this.#know(result, value)
    } else if (result instanceof List) {
      const tensors = result.elements.filter((element) => element instanceof Tensor)
      if (tensors.length !== result.elements.length)
        throw new DataDependentError(node, 'it gives a list within a list')
      const unpack = this.#edit.insert('prim::ListUnpack', [value], {
        outputs: tensors.map(typeOfTensor),
        range: node.range,
      })
      tensors.forEach((tensor, i) => this.#know(tensor, unpack.output(i)))
    } else if (this.#isNew(result)) throw new DataDependentError(node, 'it gives tensors in a container')
  }

  #insert(
    node: Node,
    kind: string,
    args: readonly IValue[],
    outputs: readonly Value['type'][],
  ): readonly Value[] {
    if (++this.#emitted > mostNodes) throw new DataDependentError(node, 'the unrolled graph is too large')
    const inputs = args.map((arg) => this.#valueOf(arg))
    const inserted = this.#edit.insert(kind, inputs, {
      outputs,
      attributes: Object.fromEntries(node.attributes),
      range: node.range,
    })
    return inserted.outputs
  }

  #valueOf(value: IValue): Value {
    if (value instanceof Tensor) return this.#valueOfTensor(value)
    if (value instanceof List && value.elements.some((element) => element instanceof Tensor))
      return this.#edit
        .insert(
          'prim::ListConstruct',
          value.elements.map((element) => this.#valueOf(element)),
          { outputs: [listOf(value.elementType)] },
        )
        .output()
    const key = keyOf(value)
    const known = key === undefined ? undefined : this.#constants.get(key)
    if (known) return known
    const constant = this.#constant(value)
    if (key !== undefined) this.#constants.set(key, constant)
    return constant
  }

  #valueOfTensor(tensor: Tensor): Value {
    const known = this.#values.get(tensor)
    if (known) return known
    const constant = this.#constant(tensor.detach())
    this.#values.set(tensor, constant)
    return constant
  }

  /** Constants come first, so that what follows can be moved freely. */
  #constant(value: IValue): Value {
    const first = this.#graph.block.returnNode.next
    return this.#edit.at(first, () => this.#edit.insertConstant(value, typeOfValue(value)))
  }
}

function keyOf(value: IValue): string | undefined {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' ? JSON.stringify(value) : undefined
}

function writtenBy(schema: FunctionSchema | undefined, args: readonly IValue[]): IValue[] {
  return schema === undefined ? [] : args.filter((_, i) => schema.arguments[i]?.alias?.isWrite === true)
}
