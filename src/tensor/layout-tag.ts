import { LayoutError } from './errors.ts'

/** One level of inner blocks: `size` consecutive indices of `axis` lie together. */
export interface LayoutBlock {
  readonly axis: number
  readonly size: number
}

/** Which letters name the axes. */
export type LayoutRole = 'activation' | 'weight' | 'grouped weight' | 'abstract'

export interface ParsedTag {
  readonly role: LayoutRole
  readonly order: readonly number[]
  readonly blocks: readonly LayoutBlock[]
}

/** As oneDNN's `DNNL_MAX_NDIMS`. */
const maxAxes = 12
/** Of one axis, all its blocks multiplied. */
const maxBlock = 1024
/** Of all axes. */
const maxBlockElements = 65536

const spatial = ['', 'w', 'hw', 'dhw']

/** Letters of the axes in their logical order. */
function lettersOf(role: LayoutRole, rank: number): string | undefined {
  if (role === 'abstract') return rank >= 1 && rank <= maxAxes ? 'abcdefghijkl'.slice(0, rank) : undefined
  const leading = { activation: 'nc', weight: 'oi', 'grouped weight': 'goi' }[role]
  const rest = spatial[rank - leading.length]
  return rest === undefined ? undefined : leading + rest
}

/**
 * oneDNN's name of a layout: the axes' letters, slowest first, capital where an axis is blocked, then the inner blocks,
 * outermost first (`dnnl_format_tag_t`, oneDNN developer guide "Memory formats").
 *
 * @throws LayoutError when `order` is no permutation, a block is out of bounds, or the role has no letters for the rank
 */
export function formatTag({ role, order, blocks }: ParsedTag): string {
  const letters = lettersOf(role, order.length)
  if (letters === undefined)
    throw new LayoutError(`there are no letters for a ${role} of ${order.length} axes`)
  checkBlocks(order, blocks)
  const blocked = new Set(blocks.map((block) => block.axis))
  const letterOf = (axis: number): string => letters.charAt(axis)
  const outer = order.map((axis) => (blocked.has(axis) ? letterOf(axis).toUpperCase() : letterOf(axis)))
  return outer.join('') + blocks.map(({ axis, size }) => `${size}${letterOf(axis)}`).join('')
}

function checkBlocks(order: readonly number[], blocks: readonly LayoutBlock[]): void {
  const isPermutation = order.every((_, axis) => order.includes(axis))
  if (!isPermutation) throw new LayoutError(`[${order.join(', ')}] is no order of ${order.length} axes`)
  const products = order.map(() => 1)
  for (const { axis, size } of blocks) {
    const product = (products[axis] ?? NaN) * size
    if (!Number.isInteger(size) || size < 2 || !(product <= maxBlock))
      throw new LayoutError(
        `blocks of ${size} on axis ${axis} of ${order.length}`,
        {},
        `blocks are of 2 to ${maxBlock}, also when those of one axis are multiplied`,
      )
    products[axis] = product
  }
  const elements = products.reduce((a, b) => a * b, 1)
  if (elements > maxBlockElements)
    throw new LayoutError(`blocks of ${elements} elements`, {}, `at most ${maxBlockElements} are possible`)
}

/**
 * Reads a tag: `nChw16c`, `OIhw4i16o4i`, `gOIhw16i16o`, `acdb`. The letters tell the role; `n` makes an activation,
 * `g` or `o` a weight, the first letters of the alphabet an abstract layout.
 *
 * @throws LayoutError
 */
export function parseTag(tag: string): ParsedTag {
  const [, outer, inner] =
    /^([A-Za-z]{1,12})((?:\d{1,4}[a-z]){0,12})$/.exec(tag) ?? badTag(tag, 'it has not that form')
  const names = [...(outer as string).toLowerCase()]
  const { role, letters } = roleOf(names) ?? badTag(tag, `its letters name no axes`)
  const blocks = [...(inner as string).matchAll(/(\d+)([a-z])/g)].map(([, size, letter]) => ({
    axis: letters.indexOf(letter as string),
    size: Number(size),
  }))
  const parsed = { role, order: names.map((letter) => letters.indexOf(letter)), blocks }
  if (blocks.some(({ axis }) => axis === -1)) badTag(tag, 'a block is of an axis that it has not')
  const canonical = formatTag(parsed)
  return canonical === tag ? parsed : badTag(tag, `it would be written ${canonical}`)
}

function roleOf(names: readonly string[]): { role: LayoutRole; letters: string } | undefined {
  const sorted = [...names].sort().join()
  for (const role of ['activation', 'weight', 'grouped weight', 'abstract'] as const) {
    const letters = lettersOf(role, names.length)
    if (letters !== undefined && [...letters].sort().join() === sorted) return { role, letters }
  }
  return undefined
}

function badTag(tag: string, why: string): never {
  const shown = tag.length > 40 ? `${tag.slice(0, 40)}…` : tag
  throw new LayoutError(
    `'${shown}' names no layout: ${why}`,
    {},
    'write the axes slowest first, capital where blocked, then the blocks: nChw16c, OIhw16i16o, Goihw8g, acdb',
  )
}
