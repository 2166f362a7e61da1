import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { IValue, ScriptObject } from '../../src/ir/ivalue.ts'
import { loadBytes } from '../../src/load.ts'
import { listSlots, isModule } from '../../src/passes/support/module-slots.ts'
import { modulesBelow } from '../../src/passes/support/whole-module.ts'
import { runMethod } from '../../src/runtime/module-runner.ts'
import { toPlain } from '../../src/runtime/plain-value.ts'
import type { ScriptModule } from '../../src/script/load-module.ts'
import { saveModule } from '../../src/script/save-module.ts'
import { contiguousData } from '../../src/ops/tensor-access.ts'
import type { DType } from '../../src/tensor/dtype.ts'
import { Tensor } from '../../src/tensor/tensor.ts'

const folder = new URL('../fixtures/freeze/', import.meta.url)

export interface PlainTensor {
  readonly sizes: readonly number[]
  readonly values: readonly number[]
}
export type Recorded = PlainTensor | number | string | null | readonly Recorded[]

/** A call of a method of the module before freezing, and what libtorch gave. */
export interface RecordedCall {
  readonly method: string
  readonly inputs: readonly (PlainTensor & { readonly dtype: string })[]
  readonly result: Recorded
}

/** What libtorch's own freezing does with the names to preserve: what is left, or its error. */
export interface LibtorchFreeze {
  readonly preserved: readonly string[]
  readonly error?: string
  readonly attributes?: readonly string[]
  readonly methods?: readonly string[]
  /** Without constants, by method. */
  readonly nodes?: Readonly<Record<string, number>>
  /** Of the calls whose methods are left. */
  readonly results?: readonly Recorded[]
}

export interface FreezeModel {
  readonly calls: readonly RecordedCall[]
  readonly frozen: readonly LibtorchFreeze[]
}

/** What scripts/fixtures/make-freeze-models.py recorded of libtorch 1.13, by model. */
export const freezeModels = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Readonly<
  Record<string, FreezeModel>
>

/** Loaded afresh: some models have a state. */
export function loadFreezeModel(name: string): ScriptModule {
  return loadBytes(readFileSync(new URL(`${name}.pt`, folder)))
}

export function modelOf(name: string): FreezeModel {
  const model = freezeModels[name]
  if (model === undefined) expect.fail(`no model ${name}`)
  return model
}

export function saveAndLoad(model: ScriptModule): ScriptModule {
  return loadBytes(Buffer.concat(saveModule(model)))
}

export function inputsOf(call: RecordedCall): Tensor[] {
  return call.inputs.map(({ sizes, values, dtype }) => Tensor.from(dtype as DType, sizes, values))
}

export function callMethod(module: ScriptObject, call: RecordedCall): Recorded {
  return record(runMethod(module, call.method, inputsOf(call)))
}

function record(value: IValue): Recorded {
  const plain = toPlain(value)
  if (plain instanceof Tensor)
    return { sizes: plain.sizes, values: Array.from(contiguousData(plain), Number) }
  return Array.isArray(plain) ? plain.map((item) => record(item as IValue)) : (plain as Recorded)
}

/** Whether tensors are equal but for the last bits, everything else exactly. */
export function expectSame(found: Recorded, expected: Recorded): void {
  if (Array.isArray(found) && Array.isArray(expected)) {
    expect(found).toHaveLength(expected.length)
    found.forEach((item, i) => expectSame(item as Recorded, expected[i] as Recorded))
  } else if (isTensor(found) && isTensor(expected)) {
    expect(found.sizes).toEqual(expected.sizes)
    found.values.forEach((value, i) => expect(value).toBeCloseTo(expected.values[i] ?? NaN, 5))
  } else expect(found).toEqual(expected)
}

function isTensor(value: Recorded): value is PlainTensor {
  return typeof value === 'object' && value !== null && 'sizes' in value
}

/** Paths of attributes that are no modules, and of methods; without what every module has and libtorch hides. */
export function contentsOf(module: ScriptObject): { attributes: string[]; methods: string[] } {
  const slots = listSlots(module).filter(
    ({ object, name }) => !isModule(object.slots.get(name)) && name !== '_is_full_backward_hook',
  )
  const methods = [...modulesBelow(module)].flatMap(([object, path]) =>
    [...object.type.methods.keys()].map((name) => (path === '' ? name : `${path}.${name}`)),
  )
  return { attributes: slots.map(({ path }) => path).sort(), methods: methods.sort() }
}
