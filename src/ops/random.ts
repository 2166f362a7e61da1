import { isFloating, type DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { broadcastSizes, broadcastTo } from './broadcast.ts'
import { chosenDType, type FactoryOptions } from './creation.ts'
import { OperatorArgumentError } from './errors.ts'
import { memoryFormats, stridesOfFormat } from './memory-layout.ts'
import { defineOp, type EvaluationContext, type Operator } from './operator.ts'
import { checkLength } from './sequence.ts'
import { allocate, convert, copyInto, floatData } from './tensor-access.ts'
import { defaultDType } from './type-promotion.ts'

/*
 * Random numbers come from the session's generator: reproducible from its seed, not the same sequence as libtorch's.
 */

type Source = () => number

/** A standard normal number (Box and Muller 1958). */
function normalFrom(generator: EvaluationContext): number {
  return Math.sqrt(-2 * Math.log(1 - generator.random())) * Math.cos(2 * Math.PI * generator.random())
}

/** A new tensor of independent numbers, drawn in double precision and converted. */
function drawn(dtype: DType, sizes: readonly number[], draw: (i: number) => number): Tensor {
  const result = allocate(isFloating(dtype) || dtype === 'bool' ? 'float64' : 'int64', sizes)
  const { data } = result
  if (data instanceof BigInt64Array) for (let i = 0; i < data.length; i++) data[i] = BigInt(draw(i))
  else for (let i = 0; i < data.length; i++) data[i] = draw(i)
  return convert(result, dtype)
}

/** Whole numbers in [low, high). */
function integerBetween(generator: EvaluationContext, low: number, high: number): Source {
  if (low >= high)
    throw new OperatorArgumentError(
      `random_ expects 'from' to be less than 'to', but got from=${low} >= to=${high}`,
    )
  return () => low + Math.floor(generator.random() * (high - low))
}

function overwrite(self: Tensor, draw: Source): Tensor {
  copyInto(self, drawn(self.dtype, self.sizes, draw))
  return self
}

function like(self: Tensor, options: FactoryOptions, draw: Source): Tensor {
  const format = options.memory_format ?? memoryFormats.preserve
  const result = allocate(
    chosenDType(options, self.dtype),
    self.sizes,
    stridesOfFormat(self.sizes, format, self),
  )
  return overwrite(result, draw)
}

/** 0, 1, …, n-1 in random order (Fisher and Yates, as Durstenfeld wrote it). */
function permutation(n: number, generator: EvaluationContext): number[] {
  if (n < 0) throw new OperatorArgumentError(`n must be non-negative, got ${n}`)
  const order = Array.from({ length: checkLength(n) }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(generator.random() * (i + 1))
    const moved = order[i]!
    order[i] = order[j]!
    order[j] = moved
  }
  return order
}

function checkProbability(p: number): number {
  if (!(p >= 0 && p <= 1))
    throw new OperatorArgumentError(`bernoulli expects p to be in [0, 1], but got p=${p}`)
  return p
}

/** 1 with the probability that `p` holds at each place, else 0. */
function bernoulli(dtype: DType, sizes: readonly number[], p: Tensor, generator: EvaluationContext): Tensor {
  const chances = floatData(broadcastTo(p, broadcastSizes(sizes, p.sizes)))
  return drawn(dtype, sizes, (i) => Number(generator.random() < checkProbability(chances[i]!)))
}

function checkSpread(what: string, value: number): number {
  if (!(value >= 0)) throw new OperatorArgumentError(`normal expects ${what} >= 0.0, but found ${value}`)
  return value
}

/** Indices drawn by weight from each row. */
function multinomial(
  self: Tensor,
  count: number,
  replacement: boolean,
  generator: EvaluationContext,
): Tensor {
  const classes = self.sizes.at(-1) ?? 0
  if (self.dim < 1 || self.dim > 2 || count <= 0 || (!replacement && count > classes))
    throw new OperatorArgumentError(
      `multinomial: cannot draw ${count} samples ${replacement ? 'with' : 'without'} replacement from a tensor of sizes [${self.sizes.join(', ')}]`,
    )
  const weights = floatData(self)
  const rows = classes === 0 ? 0 : weights.length / classes
  const sizes = [...self.sizes.slice(0, -1), count]
  const picks: number[] = []
  for (let row = 0; row < rows; row++) {
    const chances = [...weights.subarray(row * classes, (row + 1) * classes)]
    for (const pick of drawFromRow(chances, count, replacement, generator)) picks.push(pick)
  }
  return drawn('int64', sizes, (i) => picks[i]!)
}

function drawFromRow(
  weights: number[],
  count: number,
  replacement: boolean,
  generator: EvaluationContext,
): number[] {
  const bad = weights.find((weight) => !(weight >= 0 && weight < Infinity))
  if (bad !== undefined)
    throw new OperatorArgumentError(
      `probability tensor contains either \`inf\`, \`nan\` or element < 0: ${bad}`,
    )
  return Array.from({ length: checkLength(count) }, () => {
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    if (total <= 0)
      throw new OperatorArgumentError('invalid multinomial distribution (sum of probabilities <= 0)')
    let rest = generator.random() * total
    let pick = weights.findIndex((weight) => (rest -= weight) < 0)
    if (pick === -1) pick = weights.findLastIndex((weight) => weight > 0)
    if (!replacement) weights[pick] = 0
    return pick
  })
}

const isNondeterministic = true

const factories: readonly Operator[] = [
  ...['rand', 'rand_like', 'randn', 'randn_like'].map((name) => factory(name)),
  defineOp(
    'aten::randint(int high, int[] size, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    {
      reference: ({ high, size, ...options }, generator) =>
        drawn(chosenDType(options, 'int64'), size, integerBetween(generator, 0, high)),
      isNondeterministic,
    },
  ),
  defineOp(
    'aten::randint.low(int low, int high, int[] size, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    {
      reference: ({ low, high, size, ...options }, generator) =>
        drawn(chosenDType(options, 'int64'), size, integerBetween(generator, low, high)),
      isNondeterministic,
    },
  ),
  defineOp(
    'aten::randperm(int n, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor',
    {
      reference: ({ n, ...options }, generator) => {
        const order = permutation(n, generator)
        return drawn(chosenDType(options, 'int64'), [n], (i) => order[i]!)
      },
      isNondeterministic,
    },
  ),
]

function factory(name: string): Operator {
  const draws = (generator: EvaluationContext): Source =>
    name.startsWith('randn') ? () => normalFrom(generator) : () => generator.random()
  if (name.endsWith('_like'))
    return defineOp(
      `aten::${name}(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor`,
      {
        reference: ({ self, ...options }, context) => like(self, options, draws(context)),
        isNondeterministic,
      },
    )
  return defineOp(
    `aten::${name}(int[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor`,
    {
      reference: ({ size, ...options }, context) =>
        drawn(chosenDType(options, defaultDType), size, draws(context)),
      isNondeterministic,
    },
  )
}

const inPlaceDraws: readonly Operator[] = [
  defineOp(
    'aten::uniform_(Tensor(a!) self, float from=0., float to=1., *, Generator? generator=None) -> Tensor(a!)',
    {
      reference: ({ self, from, to }, generator) => {
        if (from > to)
          throw new OperatorArgumentError(
            `uniform_ expects to return a [from, to) range, but found from=${from} > to=${to}`,
          )
        return overwrite(self, () => from + generator.random() * (to - from))
      },
      isNondeterministic,
    },
  ),
  defineOp(
    'aten::normal_(Tensor(a!) self, float mean=0., float std=1., *, Generator? generator=None) -> Tensor(a!)',
    {
      reference: ({ self, mean, std }, generator) => {
        checkSpread('std', std)
        return overwrite(self, () => mean + std * normalFrom(generator))
      },
      isNondeterministic,
    },
  ),
  defineOp(
    'aten::exponential_(Tensor(a!) self, float lambd=1., *, Generator? generator=None) -> Tensor(a!)',
    {
      reference: ({ self, lambd }, generator) => {
        if (!(lambd > 0))
          throw new OperatorArgumentError(`exponential_ expects lambda > 0.0, but found lambda=${lambd}`)
        return overwrite(self, () => -Math.log(1 - generator.random()) / lambd)
      },
      isNondeterministic,
    },
  ),
  defineOp(
    'aten::bernoulli_.float(Tensor(a!) self, float p=0.5, *, Generator? generator=None) -> Tensor(a!)',
    {
      reference: ({ self, p }, generator) => {
        checkProbability(p)
        return overwrite(self, () => Number(generator.random() < p))
      },
      isNondeterministic,
    },
  ),
  defineOp('aten::bernoulli_.Tensor(Tensor(a!) self, Tensor p, *, Generator? generator=None) -> Tensor(a!)', {
    reference: ({ self, p }, generator) => {
      copyInto(self, bernoulli(self.dtype, self.sizes, p, generator))
      return self
    },
    isNondeterministic,
  }),
]

export const randomOperators: readonly Operator[] = [
  ...factories,
  ...inPlaceDraws,
  defineOp('aten::bernoulli(Tensor self, *, Generator? generator=None) -> Tensor', {
    reference: ({ self }, generator) => bernoulli(self.dtype, self.sizes, self, generator),
    isNondeterministic,
  }),
  defineOp('aten::bernoulli.p(Tensor self, float p, *, Generator? generator=None) -> Tensor', {
    reference: ({ self, p }, generator) => {
      checkProbability(p)
      return drawn(self.dtype, self.sizes, () => Number(generator.random() < p))
    },
    isNondeterministic,
  }),
  defineOp('aten::normal.Tensor_float(Tensor mean, float std=1., *, Generator? generator=None) -> Tensor', {
    reference: ({ mean, std }, generator) => {
      checkSpread('std', std)
      const means = floatData(mean)
      return drawn(mean.dtype, mean.sizes, (i) => means[i]! + std * normalFrom(generator))
    },
    isNondeterministic,
  }),
  defineOp(
    'aten::multinomial(Tensor self, int num_samples, bool replacement=False, *, Generator? generator=None) -> Tensor',
    {
      reference: ({ self, num_samples, replacement }, generator) =>
        multinomial(self, num_samples, replacement, generator),
      isNondeterministic,
    },
  ),
]
