import { PermafrostError } from '../../errors.ts'
import type { AliasDatabase } from '../../ir/alias-database.ts'
import type { Node, Value } from '../../ir/graph.ts'
import { isOpaqueTag, layoutOfReorder, reorderKind } from '../../ir/layout-attribute.ts'
import { stridesOf, type BlockedLayout } from '../../tensor/layout.ts'
import type { ExpressionRules } from './expression-webs.ts'

/** What there is to know about `layout::reorder`: one of another is one, and one to the layout that is there is none. */
export function reorderRules(aliases: AliasDatabase): Required<ExpressionRules> {
  const isReorder = (node: Node): boolean => node.kind === reorderKind
  return {
    isCandidate: isReorder,
    simplerOperand(_reorder, operand) {
      // What a backend makes of a tensor may not be the same elements: a transformed weight.
      if (!isReorder(operand.node) || isOpaqueTag(tagOf(operand.node)) || aliases.hasWriters(operand))
        return undefined
      const inner = operand.node.input()
      return aliases.hasWriters(inner) ? undefined : inner
    },
    knownResult(reorder, operand) {
      return liesAs(operand, reorder) && !aliases.hasWriters(operand) ? operand : undefined
    },
  }
}

/** Whether the value is known to lie as the reorder makes it. */
function liesAs(value: Value, reorder: Node): boolean {
  if (value.node.kind === reorderKind && hasSameTarget(value.node, reorder)) return true
  const { type } = value
  const tag = tagOf(reorder)
  if (type.kind !== 'Tensor') return false
  if (isOpaqueTag(tag)) return type.layout?.kind === 'opaque' && type.layout.tag === tag
  if (type.layout === undefined && type.strides === undefined) return false
  const layout = namedLayout(reorder)
  if (layout === undefined) return false
  if (type.layout) return layout.equals(type.layout)
  if (type.sizes?.length !== layout.rank) return false
  return liesInStrides(type.sizes, type.strides, (sizes) => stridesOf(layout, sizes))
}

function tagOf(reorder: Node): string {
  const tag = reorder.attribute('to')
  return typeof tag === 'string' ? tag : ''
}

/** Undefined for attributes that name none: that is an error when the node is run. */
function namedLayout(reorder: Node): BlockedLayout | undefined {
  try {
    return layoutOfReorder(reorder)
  } catch (error) {
    if (error instanceof PermafrostError) return undefined
    throw error
  }
}

function hasSameTarget(a: Node, b: Node): boolean {
  return a.attribute('to') === b.attribute('to') && a.attribute('groups') === b.attribute('groups')
}

function liesInStrides(
  sizes: readonly (number | null)[] | undefined,
  strides: readonly (number | null)[] | undefined,
  expected: (sizes: readonly number[]) => readonly number[] | undefined,
): boolean {
  if (!isKnown(sizes) || !isKnown(strides)) return false
  const wanted = expected(sizes)
  return wanted?.length === strides.length && wanted.every((stride, i) => stride === strides[i])
}

function isKnown(numbers: readonly (number | null)[] | undefined): numbers is readonly number[] {
  return numbers?.every((number) => number !== null) === true
}
