import type { Node, Value } from '../../ir/graph.ts'
import type { MemoryDescriptor, PostOperation, Primitive } from './binding/dnnl.ts'
import type { Lowering } from './lowering.ts'
import type { StepArgument } from './step.ts'
import type { Placement } from './placement.ts'
import type { Epilogue } from './post-operations.ts'

/** A kernel's destination, what is done before it is stored, and what that reads. */
export interface Finish {
  readonly postOperations: readonly PostOperation[]
  readonly operands: readonly StepArgument[]
  /** Memory that already holds what is added to the result. */
  readonly accumulator: Placement | undefined
}

/**
 * Makes epilogues the library's post-operations, for a destination of a known layout. The first addition goes into the
 * other operand's memory where nobody needs that any longer.
 */
export function finishWith(
  lowering: Lowering,
  epilogues: readonly Epilogue[],
  destination: MemoryDescriptor,
  mayOverwrite: (operand: Value) => boolean,
): Finish {
  const postOperations: PostOperation[] = []
  const operands: StepArgument[] = []
  let accumulator: Placement | undefined
  for (const epilogue of epilogues)
    if (epilogue.kind === 'eltwise')
      for (const each of epilogue.functions) postOperations.push({ kind: 'eltwise', ...each })
    else {
      const { operand, algorithm } = epilogue
      const same = lowering.tensorOf(operand).sizes.join() === destination.sizes.join()
      const placement = same
        ? lowering.in(operand, destination)
        : broadcastOperand(lowering, operand, destination.sizes.length)
      if (same && algorithm === 'add' && postOperations.length === 0 && mayOverwrite(operand)) {
        accumulator = placement
        postOperations.push({ kind: 'sum' })
      } else {
        operands.push({ argument: lowering.dnnl.postOperand(postOperations.length), placement })
        postOperations.push({ kind: 'binary', algorithm, operand: placement.descriptor })
      }
    }
  return { postOperations, operands, accumulator }
}

/** A small operand, plain, with ones in front up to the rank. */
export function broadcastOperand(lowering: Lowering, operand: Value, rank: number): Placement {
  const tensor = lowering.tensorOf(operand)
  const home = lowering.home(operand)
  const missing = rank - tensor.dim
  const sizes = [...new Array<number>(missing).fill(1), ...tensor.sizes]
  const strides = [...new Array<number>(missing).fill(tensor.numel), ...tensor.strides]
  return { ...home, descriptor: lowering.dnnl.describe(tensor.dtype, sizes, strides) }
}

/** The last value that a kernel and its epilogues compute. */
export function resultOf(node: Node, epilogues: readonly Epilogue[]): Value {
  return (epilogues.at(-1)?.node ?? node).output()
}

/** Adds a kernel's step and says where its result is. @param seen what the destination is for the graph */
export function addKernel(
  lowering: Lowering,
  node: Node,
  epilogues: readonly Epilogue[],
  primitive: Primitive,
  inputs: readonly StepArgument[],
  finish: Finish,
  destination: Placement,
  seen: MemoryDescriptor = destination.descriptor,
): void {
  lowering.add(
    primitive,
    [node, ...epilogues.map((epilogue) => epilogue.node)],
    [...inputs, ...finish.operands],
    destination,
  )
  lowering.define(resultOf(node, epilogues), { ...destination, descriptor: seen })
}
