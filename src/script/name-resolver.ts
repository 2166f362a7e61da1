import type { GraphFunction } from '../ir/graph-function.ts'
import type { IValue } from '../ir/ivalue.ts'
import type { Type } from '../ir/types.ts'

/** Where a function's free names are found: classes, functions and constants of the archive. */
export interface NameResolver {
  findType(qualifiedName: string): Type | undefined
  findFunction(qualifiedName: string): GraphFunction | undefined
  /** `CONSTANTS.cN` with its type. */
  constant(name: string): { readonly value: IValue; readonly type: Type } | undefined
  /** The archive's file version: old versions of operators behave otherwise. */
  readonly version: number
}
