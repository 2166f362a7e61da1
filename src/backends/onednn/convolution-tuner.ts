import { BlockedLayout } from '../../tensor/layout.ts'
import { argument, type Dnnl, type MemoryDescriptor, type Operation, type Primitive } from './binding/dnnl.ts'
import { OneDnnError } from './binding/errors.ts'
import { isSlow } from './layout-choices.ts'

export type ConvolutionOperation = Extract<Operation, { kind: 'convolution' }>

/** What decides between kernels besides their own time. */
export interface Surroundings {
  /** Where the input is now. */
  readonly source: MemoryDescriptor
  /** Whether the result goes into a concatenation, which costs nothing where channels are outermost in memory. */
  readonly feedsConcat: boolean
}

// Bytes per millisecond that a reorder moves, reading and writing: measured as 4 GB/s on one core, rounded down.
const reorderSpeed = 4e6
const runs = 4
const channelsPerBlock = 16

/**
 * Chooses a convolution's kernel by measuring: the one that the library prefers, the one on blocks of 16 channels, and
 * Winograd's (Lavin and Gray 2016), each with the reorder that it would need in front. Each shape is measured once.
 */
export class ConvolutionTuner {
  readonly #dnnl: Dnnl
  readonly #measured = new Map<string, number>()

  constructor(dnnl: Dnnl) {
    this.#dnnl = dnnl
  }

  /** Milliseconds by shape, layouts and algorithm. */
  get measurements(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#measured)
  }

  /** Takes measurements from elsewhere, so as not to measure again. */
  know(measurements: Readonly<Record<string, number>>): void {
    for (const [key, milliseconds] of Object.entries(measurements)) this.#measured.set(key, milliseconds)
  }

  /** The fastest of the variants of an operation whose descriptors are `any`. */
  choose(operation: ConvolutionOperation, { source, feedsConcat }: Surroundings): ConvolutionOperation {
    let best = operation
    let least = Infinity
    for (const variant of this.#variants(operation)) {
      const primitive = this.#tryCreate(variant)
      if (primitive === undefined) continue
      if (isSlow(primitive) && least < Infinity) {
        primitive.dispose()
        continue
      }
      const wanted = primitive.descriptor('source')
      const destination = primitive.descriptor('destination')
      const reorder = wanted.equals(source) ? 0 : (2 * wanted.byteLength) / reorderSpeed
      const isWhole = (destination.sizes[1] ?? 0) % channelsPerBlock === 0
      const copied =
        feedsConcat && isWhole && destination.strides !== undefined
          ? (2 * destination.byteLength) / reorderSpeed
          : 0
      const time = this.#time(variant, primitive) + reorder + copied
      primitive.dispose()
      if (time < least) {
        least = time
        best = variant
      }
    }
    return best
  }

  *#variants(operation: ConvolutionOperation): Generator<ConvolutionOperation, void, undefined> {
    yield operation
    const [source, destination] = [this.#blocked(operation.source), this.#blocked(operation.destination)]
    yield { ...operation, source, destination }
    const isThree = operation.weights.sizes.slice(-2).every((size) => size === 3)
    const isDense =
      operation.strides.every((step) => step === 1) && operation.dilation.every((step) => step === 1)
    const isGrouped = operation.weights.sizes.length > operation.source.sizes.length
    if (isThree && isDense && !isGrouped && !operation.transposed)
      yield { ...operation, algorithm: 'winograd', source, destination }
  }

  /** Images of few channels stay plain: their blocks would be padding for the most part. */
  #blocked({ dtype, sizes }: MemoryDescriptor): MemoryDescriptor {
    if ((sizes[1] ?? 0) < channelsPerBlock) return this.#dnnl.describe(dtype, sizes, 'any')
    const order = sizes.map((_, axis) => axis)
    return this.#dnnl.describe(dtype, sizes, new BlockedLayout(order, [{ axis: 1, size: channelsPerBlock }]))
  }

  #tryCreate(operation: ConvolutionOperation): Primitive | undefined {
    try {
      return this.#dnnl.create(operation)
    } catch (error) {
      if (error instanceof OneDnnError) return undefined
      throw error
    }
  }

  #time(operation: ConvolutionOperation, primitive: Primitive): number {
    const key = keyOf(operation, primitive)
    const known = this.#measured.get(key)
    if (known !== undefined) return known
    const time = this.#measure(operation, primitive)
    this.#measured.set(key, time)
    return time
  }

  /**
   * Milliseconds of the fastest of some runs, after one that warms up. Each run reads weights that were not read lately, as in
   * a model, whose other weights have taken their place in the caches.
   */
  #measure(operation: ConvolutionOperation, primitive: Primitive): number {
    const descriptors = [
      [argument.source, primitive.descriptor('source')],
      [argument.weights, primitive.descriptor('weights')],
      [argument.destination, primitive.descriptor('destination')],
      [argument.scratchpad, this.#dnnl.describe('uint8', [Math.max(primitive.scratchpadBytes, 1)], [1])],
    ] as [number, MemoryDescriptor][]
    if (operation.bias) descriptors.push([argument.bias, operation.bias])
    const memories = descriptors.map(([, descriptor]) => touched(descriptor.byteLength))
    const call = this.#dnnl.bind(
      primitive,
      descriptors.map(([number, descriptor], i) => ({
        argument: number,
        descriptor,
        address: this.#dnnl.addressOf(memories[i]!),
      })),
      memories,
    )
    const weights = Array.from({ length: runs }, () => touched(primitive.descriptor('weights').byteLength))
    call.execute()
    let least = Infinity
    for (const copy of weights) {
      call.rebind(argument.weights, this.#dnnl.addressOf(copy))
      const start = performance.now()
      call.execute()
      least = Math.min(least, performance.now() - start)
    }
    call.dispose()
    return least
  }
}

/** Memory that was written: the system gives one page of zeros for all that was not. The floats are 0.75. */
function touched(bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(0x3f)
}

function keyOf(
  { strides, dilation, paddingBegin, paddingEnd, ...operation }: ConvolutionOperation,
  primitive: Primitive,
): string {
  const descriptors = (['source', 'weights', 'destination'] as const).map((role) => {
    const { sizes, tag } = primitive.descriptor(role)
    return `${sizes.join('x')}:${tag}`
  })
  return [operation.algorithm, ...descriptors, strides, dilation, paddingBegin, paddingEnd].join(' ')
}
