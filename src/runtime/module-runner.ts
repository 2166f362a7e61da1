import type { IValue, ScriptObject } from '../ir/ivalue.ts'
import { createEnvironment, type Environment } from './environment.ts'
import { InputError } from './errors.ts'
import { bindInputs, type Inputs } from './input-binding.ts'
import { Machine } from './machine.ts'
import { restoreObjects } from './restore-objects.ts'

/**
 * Runs a method of a module (or of any object) on plain or interpreter values with the reference kernels.
 *
 * @returns what the method returns; `toPlain` makes it plain
 * @throws InputError for a method that is not there and for inputs that do not fit it; else as `runGraph`
 */
export function runMethod(
  object: ScriptObject,
  method: string,
  inputs: Inputs | readonly unknown[],
  environment: Environment = createEnvironment(),
): IValue {
  const found = object.type.methods.get(method)
  if (found === undefined) {
    const names = [...object.type.methods.keys()].join(', ')
    throw new InputError(
      `${object.type.name} has no method '${method}'`,
      {},
      names && `its methods: ${names}`,
    )
  }
  const bound = bindInputs(found.schema, 'length' in inputs ? { positional: inputs } : inputs)
  const machine = new Machine(environment)
  restoreObjects(object, machine)
  return machine.call(found, [object, ...bound])
}
