import { invariant } from '../../errors.ts'
import { findOperator } from '../../ops/index.ts'
import { createEnvironment } from '../../runtime/environment.ts'
import { LimitExceededError } from '../../runtime/errors.ts'
import { Storage } from '../../tensor/storage.ts'
import { Tensor } from '../../tensor/tensor.ts'

/** The tensor itself, or a copy, with the strides that the plan was made for. */
export function laidOutLike(input: Tensor, wanted: Tensor): Tensor {
  const same = input.strides.every((stride, i) => stride === wanted.strides[i] || input.sizes[i] === 1)
  if (same && input.storageOffset === 0) return input
  const result = new Tensor(Storage.ofLength(wanted.storage.byteLength), wanted.dtype, wanted.sizes, {
    strides: wanted.strides,
  })
  copy(result, input)
  return result
}

/** The plan's look at an input, over the caller's memory. */
export function viewOf(input: Tensor, { sizes, strides, storageOffset }: Tensor): Tensor {
  return input.asStrided(sizes, strides, storageOffset)
}

export function copy(destination: Tensor, source: Tensor): void {
  const kernel = findOperator('aten::copy_')
  invariant(kernel !== undefined, 'there is aten::copy_')
  kernel.evaluate([destination, source, false], createEnvironment())
}

/** @throws LimitExceededError where there is not so much memory */
export function arenaOf(bytes: number): Uint8Array {
  try {
    return new Uint8Array(bytes)
  } catch (cause) {
    throw new LimitExceededError(
      `the plan needs ${bytes} bytes of memory at once, more than there is`,
      {},
      'run it on smaller inputs, or with the reference backend',
      { cause },
    )
  }
}
