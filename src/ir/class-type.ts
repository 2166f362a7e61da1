import type { GraphFunction } from './graph-function.ts'
import type { IValue } from './ivalue.ts'
import type { Type } from './types.ts'

export interface ClassAttribute {
  readonly name: string
  readonly type: Type
  readonly kind: 'parameter' | 'buffer' | 'attribute'
}

/**
 * A TorchScript class: modules and plain classes alike. It is filled while its source is compiled and may be
 * changed afterwards only by passes that own the whole module (freezing); identity is the object, not the name.
 */
export class ClassType {
  readonly kind = 'Class'
  /** Qualified and mangled, `__torch__.torch.nn.modules.conv.___torch_mangle_0.Conv2d`. */
  readonly name: string
  readonly isModule: boolean
  /** In order of declaration. */
  readonly attributes = new Map<string, ClassAttribute>()
  /** `Final` class constants, by name. */
  readonly constants = new Map<string, { readonly type: Type; readonly value: IValue }>()
  readonly methods = new Map<string, GraphFunction>()
  readonly staticMethods = new Map<string, GraphFunction>()
  readonly properties = new Map<string, { readonly getter: GraphFunction; readonly setter?: GraphFunction }>()

  constructor(name: string, options: { readonly isModule: boolean }) {
    this.name = name
    this.isModule = options.isModule
  }
}
