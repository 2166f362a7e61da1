import type { Block, Node, Value } from '../ir/graph.ts'
import { unifyTypes } from '../ir/type-relations.ts'
import { dictOf, IntT, listOf, TensorT, type Type } from '../ir/types.ts'
import { assignedNames } from './assigned-names.ts'
import { emitBuiltin } from './emit-call.ts'
import { emitSugared, emitValue, toBool } from './emit-expression.ts'
import type { EmitContext } from './emit-context.ts'
import { emitIsInstance, iterableOf } from './emit-special-form.ts'
import { assign, emitStatements, isMeaningful } from './emit-statement.ts'
import type { Environment } from './environment.ts'
import { valueOf, type Iterable_ } from './sugared-value.ts'
import type { ComprehensionExpr, Expr, ForStmt, IfStmt, Ranged, Stmt, WhileStmt } from './syntax.ts'

/** A condition: its value, and its truth where that is known while compiling. */
interface Condition {
  readonly value: Value
  readonly known: boolean | undefined
}

function emitCondition(cx: EmitContext, expr: Expr): Condition {
  if (expr.kind === 'call' && expr.callee.kind === 'name' && expr.callee.name === 'isinstance') {
    const { value, static: known } = emitIsInstance(cx, expr)
    return { value, known }
  }
  const value = toBool(cx, emitValue(cx, expr), expr)
  const constant = value.node.kind === 'prim::Constant' ? value.node.attribute('value') : undefined
  return { value, known: typeof constant === 'boolean' ? constant : undefined }
}

/**
 * `if`: a `prim::If` whose outputs are the variables that are defined on both ways and assigned on one; of a
 * condition known while compiling, only the branch taken.
 */
export function emitIf(cx: EmitContext, { condition, body, orelse, start, end }: IfStmt): void {
  const { value, known } = emitCondition(cx, condition)
  if (known !== undefined) {
    emitStatements(cx, known ? body : orelse)
    return
  }
  const node = cx.edit.insert('prim::If', [value], { outputs: [], range: cx.range({ start, end }) })
  const branches = [body, orelse].map((statements) =>
    cx.inBlock(cx.edit.addBlock(node), () => emitStatements(cx, statements)),
  ) as [Environment, Environment]
  joinBranches(cx, node, branches)
}

function joinBranches(cx: EmitContext, node: Node, [left, right]: readonly [Environment, Environment]): void {
  const names = new Set([...left.ownNames, ...right.ownNames])
  for (const name of [...names].sort()) {
    const a = left.value(name)
    const b = right.value(name)
    if (a === undefined || b === undefined) continue
    const declared = cx.environment.get(name)?.type
    const wide = declared?.kind === 'Optional' || declared?.kind === 'Union' || declared?.kind === 'Number'
    const type = unifyTypes(a.type, b.type, wide)
    if (type === undefined) continue
    cx.edit.addBlockOutput(left.block, a)
    cx.edit.addBlockOutput(right.block, b)
    bindOutput(cx, name, cx.edit.addOutput(node, type))
  }
}

function bindOutput(cx: EmitContext, name: string, output: Value): void {
  if (isMeaningful(name)) cx.edit.setDebugName(output, name)
  cx.environment.set(name, valueOf(output), cx.environment.get(name)?.type)
}

/** `a if c else b` as a `prim::If` with one output. */
export function emitTernary(
  cx: EmitContext,
  expr: Extract<Expr, { kind: 'conditional' }>,
  hint?: Type,
): Value {
  const { value, known } = emitCondition(cx, expr.condition)
  if (known !== undefined) return emitValue(cx, known ? expr.whenTrue : expr.whenFalse, hint)
  const node = cx.edit.insert('prim::If', [value], { outputs: [], range: cx.range(expr) })
  const types = [expr.whenTrue, expr.whenFalse].map((branch) => emitBranchValue(cx, node, branch, hint))
  const type = unifyTypes(types[0] as Type, types[1] as Type)
  return cx.edit.addOutput(node, type ?? cx.fail('the two values have no common type', expr))
}

function emitBranchValue(cx: EmitContext, node: Node, expr: Expr, hint: Type | undefined): Type {
  let type: Type = TensorT
  const block = cx.edit.addBlock(node)
  cx.inBlock(block, () => {
    const value = emitValue(cx, expr, hint)
    cx.edit.addBlockOutput(block, value)
    ;({ type } = value)
  })
  return type
}

/** `for`: a `prim::Loop` with as many trips as the iterable is long. */
export function emitFor(cx: EmitContext, { target, iterable, body, start, end }: ForStmt): void {
  const items = iterableOf(cx, emitSugared(cx, iterable), iterable)
  const at = { start, end }
  emitLoop(cx, at, body, target, {
    trips: items.length(),
    start: cx.bool(true, at),
    body: (index) => {
      assign(cx, target, items.element(index), target)
      emitStatements(cx, body)
    },
  })
}

/** `while`: a `prim::Loop` without a bound; the condition is computed in front and at the end of the body. */
export function emitWhile(cx: EmitContext, { condition, body, start, end }: WhileStmt): void {
  const at = { start, end }
  const trips = cx.int(9223372036854775807n, at)
  emitLoop(cx, at, body, undefined, {
    trips,
    start: emitCondition(cx, condition).value,
    body: () => emitStatements(cx, body),
    again: () => emitCondition(cx, condition).value,
  })
}

interface LoopParts {
  readonly trips: Value
  readonly start: Value
  body(index: Value): void
  /** The condition for another trip; the start condition when left out. */
  again?(): Value
}

interface Carried {
  readonly name: string
  readonly input: Value
}

/** Variables that the body assigns and that are there before it are carried from trip to trip. */
function emitLoop(
  cx: EmitContext,
  at: Ranged,
  body: readonly Stmt[],
  target: Expr | undefined,
  parts: LoopParts,
): void {
  const node = cx.edit.insert('prim::Loop', [parts.trips, parts.start], { outputs: [], range: cx.range(at) })
  const block = cx.edit.addBlock(node)
  const index = cx.edit.addBlockInput(block, IntT)
  const names = [...assignedNames(body, target)]
    .filter((name) => cx.environment.value(name) !== undefined)
    .sort()
  const carried: Carried[] = []
  const environment = cx.inBlock(block, () => {
    for (const name of names) carried.push(carryIn(cx, node, block, name))
    parts.body(index)
    cx.edit.addBlockOutput(block, parts.again?.() ?? parts.start)
  })
  for (const variable of carried) carryOut(cx, node, environment, variable, at)
}

function carryIn(cx: EmitContext, node: Node, block: Block, name: string): Carried {
  const before = cx.environment.parent?.value(name)
  if (before === undefined) return cx.fail(`'${name}' is not a value`, { start: 0, end: 0 })
  const declared = cx.environment.get(name)?.type
  cx.edit.addInput(node, before)
  const input = cx.edit.addBlockInput(block, declared ?? before.type)
  if (isMeaningful(name)) cx.edit.setDebugName(input, name)
  cx.environment.set(name, valueOf(input), declared)
  return { name, input }
}

function carryOut(
  cx: EmitContext,
  node: Node,
  environment: Environment,
  { name, input }: Carried,
  at: Ranged,
): void {
  const after = environment.value(name)
  if (after === undefined) return cx.fail(`'${name}' is not a value behind the loop`, at)
  const type = unifyTypes(input.type, after.type) ?? cx.fail(`'${name}' changes its type in the loop`, at)
  cx.edit.setType(input, type)
  cx.edit.addBlockOutput(environment.block, after)
  bindOutput(cx, name, cx.edit.addOutput(node, type))
}

/** `[f(x) for x in xs]`: a loop that appends to a list, or fills a dict. */
export function emitComprehension(cx: EmitContext, expr: ComprehensionExpr, hint?: Type): Value {
  const items = iterableOf(cx, emitSugared(cx, expr.iterable), expr.iterable)
  const result = emptyResult(cx, expr, hint)
  const trips = items.length()
  emitLoop(cx, expr, [], undefined, {
    trips,
    start: cx.bool(true, expr),
    body: (index) => addItem(cx, expr, result, items, index),
  })
  return result
}

function emptyResult(cx: EmitContext, expr: ComprehensionExpr, hint: Type | undefined): Value {
  const kind = expr.kind === 'list-comprehension' ? 'prim::ListConstruct' : 'prim::DictConstruct'
  const fallback = expr.kind === 'list-comprehension' ? listOf(TensorT) : dictOf({ kind: 'String' }, TensorT)
  return cx.edit.insert(kind, [], { outputs: [hint ?? fallback], range: cx.range(expr) }).output()
}

function addItem(
  cx: EmitContext,
  expr: ComprehensionExpr,
  result: Value,
  items: Iterable_,
  index: Value,
): void {
  assign(cx, expr.target, items.element(index), expr.target)
  const key = expr.key && emitValue(cx, expr.key)
  const element = emitValue(cx, expr.element)
  // The first element tells the type of a list that nothing else told.
  if (result.type.kind === 'List' && result.uses.length === 0) cx.edit.setType(result, listOf(element.type))
  const [name, args] = key ? ['aten::_set_item', [result, key, element]] : ['aten::append', [result, element]]
  emitBuiltin(cx, name, { args: args, kwargs: [] }, expr)
}
