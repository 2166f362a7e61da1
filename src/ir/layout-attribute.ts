import { LayoutError } from '../tensor/errors.ts'
import { parseLayout, type BlockedLayout, type Layout } from '../tensor/layout.ts'
import type { NodeOptions } from './graph-editor.ts'
import { attributeOf } from './graph-editor.ts'
import type { Node } from './graph.ts'

/** The node kind that copies a tensor into another layout: `layout::reorder[to="nChw16c"](%x)`. */
export const reorderKind = 'layout::reorder'

/** The attributes of a reorder to the layout. */
export function reorderAttributes(layout: Layout): NonNullable<NodeOptions['attributes']> {
  const groups = layout.kind === 'blocked' ? layout.groups : undefined
  return { to: attributeOf(layout.tag), ...(groups !== undefined && { groups: attributeOf(groups) }) }
}

/**
 * The layout that a reorder's attributes name: `to` by its tag, `groups` where the tag has a `g`. Undefined for a layout
 * of a backend, `onednn:…`, which only that backend knows.
 *
 * @throws LayoutError
 */
export function layoutOfReorder(node: Node): BlockedLayout | undefined {
  const tag = node.attribute('to')
  const groups = node.attribute('groups')
  if (typeof tag !== 'string') throw new LayoutError('the layout to reorder to is missing')
  if (groups !== undefined && typeof groups !== 'number') throw new LayoutError('the groups are no number')
  return isOpaqueTag(tag) ? undefined : parseLayout(tag, groups)
}

/** Whether the tag names a layout of a backend. */
export function isOpaqueTag(tag: string): boolean {
  return /^[a-z]\w*:./.test(tag)
}
