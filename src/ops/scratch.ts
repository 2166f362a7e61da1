import { allocate } from './tensor-access.ts'

/** Zeros to work with. @throws OperatorArgumentError when there is no memory for so many */
export function scratchDoubles(count: number): Float64Array {
  return allocate('float64', [count]).data as Float64Array
}

/** The values of a function of 0, 1, … @throws OperatorArgumentError when there is no memory for so many */
export function tabulate(count: number, value: (i: number) => number): Int32Array {
  const table = allocate('int32', [count]).data as Int32Array
  for (let i = 0; i < count; i++) table[i] = value(i)
  return table
}
