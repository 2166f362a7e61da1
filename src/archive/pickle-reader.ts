import { defaultLimits } from './limits.ts'
import { instructions } from './pickle-instructions.ts'
import { PickleMachine, type PickleSurroundings } from './pickle-machine.ts'
import { opcodes } from './pickle-opcodes.ts'
import { shapeFault } from './pickle-shape.ts'
import type { PickleValue } from './pickle-values.ts'

/**
 * Runs a pickle, knowing only the opcodes and globals of TorchScript archives, and gives its value. Nothing is
 * ever imported or called. Takes memory and time in the pickle's size, and no call stack.
 *
 * Throws `PickleError` (with entry and byte) for anything broken, `ForbiddenGlobalError` for a global that is
 * not TorchScript's, `TensorLayoutError` for a tensor that does not fit its storage, and
 * `UnsupportedArchiveError` for what libtorch can hold but this library cannot (sparse tensors).
 */
export function readPickle(
  bytes: Uint8Array,
  surroundings: Partial<PickleSurroundings> & Pick<PickleSurroundings, 'entry'>,
): PickleValue {
  const limits = surroundings.limits ?? defaultLimits
  const machine = new PickleMachine(bytes, { ...surroundings, limits })
  if (bytes[0] !== opcodes.PROTO) machine.fail('this is no pickle of protocol 2')
  for (let count = 0; machine.result === undefined; count++) {
    const opcode = machine.nextOpcode()
    const instruction = instructions[opcode]
    if (instruction === undefined) machine.fail(`the pickle opcode 0x${opcode.toString(16)} is unknown`)
    else instruction(machine)
    if (count > limits.pickleValues)
      machine.fail(`the pickle has more than ${limits.pickleValues} instructions`)
  }
  if (machine.stack.length > 0) machine.fail('the pickle ends with values left over')
  const fault = shapeFault(machine.result, limits)
  return fault === undefined ? machine.result : machine.fail(fault)
}
