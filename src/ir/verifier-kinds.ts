import { LayoutError } from '../tensor/errors.ts'
import type { BlockedLayout } from '../tensor/layout.ts'
import { GraphFunction } from './graph-function.ts'
import type { Block, Node, Value } from './graph.ts'
import { printConstant } from './constant-printer.ts'
import { isSubtype } from './type-relations.ts'
import { printType } from './type-printer.ts'
import { layoutOfReorder, reorderKind } from './layout-attribute.ts'
import { TensorT, type Type } from './types.ts'
import { isOfType } from './verifier-types.ts'

type Rule = (node: Node) => Iterable<string>

/** What is wrong with a node by its kind: numbers and types of inputs, outputs and blocks, attributes. */
export function* kindFaults(node: Node): Generator<string, void, undefined> {
  const rule = rules[node.kind]
  if (rule !== undefined) yield* rule(node)
  const { schema } = node
  if (schema === undefined) return
  if (!schema.isVararg) yield* counts(node.inputs.length, schema.arguments.length, 'inputs')
  if (!schema.isVarret) yield* counts(node.outputs.length, schema.returns.length, 'outputs')
}

const rules: Readonly<Record<string, Rule>> = {
  'prim::Constant': checkConstant,
  'prim::If': checkIf,
  'prim::Loop': checkLoop,
  'prim::ListConstruct': checkListConstruct,
  'prim::DictConstruct': checkDictConstruct,
  'prim::TupleConstruct': checkTupleConstruct,
  'prim::TupleUnpack': checkTupleUnpack,
  'prim::ListUnpack': checkListUnpack,
  'prim::GetAttr': (node) => checkAttribute(node, 1, 1),
  'prim::SetAttr': (node) => checkAttribute(node, 2, 0),
  [reorderKind]: checkReorder,
  'prim::Param': () => ['the node may stand for inputs only, not in the list'],
  'prim::Return': () => ['the node may stand for outputs only, not in the list'],
}

function* counts(actual: number, expected: number, what: string): Generator<string, void, undefined> {
  if (actual !== expected) yield `expected ${expected} ${what}, not ${actual}`
}

function* hasType(
  value: Value | undefined,
  expected: Type,
  what: string,
): Generator<string, void, undefined> {
  if (value !== undefined && !isSubtype(value.type, expected))
    yield `${what} %${value.debugName} is of type ${printType(value.type)}, not ${printType(expected)}`
}

/** Values flow one to one to places of given types. */
function* flow(
  values: readonly Value[],
  places: readonly Value[],
  what: string,
): Generator<string, void, undefined> {
  for (const [i, place] of places.entries())
    yield* hasType(values[i], place.type, `${what} for %${place.debugName}:`)
}

function* checkConstant(node: Node): Generator<string, void, undefined> {
  yield* counts(node.inputs.length, 0, 'inputs')
  yield* counts(node.outputs.length, 1, 'outputs')
  const [output] = node.outputs
  if (output === undefined) return
  const value = node.attribute('value')
  if (value === undefined && node.attributes.has('name') && output.type.kind === 'Function') return
  if (!isOfType(value ?? null, output.type)) {
    const text = value instanceof GraphFunction ? 'a function' : printConstant(value ?? null, 'elided')
    yield `${text.slice(0, 60)} is no value of type ${printType(output.type)}`
  }
}

function* checkIf(node: Node): Generator<string, void, undefined> {
  yield* counts(node.inputs.length, 1, 'inputs')
  yield* hasType(node.inputs[0], { kind: 'Bool' }, 'the condition')
  yield* counts(node.blocks.length, 2, 'blocks')
  for (const [i, block] of node.blocks.entries()) {
    yield* counts(block.inputs.length, 0, `inputs of block${i}`)
    yield* counts(block.outputs.length, node.outputs.length, `outputs of block${i}`)
    yield* flow(block.outputs, node.outputs, `output of block${i}`)
  }
}

/** `%out = prim::Loop(%maxTrips, %enter, %carried)` with `block0(%trip, %carried): -> (%again, %carried)`. */
function* checkLoop(node: Node): Generator<string, void, undefined> {
  const carried = node.outputs.length
  yield* counts(node.inputs.length, carried + 2, 'inputs')
  yield* hasType(node.inputs[0], { kind: 'Int' }, 'the number of trips')
  yield* hasType(node.inputs[1], { kind: 'Bool' }, 'the condition')
  yield* counts(node.blocks.length, 1, 'blocks')
  const [body] = node.blocks
  if (body !== undefined) yield* checkLoopBody(node, body, carried)
}

function* checkLoopBody(node: Node, body: Block, carried: number): Generator<string, void, undefined> {
  yield* counts(body.inputs.length, carried + 1, 'inputs of block0')
  yield* counts(body.outputs.length, carried + 1, 'outputs of block0')
  yield* hasType(body.inputs[0], { kind: 'Int' }, 'the trip')
  yield* hasType(body.outputs[0], { kind: 'Bool' }, 'the condition')
  yield* flow(node.inputs.slice(2), body.inputs.slice(1), 'input')
  yield* flow(body.outputs.slice(1), body.inputs.slice(1), 'output of block0')
  yield* flow(body.outputs.slice(1), node.outputs, 'output of block0')
}

function* checkListConstruct(node: Node): Generator<string, void, undefined> {
  yield* counts(node.outputs.length, 1, 'outputs')
  const type = node.outputs[0]?.type
  if (type === undefined) return
  if (type.kind !== 'List') yield `the output is of type ${printType(type)}, not a list`
  else for (const input of node.inputs) yield* hasType(input, type.element, 'the element')
}

function* checkDictConstruct(node: Node): Generator<string, void, undefined> {
  yield* counts(node.outputs.length, 1, 'outputs')
  const type = node.outputs[0]?.type
  if (type === undefined) return
  if (type.kind !== 'Dict') yield `the output is of type ${printType(type)}, not a dictionary`
  else if (node.inputs.length % 2 === 1) yield 'keys and values do not pair up'
  else
    for (const [i, input] of node.inputs.entries())
      yield* i % 2 === 0 ? hasType(input, type.key, 'the key') : hasType(input, type.value, 'the value')
}

function* checkTupleConstruct(node: Node): Generator<string, void, undefined> {
  yield* counts(node.outputs.length, 1, 'outputs')
  const type = node.outputs[0]?.type
  if (type === undefined) return
  if (type.kind !== 'Tuple') return yield `the output is of type ${printType(type)}, not a tuple`
  yield* counts(node.inputs.length, type.elements.length, 'inputs')
  for (const [i, element] of type.elements.entries()) yield* hasType(node.inputs[i], element, 'the element')
}

function* checkTupleUnpack(node: Node): Generator<string, void, undefined> {
  yield* counts(node.inputs.length, 1, 'inputs')
  const type = node.inputs[0]?.type
  if (type === undefined) return
  if (type.kind !== 'Tuple') return yield `the input is of type ${printType(type)}, not a tuple`
  yield* counts(node.outputs.length, type.elements.length, 'outputs')
}

function* checkListUnpack(node: Node): Generator<string, void, undefined> {
  yield* counts(node.inputs.length, 1, 'inputs')
  const type = node.inputs[0]?.type
  if (type !== undefined && type.kind !== 'List') yield `the input is of type ${printType(type)}, not a list`
}

function* checkReorder(node: Node): Generator<string, void, undefined> {
  yield* counts(node.inputs.length, 1, 'inputs')
  yield* counts(node.outputs.length, 1, 'outputs')
  yield* hasType(node.inputs[0], TensorT, 'the input')
  const type = node.outputs[0]?.type
  if (type !== undefined && type.kind !== 'Tensor')
    yield `the output is of type ${printType(type)}, not Tensor`
  const stated = type?.kind === 'Tensor' ? type.layout : undefined
  try {
    const layout = layoutOfReorder(node)
    if (stated !== undefined && layout?.equals(stated) === false)
      yield `the output lies as ${stated.tag}, not as ${layout.tag}`
    if (layout) for (const value of [...node.inputs, ...node.outputs]) checkSizes(value, layout)
  } catch (error) {
    if (!(error instanceof LayoutError)) throw error
    yield error.found
  }
}

/** @throws LayoutError for a tensor that is known not to fit the layout */
function checkSizes({ type }: Value, layout: BlockedLayout): void {
  if (type.kind !== 'Tensor' || type.sizes === undefined) return
  layout.logicalSizes(type.sizes.map((size) => size ?? layout.groups ?? 1))
}

function* checkAttribute(node: Node, inputs: number, outputs: number): Generator<string, void, undefined> {
  yield* counts(node.inputs.length, inputs, 'inputs')
  yield* counts(node.outputs.length, outputs, 'outputs')
  if (typeof node.attribute('name') !== 'string') yield 'the name of the attribute is missing'
}
