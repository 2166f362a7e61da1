import type { Attribute, Node, Value } from '../../ir/graph.ts'
import { Complex, Device, Dict, Double, EnumValue, List, Tuple, type IValue } from '../../ir/ivalue.ts'
import { typesEqual } from '../../ir/type-relations.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { offsetsOf } from './fold-tensors.ts'

/**
 * Whether two nodes compute the same from the same inputs: kind, output types, inputs and attributes agree
 * (`EqualNode`, torch/csrc/jit/ir/node_hashing.cpp). Nodes with subgraphs never do.
 */
export function nodesEqual(a: Node, b: Node): boolean {
  return (
    a.kind === b.kind &&
    sameValues(a.inputs, b.inputs) &&
    sameTypes(a.outputs, b.outputs) &&
    sameAttributes(a.attributes, b.attributes)
  )
}

function sameValues(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i])
}

function sameTypes(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((value, i) => typesEqual(value.type, (b[i] as Value).type))
}

function sameAttributes(a: ReadonlyMap<string, Attribute>, b: ReadonlyMap<string, Attribute>): boolean {
  if (a.size !== b.size) return false
  for (const [name, attribute] of a) {
    const other = b.get(name)
    if (other === undefined || !attributesEqual(attribute, other)) return false
  }
  return true
}

function attributesEqual(a: Attribute, b: Attribute): boolean {
  if (a.kind === 'value') return b.kind === 'value' && valuesEqual(a.value, b.value)
  if (a.kind === 'graph' || b.kind !== 'types') return false
  return a.types.length === b.types.length && a.types.every((type, i) => typesEqual(type, b.types[i] ?? type))
}

/** Whether two constants are interchangeable, type and content. */
export function valuesEqual(a: IValue, b: IValue): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (a instanceof Double) return b instanceof Double && a.value === b.value && Object.is(a.value, b.value)
  if (a instanceof Tensor) return b instanceof Tensor && tensorsEqual(a, b)
  if (a instanceof List) return b instanceof List && listsEqual(a.elements, b.elements)
  if (a instanceof Tuple) return b instanceof Tuple && listsEqual(a.elements, b.elements)
  if (a instanceof Dict) return b instanceof Dict && dictsEqual(a, b)
  if (a instanceof Complex) return b instanceof Complex && a.real === b.real && a.imag === b.imag
  if (a instanceof Device) return b instanceof Device && String(a) === String(b)
  return a instanceof EnumValue && b instanceof EnumValue && a.type.name === b.type.name && a.name === b.name
}

function listsEqual(a: readonly IValue[], b: readonly IValue[]): boolean {
  return a.length === b.length && a.every((item, i) => valuesEqual(item, b[i] ?? null))
}

function dictsEqual(a: Dict, b: Dict): boolean {
  const flat = (dict: Dict): IValue[] => [...dict.entries()].flat()
  return a.size === b.size && listsEqual(flat(a), flat(b))
}

function tensorsEqual(a: Tensor, b: Tensor): boolean {
  if (a.dtype !== b.dtype || a.requiresGrad !== b.requiresGrad) return false
  if (a.quantizer !== undefined || b.quantizer !== undefined) return false
  if (a.sizes.length !== b.sizes.length || a.sizes.some((size, i) => size !== b.sizes[i])) return false
  if (a.layout !== undefined || b.layout !== undefined) return sameLayout(a, b) && sameBytes(a, b)
  if (a.strides.some((stride, i) => stride !== b.strides[i])) return false
  if (a.storage === b.storage && a.storageOffset === b.storageOffset) return true
  return sameElements(a, b)
}

function sameLayout(a: Tensor, b: Tensor): boolean {
  return a.layout !== undefined && b.layout !== undefined && a.layout.equals(b.layout)
}

function sameBytes({ storage: a }: Tensor, { storage: b }: Tensor): boolean {
  return a === b || (a.byteLength === b.byteLength && a.bytes.every((byte, i) => byte === b.bytes[i]))
}

/** Bit by bit where it matters: 0 and -0 differ. */
function sameElements(a: Tensor, b: Tensor): boolean {
  const shift = b.storageOffset - a.storageOffset
  const width = a.dtype.startsWith('complex') ? 2 : 1
  const [left, right] = [a.data, b.data]
  const same = (offset: number): boolean => {
    for (let i = offset * width; i < (offset + 1) * width; i++)
      if (!Object.is(left[i], right[i + shift * width])) return false
    return true
  }
  if (!a.isContiguous) return everyOffset(a, same)
  for (let i = 0; i < a.numel; i++) if (!same(a.storageOffset + i)) return false
  return true
}

function everyOffset(tensor: Tensor, test: (offset: number) => boolean): boolean {
  for (const offset of offsetsOf(tensor)) if (!test(offset)) return false
  return true
}

/** Nodes by identity: the first of equal nodes stands for all. */
export class NodeTable {
  readonly #buckets = new Map<string, Node[]>()

  /** An equal node that was added before. */
  find(node: Node): Node | undefined {
    return this.#buckets.get(keyOf(node))?.find((other) => !other.isDestroyed && nodesEqual(other, node))
  }

  add(node: Node): void {
    const key = keyOf(node)
    const bucket = this.#buckets.get(key)
    if (bucket) bucket.push(node)
    else this.#buckets.set(key, [node])
  }
}

function keyOf(node: Node): string {
  const types = node.outputs.map((output) => output.type.kind).join()
  const inputs = node.inputs.map((input) => input.unique).join()
  return `${node.kind} ${types} ${inputs} ${valueKey(node.attribute('value'))} ${valueKey(node.attribute('name'))}`
}

function valueKey(value: IValue | undefined): string {
  if (value instanceof Double) return `${value.value}`
  if (value instanceof Tensor) return `${value.dtype}[${value.sizes.join()}]`
  if (value instanceof List || value instanceof Tuple) return `${value.elements.length}`
  return typeof value === 'object' && value !== null ? '' : String(value)
}
