import type { Graph, Node, Value } from '../../ir/graph.ts'
import { Double, type IValue } from '../../ir/ivalue.ts'
import type { PassContext } from '../pass.ts'
import { Aliases } from './aliases.ts'
import { constantInt, constantOf, replaceByConstant } from './constants.ts'
import { applyRules, type PeepholeContext } from './peephole-rule.ts'

/*
 * Lists and dicts that are constructed in sight and never written:
 * torch/csrc/jit/passes/peephole_list_idioms.cpp and peephole_dict_idioms.cpp.
 */

type ContainerRule = (node: Node, construct: Node, cx: PassContext, aliases: Aliases) => boolean

const listRules: Readonly<Record<string, ContainerRule>> = {
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

function replaceOutput(node: Node, i: number, value: Value, cx: PassContext): boolean {
  return cx.rewrite(node, 'the list is constructed in sight', (edit) =>
    edit.replaceAllUses(node.output(i), value),
  )
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

const dictRules: Readonly<Record<string, ContainerRule>> = {
  'aten::len': (node, dict, cx) => {
    const entries = constantEntries(dict)
    if (entries === undefined) return false
    return cx.rewrite(node, 'the dict is constructed in sight', (edit) =>
      replaceByConstant(edit, node.output(), entries.size),
    )
  },
  'aten::__getitem__': (node, dict, cx) => {
    const value = constantEntries(dict)?.get(keyOf(constantOf(node.input(1))))
    return (
      value !== undefined &&
      cx.rewrite(node, 'the dict is constructed in sight', (edit) =>
        edit.replaceAllUses(node.output(), value),
      )
    )
  },
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

function optimizeContainers(
  graph: Graph,
  { cx, shapes }: PeepholeContext,
  rules: Readonly<Record<string, ContainerRule>>,
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

export function optimizeLists(graph: Graph, context: PeepholeContext): boolean {
  return optimizeContainers(graph, context, listRules, 'prim::ListConstruct')
}

export function optimizeDicts(graph: Graph, context: PeepholeContext): boolean {
  return optimizeContainers(graph, context, dictRules, 'prim::DictConstruct')
}
