import { Dict, Double, List, ScriptObject, Tuple, type IValue } from '../ir/ivalue.ts'
import { Tensor } from '../tensor/tensor.ts'

/**
 * The tensors of a result by their path: a single tensor is `output`, an element of a structure `output.0`,
 * `output.boxes`, `output.0.scores`. Numbers and bools become tensors without dimensions; None and text are left out.
 */
export function flattenOutputs(value: IValue): Map<string, Tensor> {
  const flat = new Map<string, Tensor>()
  add(flat, 'output', value)
  return flat
}

function add(flat: Map<string, Tensor>, path: string, value: IValue): void {
  const leaf = asTensor(value)
  if (leaf !== undefined) flat.set(path, leaf)
  else for (const [name, item] of children(value)) add(flat, `${path}.${name}`, item)
}

function asTensor(value: IValue): Tensor | undefined {
  if (value instanceof Tensor) return value
  if (value instanceof Double) return Tensor.from('float64', [], [value.value])
  if (typeof value === 'number' || typeof value === 'bigint') return Tensor.from('int64', [], [value])
  return typeof value === 'boolean' ? Tensor.from('bool', [], [value ? 1 : 0]) : undefined
}

function children(value: IValue): (readonly [name: string, value: IValue])[] {
  if (value instanceof Tuple)
    return value.elements.map((item, i) => [value.type?.fields?.[i] ?? String(i), item] as const)
  if (value instanceof List) return value.elements.map((item, i) => [String(i), item] as const)
  if (value instanceof Dict)
    return [...value.entries()].map(
      ([key, item]) =>
        [key instanceof Double ? String(key.value) : `${key as string | number}`, item] as const,
    )
  return value instanceof ScriptObject ? [...value.slots] : []
}
