import { PermafrostError } from '../errors.ts'
import type { GraphFunction } from '../ir/graph-function.ts'
import { Dict, Double, List, Tuple, type IValue, type ScriptObject } from '../ir/ivalue.ts'
import { printType } from '../ir/type-printer.ts'
import type { Type } from '../ir/types.ts'
import { UnsupportedOperatorError } from '../ops/errors.ts'
import { allocate, convert } from '../ops/tensor-access.ts'
import { inlinedGraph } from '../passes/preoptimize.ts'
import { methodOf } from '../passes/support/inline-module.ts'
import { isFloating } from '../tensor/dtype.ts'
import { Tensor } from '../tensor/tensor.ts'
import { createEnvironment, type Environment } from './environment.ts'
import { InputError } from './errors.ts'
import { parametersOf } from './input-binding.ts'
import { runMethod } from './module-runner.ts'
import { guessTensors, type TensorGuess } from './tensor-guess.ts'

/** Values for each argument without a default, in order, and what they are, in words. */
export interface SampleInputs {
  readonly values: readonly IValue[]
  readonly description: string
}

export interface SampleOptions {
  /** `forward` when left out. */
  readonly method?: string
  readonly seed?: number
  readonly environment?: () => Environment
}

const mostAttempts = 16

/**
 * Random inputs that a method takes, made from what its graph tells: types, and the sizes that its first layers need.
 * Several are tried until the method runs.
 *
 * @param open gives the module anew at each call: a run may change what it holds
 * @throws InputError when none of them is taken; UnsupportedOperatorError when the method cannot be run at all
 */
export function findSampleInputs(open: () => ScriptObject, options: SampleOptions = {}): SampleInputs {
  const { method = 'forward', seed = 0 } = options
  const module = open()
  const fn = methodOf(module, method)
  const guesses = guessArguments(module, fn)
  const attempts = Math.min(mostAttempts, Math.max(1, ...guesses.map((list) => list.length)))
  let last: unknown
  for (let attempt = 0; attempt < attempts; attempt++) {
    const sample = sampleOf(fn, guesses, attempt, seed)
    try {
      runMethod(open(), method, sample.values, options.environment?.() ?? createEnvironment())
      return sample
    } catch (error) {
      if (!(error instanceof PermafrostError) || error instanceof UnsupportedOperatorError) throw error
      last = error
    }
  }
  throw new InputError(
    `no random inputs were found that ${method} takes`,
    {},
    `give them; the last try: ${last instanceof Error ? last.message : ''}`,
  )
}

/** Other random numbers of the same types and sizes. */
export function resample(sample: SampleInputs, seed: number): SampleInputs {
  const random = createEnvironment({ seed })
  const again = (value: IValue): IValue => {
    if (value instanceof Tensor && isFloating(value.dtype))
      return randomTensor({ dtype: value.dtype, sizes: value.sizes }, random)
    if (value instanceof List) return new List(value.elements.map(again), value.elementType)
    return value instanceof Tuple ? new Tuple(value.elements.map(again), value.type) : value
  }
  return { ...sample, values: sample.values.map(again) }
}

function guessArguments(module: ScriptObject, fn: GraphFunction): (readonly TensorGuess[])[] {
  const graph = inlinedGraph(fn)
  return requiredArguments(fn).map((_, i) => {
    const input = graph.inputs[i + 1]
    return input === undefined ? [] : guessTensors(graph, module, input)
  })
}

function requiredArguments(fn: GraphFunction): ReturnType<typeof parametersOf> {
  return parametersOf(fn.schema).filter((argument) => argument.default === undefined)
}

function sampleOf(
  fn: GraphFunction,
  guesses: readonly (readonly TensorGuess[])[],
  attempt: number,
  seed: number,
): SampleInputs {
  const random = createEnvironment({ seed })
  const made = requiredArguments(fn).map(({ name, type }, i) => {
    const list = guesses[i] ?? []
    const guess = list[Math.min(attempt, list.length - 1)]
    const value = valueOf(type, guess ?? { dtype: 'float32', sizes: [4] }, random)
    return { value, text: `${name}: ${describe(value, type)}` }
  })
  return { values: made.map(({ value }) => value), description: made.map(({ text }) => text).join(', ') }
}

/** A value of the type; tensors in it are all as guessed. */
function valueOf(type: Type, guess: TensorGuess, random: Environment): IValue {
  switch (type.kind) {
    case 'Tensor':
      return randomTensor(guess, random)
    case 'Int':
    case 'Number':
      return 1 + Math.floor(random.random() * 3)
    case 'Float':
      return new Double(random.random())
    case 'Bool':
      return random.random() < 0.5
    case 'String':
      return ''
    case 'List':
      return new List(
        [0, 1].map(() => valueOf(type.element, guess, random)),
        type.element,
      )
    case 'Tuple':
      return new Tuple(
        type.elements.map((element) => valueOf(element, guess, random)),
        type.name === undefined ? undefined : type,
      )
    case 'Dict':
      return new Dict(type.key, type.value)
    default:
      return null
  }
}

function randomTensor({ dtype, sizes, below = 4 }: TensorGuess, random: Environment): Tensor {
  const isReal = isFloating(dtype)
  const drawn = allocate(isReal ? 'float64' : 'int64', sizes)
  const { data } = drawn
  const draw = (): number =>
    isReal ? 2 * random.random() - 1 : Math.floor(random.random() * (dtype === 'bool' ? 2 : below))
  if (data instanceof BigInt64Array) for (let i = 0; i < data.length; i++) data[i] = BigInt(draw())
  else for (let i = 0; i < data.length; i++) data[i] = draw()
  return convert(drawn, dtype)
}

function describe(value: IValue, type: Type): string {
  if (value instanceof Tensor) return `${value.dtype}[${value.sizes.join(', ')}]`
  if (value instanceof List || value instanceof Tuple) {
    const items = value.elements.map((item) => describe(item, { kind: 'Any' }))
    return `[${items.join(', ')}]`
  }
  if (value instanceof Double) return String(value.value)
  return typeof value === 'object' && value !== null ? printType(type) : String(value)
}
