import { Dict, List, Tuple, type IValue } from '../ir/ivalue.ts'
import type { Inputs } from '../runtime/input-binding.ts'
import { copier } from '../runtime/region-results.ts'
import { replaceTensors } from '../runtime/value-tensors.ts'
import { Tensor } from '../tensor/tensor.ts'

/** A copy of the inputs for one run: a model may write to what it is given, and the next run must not see that. */
export function copyInputs({ positional = [], named = {} }: Inputs): Required<Inputs> {
  const copy = copier(() => true)
  const copyOf = (value: unknown): unknown => (isValue(value) ? replaceTensors(value, copy) : value)
  return {
    positional: positional.map(copyOf),
    named: Object.fromEntries(Object.entries(named).map(([name, value]) => [name, copyOf(value)])),
  }
}

/** Values of the interpreter; plain ones are made into such at every run. */
function isValue(value: unknown): value is IValue {
  return [Tensor, List, Tuple, Dict].some((kind) => value instanceof kind)
}
