import type { IValue } from './ivalue.ts'
import type { Type } from './types.ts'

/** `(a!)` of a schema: which alias sets a value belongs to, and whether it is written. */
export interface AliasInfo {
  /** Alias set names before `->`; `*` is the wildcard. */
  readonly before: readonly string[]
  /** After `->`; equal to `before` when the schema names no change. */
  readonly after: readonly string[]
  readonly isWrite: boolean
}

export interface Argument {
  readonly name: string
  readonly type: Type
  /** The schema's spelling of the type where it is an alias: `ScalarType`, `Layout`, `MemoryFormat` are ints. */
  readonly realName?: string
  /** `2` of `int[2]`: a single element is broadcast to that length. */
  readonly fixedSize?: number
  readonly default?: IValue
  readonly kwargOnly: boolean
  readonly alias?: AliasInfo
  /** Aliasing of a container's elements, `Tensor(a!)[]`. */
  readonly elementAlias?: AliasInfo
}

/** What `c10::FunctionSchema` holds. */
export interface FunctionSchema {
  /** `aten::add` */
  readonly name: string
  /** `Tensor`, or `''`. */
  readonly overload: string
  readonly arguments: readonly Argument[]
  readonly returns: readonly Argument[]
  readonly isVararg: boolean
  readonly isVarret: boolean
}

/** `aten::add.Tensor`: names one operator. */
export function schemaKey(schema: FunctionSchema): string {
  let key = keys.get(schema)
  if (key === undefined) {
    key = schema.overload === '' ? schema.name : `${schema.name}.${schema.overload}`
    keys.set(schema, key)
  }
  return key
}

/** The same string each time is found in a map without looking at its characters. */
const keys = new WeakMap<FunctionSchema, string>()
