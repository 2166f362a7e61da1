import type { ScriptObject } from '../ir/ivalue.ts'
import { freezeFlagsPass } from './freeze-flags.ts'
import { freezeParamsPass, paramNameOf, type FreezeParamsOptions } from './freeze-params.ts'
import type { PipelineStep } from './pass.ts'
import { freezeMethod, type FreezeMethodOptions, type FrozenMethod } from './support/freeze-method.ts'

export interface FreezeByNameOptions extends FreezeMethodOptions, FreezeParamsOptions {
  /** Of `weight`, `bias`, `running_mean`, `running_var`. */
  readonly params?: readonly string[]
  /** Passes over the graph behind the freezing. */
  readonly passes?: readonly PipelineStep[]
}

/**
 * Freezes parameters and flags of one method by their names: `freezeFlags` and `freezeParams` in one go, the flags
 * first, so that a batch norm may lose its statistics where a flag says that it does not train.
 *
 * @throws InvalidParamNameError for an unknown parameter name
 * @throws FreezeError when a method writes what would be frozen; the message names the node
 */
export function freezeByName(
  module: ScriptObject,
  method: string,
  options: FreezeByNameOptions = {},
): FrozenMethod {
  const params = (options.params ?? []).map(paramNameOf)
  return freezeMethod(
    module,
    method,
    (inputs) => [
      ...Object.entries(options.flags ?? {}).map(([flag, value]) =>
        freezeFlagsPass(module, flag, value, inputs),
      ),
      ...params.map((name) => freezeParamsPass(module, name, inputs, options.isOfInterest)),
      ...(options.passes ?? []),
    ],
    options,
  )
}
