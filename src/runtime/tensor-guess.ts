import type { Graph, Node, Value } from '../ir/graph.ts'
import { List, type IValue, type ScriptObject } from '../ir/ivalue.ts'
import { findSlotAccesses } from '../passes/support/module-slots.ts'
import type { DType } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'

/** A tensor that an input may be. */
export interface TensorGuess {
  readonly dtype: DType
  readonly sizes: readonly number[]
  /** Elements are whole numbers below this. */
  readonly below?: number
}

const float = (...sizes: number[]): TensorGuess => ({ dtype: 'float32', sizes })

/** What is tried where nothing tells. */
const blindGuesses: readonly TensorGuess[] = [
  float(1, 3, 64, 64),
  float(1, 3, 224, 224),
  float(2, 4),
  float(4, 4),
  float(4),
  float(1, 4, 8),
  float(1, 4, 4, 4),
  float(3, 64, 64),
  float(),
  { dtype: 'int64', sizes: [1, 8], below: 4 },
  { dtype: 'int64', sizes: [4], below: 4 },
]

/**
 * What a tensor that is an input of the graph may be, likely ones first: the sizes of a complete type; what the first
 * layer takes that it reaches, which the layer's weight tells; else some usual ones.
 *
 * @param self the module that is the graph's first input
 */
export function guessTensors(graph: Graph, self: ScriptObject, input: Value): readonly TensorGuess[] {
  const { type } = input
  if (type.kind === 'Tensor' && type.sizes?.every((size) => size !== null) === true)
    return [{ dtype: type.dtype ?? 'float32', sizes: type.sizes, below: 4 }]
  const contents = slotContents(graph, self)
  const contentOf = (value: Value | undefined): IValue | undefined =>
    value?.node.kind === 'prim::Constant' ? value.node.attribute('value') : value && contents.get(value)
  for (const { node, value } of reached(input)) {
    const guesses = guessFor(node, value, contentOf)
    if (guesses !== undefined) return type.kind === 'List' ? guesses.map(withoutBatch) : guesses
  }
  return blindGuesses
}

/** What is in a list is put into a batch later. */
function withoutBatch(guess: TensorGuess): TensorGuess {
  return { ...guess, sizes: guess.sizes.slice(1) }
}

function slotContents(graph: Graph, self: ScriptObject): ReadonlyMap<Value, IValue> {
  const { reads } = findSlotAccesses(graph, self)
  return new Map(reads.map(({ node, slot }) => [node.output(), slot.object.slots.get(slot.name) ?? null]))
}

interface Reached {
  readonly node: Node
  readonly value: Value
}

const mostReached = 2000

/** The uses of a value, and of what is computed from it as a first input, nearest first. */
function* reached(input: Value): Generator<Reached> {
  const seen = new Set([input])
  const queue = [input]
  for (let i = 0; i < queue.length && i < mostReached; i++) {
    const value = queue[i] as Value
    for (const { user, offset } of value.uses) {
      yield { node: user, value }
      for (const next of resultsOf(user, offset)) {
        if (seen.has(next)) continue
        seen.add(next)
        queue.push(next)
      }
    }
  }
}

function resultsOf(user: Node, offset: number): readonly Value[] {
  if (user.kind === 'prim::Return') return outerOf(user, offset)
  if (user.kind === 'prim::Loop')
    return offset < 2
      ? []
      : [user.block().inputs[offset - 1], user.outputs[offset - 2]].filter((v) => v !== undefined)
  return user.outputs
}

/** What a block hands out. */
function outerOf(user: Node, offset: number): readonly Value[] {
  const owner = user.owningBlock.owningNode
  const output = owner?.outputs[owner.kind === 'prim::Loop' ? offset - 1 : offset]
  return output === undefined ? [] : [output]
}

type ContentOf = (value: Value | undefined) => IValue | undefined

/** By the number of dimensions of the pictures that a convolution takes. */
const pictures: Readonly<Record<number, readonly (readonly number[])[]>> = {
  1: [[64], [400], [16000]],
  2: [
    [64, 64],
    [224, 224],
    [299, 299],
    [32, 32],
    [28, 28],
    [16, 16],
    [8, 8],
  ],
  3: [
    [8, 32, 32],
    [16, 112, 112],
    [8, 64, 64],
  ],
}

function guessFor(node: Node, value: Value, contentOf: ContentOf): readonly TensorGuess[] | undefined {
  const kind = node.kind.replace(/^aten::/, '')
  const tensorAt = (i: number): Tensor | undefined => {
    const content = node.inputs[i] !== value ? contentOf(node.inputs[i]) : undefined
    return content instanceof Tensor ? content : undefined
  }
  if (/^_?conv(?:olution|\d|_)/.test(kind)) return guessConvolution(node, tensorAt(1), contentOf)
  if (kind === 'linear') return guessFeatures(tensorAt(1)?.sizes.at(-1))
  if (kind === 'matmul' || kind === 'mm') return guessFeatures(tensorAt(1)?.sizes.at(-2))
  if (kind === 'addmm') return guessFeatures(tensorAt(2)?.sizes[0])
  if (kind === 'embedding') return guessIndices(tensorAt(0)?.sizes[0])
  if (kind === 'embedding_bag') return guessIndices(tensorAt(0)?.sizes[0])
  if (kind === 'batch_norm') return guessChannels(tensorAt(3)?.sizes[0])
  if (kind === 'layer_norm') return guessNormalised(contentOf(node.inputs[1]))
  if (kind === 'lstm' || kind === 'gru') return guessFeatures(firstWeight(node, contentOf)?.sizes[1])
  return undefined
}

function guessConvolution(
  node: Node,
  weight: Tensor | undefined,
  contentOf: ContentOf,
): readonly TensorGuess[] | undefined {
  if (weight === undefined) return undefined
  const isNamed = node.kind.includes('transpose')
  const isTransposed = isNamed || (node.kind.includes('_convolution') && contentOf(node.inputs[6]) === true)
  const groups = contentOf(node.inputs[node.kind.includes('_convolution') ? 8 : 6])
  const [out = 1, inner = 1] = weight.sizes
  const channels = isTransposed ? out : inner * (typeof groups === 'number' ? groups : 1)
  return pictures[weight.dim - 2]?.map((sizes) => ({ dtype: weight.dtype, sizes: [1, channels, ...sizes] }))
}

function guessFeatures(features: number | undefined): readonly TensorGuess[] | undefined {
  return features === undefined
    ? undefined
    : [float(1, features), float(4, features), float(1, 4, features), float(4, 1, features), float(features)]
}

function guessIndices(below: number | undefined): readonly TensorGuess[] | undefined {
  if (below === undefined) return undefined
  return [[1, 8], [8], [4, 1], [1]].map((sizes) => ({ dtype: 'int64', sizes, below }))
}

function guessChannels(channels: number | undefined): readonly TensorGuess[] | undefined {
  return channels === undefined
    ? undefined
    : [float(1, channels, 8, 8), float(2, channels), float(2, channels, 8), float(1, channels, 4, 8, 8)]
}

function guessNormalised(shape: IValue | undefined): readonly TensorGuess[] | undefined {
  if (!(shape instanceof List)) return undefined
  const sizes = shape.elements.map(Number)
  return [float(1, ...sizes), float(1, 4, ...sizes), float(...sizes)]
}

/** The weights of a recurrent layer are a list. */
function firstWeight(node: Node, contentOf: ContentOf): Tensor | undefined {
  for (const input of node.inputs) {
    const items = input.node.kind === 'prim::ListConstruct' ? input.node.inputs.map(contentOf) : undefined
    const first = items?.[0]
    if (first instanceof Tensor && first.dim === 2) return first
  }
  return undefined
}
