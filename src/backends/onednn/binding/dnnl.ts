import type { DType } from '../../../tensor/dtype.ts'
import type { BlockedLayout, Layout } from '../../../tensor/layout.ts'

/** Where in memory a value's elements lie, as the library describes it. */
export interface MemoryDescriptor {
  readonly dtype: DType
  readonly sizes: readonly number[]
  /** With padding. */
  readonly byteLength: number
  /** `nChw16c` in abstract letters, `aBcd16b`; `any`; `wino` and the like for what has no tag. */
  readonly tag: string
  /** The same in our terms: opaque for what only the library reads, undefined for `any`. */
  readonly layout: Layout | undefined
  /** Strides in elements where the layout is no more than that. */
  readonly strides: readonly number[] | undefined
  /** Everything that is known of the layout, as text: the same in every process with this library. */
  readonly key: string
  equals(other: MemoryDescriptor): boolean
}

export type EltwiseAlgorithm =
  | 'relu'
  | 'tanh'
  | 'elu'
  | 'square'
  | 'abs'
  | 'sqrt'
  | 'linear'
  | 'logistic'
  | 'exp'
  | 'gelu_tanh'
  | 'gelu_erf'
  | 'swish'
  | 'log'
  | 'clip'
  | 'mish'
  | 'hardswish'
  | 'round'
  | 'soft_relu'
  | 'pow'

export type BinaryAlgorithm = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min'

/** What is done to a primitive's result before it is stored. */
export type PostOperation =
  | {
      readonly kind: 'eltwise'
      readonly algorithm: EltwiseAlgorithm
      readonly alpha: number
      readonly beta: number
    }
  /** Adds what the destination held before. */
  | { readonly kind: 'sum' }
  | { readonly kind: 'binary'; readonly algorithm: BinaryAlgorithm; readonly operand: MemoryDescriptor }

interface Windows {
  readonly strides: readonly number[]
  /** Distance between taps, 1 when dense. */
  readonly dilation: readonly number[]
  readonly paddingBegin: readonly number[]
  readonly paddingEnd: readonly number[]
}

/**
 * Cells of recurrent networks. The library's gates come in the order input, forget, cell, output (LSTM), and update, reset,
 * new (GRU, the reset gate behind the product with weights: its `lbr_gru`).
 */
export type RecurrentCell = 'lstm' | 'gru' | 'tanh' | 'relu'

/** What a primitive computes. Descriptors may be `any` where the library shall choose. */
export type Operation =
  | ({
      readonly kind: 'convolution'
      readonly transposed: boolean
      readonly algorithm: 'direct' | 'winograd' | 'auto'
      readonly source: MemoryDescriptor
      readonly weights: MemoryDescriptor
      readonly bias: MemoryDescriptor | undefined
      readonly destination: MemoryDescriptor
    } & Windows)
  | {
      readonly kind: 'inner product' | 'matmul'
      readonly source: MemoryDescriptor
      readonly weights: MemoryDescriptor
      readonly bias: MemoryDescriptor | undefined
      readonly destination: MemoryDescriptor
    }
  | ({
      readonly kind: 'pooling'
      readonly algorithm: 'max' | 'average with padding' | 'average without padding'
      readonly kernel: readonly number[]
      readonly source: MemoryDescriptor
      readonly destination: MemoryDescriptor
    } & Windows)
  | {
      readonly kind: 'eltwise'
      readonly algorithm: EltwiseAlgorithm
      readonly alpha: number
      readonly beta: number
      readonly data: MemoryDescriptor
    }
  | {
      readonly kind: 'binary'
      readonly algorithm: BinaryAlgorithm
      readonly sources: readonly [MemoryDescriptor, MemoryDescriptor]
      readonly destination: MemoryDescriptor
    }
  | {
      readonly kind: 'concat'
      readonly axis: number
      readonly sources: readonly MemoryDescriptor[]
      readonly destination: MemoryDescriptor | undefined
    }
  | { readonly kind: 'reorder'; readonly source: MemoryDescriptor; readonly destination: MemoryDescriptor }
  | {
      readonly kind: 'softmax'
      readonly logarithm: boolean
      readonly axis: number
      readonly data: MemoryDescriptor
    }
  /** Over the last axis, with scale and shift. */
  | { readonly kind: 'layer normalisation'; readonly epsilon: number; readonly data: MemoryDescriptor }
  /** With scale and shift. */
  | {
      readonly kind: 'batch normalisation'
      /** Mean and variance are given, or those of the data; these are given back too where they are asked for. */
      readonly statistics: 'given' | 'own' | 'own, given back'
      readonly epsilon: number
      readonly relu: boolean
      readonly data: MemoryDescriptor
    }
  /** Elements below 0 times a weight. */
  | { readonly kind: 'prelu'; readonly data: MemoryDescriptor; readonly weights: MemoryDescriptor }
  | {
      readonly kind: 'resampling'
      readonly algorithm: 'nearest' | 'linear'
      readonly source: MemoryDescriptor
      readonly destination: MemoryDescriptor
    }
  | {
      readonly kind: 'reduction'
      readonly algorithm: 'mean' | 'sum' | 'max'
      readonly source: MemoryDescriptor
      readonly destination: MemoryDescriptor
    }
  | RecurrenceOperation

/** One layer in one direction. */
export interface RecurrenceOperation {
  readonly kind: 'recurrence'
  readonly cell: RecurrentCell
  /** From the last step to the first; the result lies in the order of the steps nonetheless. */
  readonly backwards: boolean
  /** Steps × batch × features. */
  readonly source: MemoryDescriptor
  /** 1 × 1 × batch × units: each of the states, before and after. */
  readonly state: MemoryDescriptor
  /** 1 × 1 × features × gates × units. */
  readonly weights: MemoryDescriptor
  /** 1 × 1 × units × gates × units. */
  readonly stateWeights: MemoryDescriptor
  /** 1 × 1 × gates × units; a GRU's fourth is that of the state in its new gate. The library does not go without. */
  readonly bias: MemoryDescriptor
  /** Steps × batch × units. */
  readonly destination: MemoryDescriptor
}

/** The library's numbers of arguments (dnnl_types.h, DNNL_ARG_…), as far as they are the same in versions 2 and 3. */
export const argument = {
  source: 1,
  secondSource: 2,
  destination: 17,
  weights: 33,
  /** Of a recurrence: the hidden state and an LSTM's memory, before and after. */
  hidden: 2,
  memory: 3,
  lastHidden: 18,
  lastMemory: 19,
  stateWeights: 34,
  bias: 41,
  mean: 49,
  variance: 50,
  scale: 51,
  shift: 52,
  scratchpad: 80,
  /** Of the i-th source of a concat. */
  multipleSource: (i: number): number => 1024 + i,
} as const

/** A compiled operation. */
export interface Primitive {
  /** `jit:avx512_core`, `ref:any`, … */
  readonly implementation: string
  /** What the library chose for an argument that was described as `any`. */
  descriptor(role: 'source' | 'weights' | 'destination'): MemoryDescriptor
  readonly scratchpadBytes: number
  dispose(): void
}

/** An argument of a call: its memory is where the address says. */
export interface Binding {
  readonly argument: number
  readonly descriptor: MemoryDescriptor
  readonly address: bigint
}

/** A primitive with its memory, ready to run again and again. */
export interface Call {
  execute(): void
  /** Moves an argument to other memory. */
  rebind(argument: number, address: bigint): void
  dispose(): void
}

/** All that is asked of the library: one small module for each of its major versions. */
export interface Dnnl {
  /** `2.6.3` */
  readonly version: string
  /** Number of the instruction set that kernels are made for. */
  readonly isa: number
  /** The argument that is the second operand of a binary post-operation, by its place in the list. */
  postOperand(index: number): number
  /** Memory with strides (in elements) or in a blocked layout; `any` lets a primitive choose. */
  describe(
    dtype: DType,
    sizes: readonly number[],
    layout: readonly number[] | BlockedLayout | 'any',
  ): MemoryDescriptor
  /** @throws OneDnnError with status `unimplemented` where the library has nothing for it */
  create(operation: Operation, postOperations?: readonly PostOperation[]): Primitive
  /** @param kept memory behind the addresses that the call shall keep from being collected */
  bind(primitive: Primitive, bindings: readonly Binding[], kept?: readonly Uint8Array[]): Call
  /** Address of the first byte; the memory must outlive every call that is bound to it. */
  addressOf(bytes: Uint8Array): bigint
  /** For everything that this thread creates and runs from now on. */
  setThreads(count: number): void
  dispose(): void
}
