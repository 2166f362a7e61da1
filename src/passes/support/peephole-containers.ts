import type { Graph, Node, Value } from '../../ir/graph.ts'
import { Double, type IValue } from '../../ir/ivalue.ts'
import { typesEqual } from '../../ir/type-relations.ts'
import type { PassContext } from '../pass.ts'
import { Aliases } from './aliases.ts'
import { constantInt, constantOf, replaceByConstant } from './constants.ts'
import { applyRules, type PeepholeContext } from './peephole-rule.ts'

/*
 * Lists and dicts that are constructed in sight and never written:
 * torch/csrc/jit/passes/peephole_list_idioms.cpp and peephole_dict_idioms.cpp.
 */

type ContainerRule = (node: Node, construct: Node, cx: PassContext, aliases: Aliases) => boolean
type ContainerRules = Readonly<Record<string, ContainerRule>>

const listRules: ContainerRules = {
  'aten::len': (node, list, cx) =>
    cx.rewrite(node, 'the list is constructed in sight', (edit) =>
      replaceByConstant(edit, node.output(), list.inputs.length),
    ),
  'aten::__getitem__': (node, list, cx) => {
    const index = constantInt(node.input(1))
    const element = index === undefined ? undefined : list.inputs.at(index)
    return element !== undefined && replaceOutput(node, 0, element, cx)
  },
  'prim::ListUnpack': (node, list, cx) => {
    if (list.inputs.length !== node.outputs.length) return false
    return node.outputs.map((_output, i) => replaceOutput(node, i, list.input(i), cx)).includes(true)
  },
  'aten::add': (node, list, cx, aliases) => {
    const other = node.inputs[1]
    if (node.inputs.length !== 2 || other === undefined) return false
    if (other.node.kind !== 'prim::ListConstruct' || aliases.hasValueWriters(other)) return false
    return construct(node, [...list.inputs, ...other.node.inputs], cx, aliases)
  },
  'aten::slice': (node, list, cx, aliases) => {
    const elements = sliced(list.inputs, node.inputs.slice(1).map(constantOf))
    return elements !== undefined && construct(node, elements, cx, aliases)
  },
}

function replaceOutput(
  node: Node,
  i: number,
  value: Value,
  cx: PassContext,
  why = 'the list is constructed in sight',
): boolean {
  return cx.rewrite(node, why, (edit) => edit.replaceAllUses(node.output(i), value))
}

function construct(node: Node, elements: readonly Value[], cx: PassContext, aliases: Aliases): boolean {
  return cx.rewrite(node, 'the list is constructed in sight', (edit) => {
    const list = edit.insert('prim::ListConstruct', elements, {
      outputs: [node.output().type],
      range: node.range,
    })
    aliases.replace(node.output(), list.output())
    edit.replaceAllUses(node.output(), list.output())
  })
}

/** Python's `list[start:end:step]` for constant bounds. */
function sliced(elements: readonly Value[], bounds: readonly (IValue | undefined)[]): Value[] | undefined {
  if (bounds.length !== 3 || bounds.some((bound) => bound !== null && typeof bound !== 'number'))
    return undefined
  const [start, end, step] = bounds as (number | null)[]
  const by = step ?? 1
  if (by <= 0) return undefined
  const clamp = (bound: number): number =>
    Math.min(Math.max(bound < 0 ? bound + elements.length : bound, 0), elements.length)
  const chosen: Value[] = []
  for (let i = clamp(start ?? 0); i < clamp(end ?? elements.length); i += by)
    chosen.push(elements[i] as Value)
  return chosen
}

const inSight = 'the dict is constructed in sight'

const dictRules: ContainerRules = {
  'aten::len': (node, dict, cx) => {
    const entries = constantEntries(dict)
    if (entries === undefined) return false
    return cx.rewrite(node, inSight, (edit) => replaceByConstant(edit, node.output(), entries.size))
  },
  'aten::__getitem__': (node, dict, cx) => {
    const value = constantEntries(dict)?.get(keyOf(constantOf(node.input(1))))
    return value !== undefined && replaceOutput(node, 0, value, cx, inSight)
  },
}

/** What libtorch asks of dicts at run time only. */
const moreDictRules: ContainerRules = {
  ...dictRules,
  'aten::__contains__': (node, dict, cx) => {
    const entries = constantEntries(dict)
    const key = keyOf(constantOf(node.input(1)))
    if (entries === undefined || key === undefined) return false
    return cx.rewrite(node, inSight, (edit) => replaceByConstant(edit, node.output(), entries.has(key)))
  },
  'aten::get': (node, dict, cx) => {
    const value = constantEntries(dict)?.get(keyOf(constantOf(node.input(1))))
    return (
      value !== undefined &&
      typesEqual(value.type, node.output().type) &&
      replaceOutput(node, 0, value, cx, inSight)
    )
  },
  'aten::keys': (node, dict, cx, aliases) =>
    constantEntries(dict) !== undefined && construct(node, everySecond(dict.inputs, 0), cx, aliases),
  'aten::values': (node, dict, cx, aliases) =>
    constantEntries(dict) !== undefined && construct(node, everySecond(dict.inputs, 1), cx, aliases),
}

function everySecond(values: readonly Value[], first: number): Value[] {
  return values.filter((_value, i) => i % 2 === first)
}

/** `dict([(k, v), …])` */
const dictOfTuples: ContainerRule = (node, list, cx) => {
  const pairs = list.inputs.map((input) => input.node)
  const isPair = ({ kind, inputs }: Node): boolean => kind === 'prim::TupleConstruct' && inputs.length === 2
  if (node.inputs.length !== 1 || !pairs.every(isPair)) return false
  return cx.rewrite(node, 'the entries are constructed in sight', (edit) => {
    const entries = pairs.flatMap(({ inputs }) => inputs)
    const dict = edit.insert('prim::DictConstruct', entries, {
      outputs: [node.output().type],
      range: node.range,
    })
    edit.replaceAllUses(node.output(), dict.output())
  })
}

/** The values by key, if all keys are constants that differ. */
function constantEntries(dict: Node): Map<unknown, Value> | undefined {
  const entries = new Map<unknown, Value>()
  for (let i = 0; i + 1 < dict.inputs.length; i += 2) {
    const key = keyOf(constantOf(dict.input(i)))
    if (key === undefined || entries.has(key)) return undefined
    entries.set(key, dict.input(i + 1))
  }
  return entries
}

function keyOf(key: IValue | undefined): unknown {
  if (key instanceof Double) return `float ${key.value}`
  if (typeof key === 'string') return `str ${key}`
  return typeof key === 'number' ? key : undefined
}

/**
 * Applies the rules for containers that nobody writes.
 *
 * @param which `peephole` for those of libtorch's peepholes, of lists and then of dicts; `all` for all of them
 */
export function optimizeContainers(
  graph: Graph,
  context: PeepholeContext,
  which: 'all' | 'peephole',
): boolean {
  const lists = which === 'all' ? { ...listRules, 'aten::dict': dictOfTuples } : listRules
  const dicts = which === 'all' ? moreDictRules : dictRules
  const changed = optimizeKind(graph, context, lists, 'prim::ListConstruct')
  return optimizeKind(graph, context, dicts, 'prim::DictConstruct') || changed
}

function optimizeKind(
  graph: Graph,
  { cx, shapes }: PeepholeContext,
  rules: ContainerRules,
  constructKind: string,
): boolean {
  const aliases = new Aliases(graph, cx)
  const peepholes = Object.entries(rules).map(([kind, rule]) => {
    const peephole = (node: Node): boolean => {
      const container = node.inputs[0]
      if (container?.node.kind !== constructKind || aliases.hasValueWriters(container)) return false
      return rule(node, container.node, cx, aliases)
    }
    return [kind, peephole] as const
  })
  return applyRules(graph, Object.fromEntries(peepholes), { cx, shapes })
}
