import { broadcast, sameSizes, type Scope, type Sizes } from './scope.ts'

/** An expression for a tensor of known sizes. */
export interface TensorText {
  readonly text: string
  readonly sizes: Sizes
}

type Maker = (scope: Scope) => TensorText | undefined

const vector = [4]
const matrix = [4, 4]
const image = [1, 4, 4, 4]

/** Attributes by the class that has them. */
const tensorAttributes: Readonly<Record<string, readonly TensorText[]>> = {
  '': [],
  Sub: [
    { text: 'self.weight', sizes: matrix },
    { text: 'self.buf', sizes: vector },
    { text: 'self.many[0]', sizes: vector },
    { text: 'self.many[1]', sizes: vector },
  ],
  M: [
    { text: 'self.vec', sizes: vector },
    { text: 'self.mat', sizes: matrix },
    { text: 'self.buf', sizes: matrix },
    { text: 'self.buf', sizes: matrix },
    { text: 'self.alias', sizes: vector },
    { text: 'self.alias', sizes: vector },
    { text: 'self.same', sizes: matrix },
    { text: 'self.many[0]', sizes: vector },
    { text: 'self.many[1]', sizes: vector },
    { text: 'self.named["a"]', sizes: vector },
    { text: 'self.named["b"]', sizes: vector },
    { text: '(self.pair)[0]', sizes: matrix },
    { text: 'self.sub.buf', sizes: vector },
    { text: 'self.twin.buf', sizes: vector },
    { text: 'self.sub.weight', sizes: matrix },
    { text: 'self.twin.weight', sizes: matrix },
  ],
}

/** Any tensor that exists already: a variable, an attribute, an element of a list or a dict. */
export function existingTensor(scope: Scope, fits: (sizes: Sizes) => boolean = () => true): TensorText {
  const { random } = scope
  const variables = scope.all('tensor').map(({ name, type }) => ({ text: name, sizes: type.sizes }))
  const elements = scope
    .all('tensors')
    .filter(({ type }) => type.least > 0)
    .map(({ name, type }) => ({ text: `${name}[${random.pick(['0', '-1'])}]`, sizes: type.sizes }))
  const named = scope.all('named').map(({ name, type }) => ({ text: `${name}["a"]`, sizes: type.sizes }))
  const attributes = tensorAttributes[scope.owner] ?? []
  const groups = [variables, variables, variables, [...elements, ...named], attributes]
  const fitting = groups.map((group) => group.filter(({ sizes }) => fits(sizes))).filter((g) => g.length > 0)
  if (fitting.length === 0) return { text: 'torch.tensor(0.5)', sizes: [] }
  return random.pick(random.pick(fitting))
}

export const unaryNames = ['relu', 'tanh', 'sigmoid', 'neg', 'abs', 'clone', 'sign', 'hardtanh'] as const
const binaryNames = ['add', 'sub', 'mul', 'maximum'] as const

/** As libtorch writes it. */
function listText(sizes: Sizes): string {
  return sizes.length === 0 ? 'annotate(List[int], [])' : `[${sizes.join(', ')}]`
}

const unary: Maker = (scope) => {
  const { text, sizes } = existingTensor(scope)
  return { text: `torch.${scope.random.pick(unaryNames)}(${text})`, sizes }
}

const binary: Maker = (scope) => {
  const a = existingTensor(scope)
  const b = existingTensor(scope, (sizes) => broadcast(a.sizes, sizes) !== undefined)
  const sizes = broadcast(a.sizes, b.sizes)
  return sizes && { text: `torch.${scope.random.pick(binaryNames)}(${a.text}, ${b.text})`, sizes }
}

const withNumber: Maker = (scope) => {
  const { text, sizes } = existingTensor(scope)
  const { random } = scope
  const number = random.pick(['2', '0.5', '-1.', '0', '1', '1.', intText(scope), floatText(scope)])
  const name = random.pick(['add', 'sub', 'mul'])
  const alpha = name !== 'mul' && random.chance(0.2) ? ', 2' : ''
  return { text: `torch.${name}(${text}, ${number}${alpha})`, sizes }
}

/** An expression for the same memory, or maybe the same. */
export const view: Maker = (scope) => {
  const { text, sizes } = existingTensor(scope)
  const { random } = scope
  const same = random.pick([
    `torch.detach(${text})`,
    `torch.contiguous(${text})`,
    `torch.slice(${text})`,
    `torch.to(${text}, 6)`,
    `torch.dropout(${text}, 0.5, False)`,
    `torch.view(${text}, ${listText(sizes)})`,
    `torch.reshape(${text}, ${listText(sizes)})`,
  ])
  const [first = 0] = sizes
  if (sizes.length === 0 || first === 0) return { text: same.replace('torch.slice(', 'torch.clone('), sizes }
  if (random.chance(0.3))
    return same.startsWith('torch.view')
      ? { text: `torch.unsqueeze(${text}, 0)`, sizes: [1, ...sizes] }
      : { text: same, sizes }
  const rest = sizes.slice(1)
  switch (random.below(4)) {
    case 0:
      return { text: `torch.select(${text}, 0, ${random.below(first)})`, sizes: rest }
    case 1: {
      const end = 1 + random.below(first)
      return { text: `torch.slice(${text}, 0, 0, ${end})`, sizes: [end, ...rest] }
    }
    case 2:
      return sizes.length < 2
        ? undefined
        : {
            text: `torch.transpose(${text}, -1, -2)`,
            sizes: [...sizes.slice(0, -2), sizes.at(-1) ?? 1, sizes.at(-2) ?? 1],
          }
    default:
      return first % 2 === 0
        ? { text: `(torch.chunk(${text}, 2, 0))[${random.below(2)}]`, sizes: [first / 2, ...rest] }
        : undefined
  }
}

const joined: Maker = (scope) => {
  const a = existingTensor(scope, (sizes) => sizes.length > 0 && (sizes[0] ?? 0) <= 8)
  if (a.sizes.length === 0) return undefined
  const b = existingTensor(scope, (sizes) => sameSizes(sizes, a.sizes))
  const [first = 0, ...rest] = a.sizes
  return scope.random.chance(0.5)
    ? { text: `torch.cat([${a.text}, ${b.text}], 0)`, sizes: [2 * first, ...rest] }
    : { text: `torch.select(torch.stack([${a.text}, ${b.text}], 0), 0, 1)`, sizes: a.sizes }
}

const reduced: Maker = (scope) => ({
  text: `torch.${scope.random.pick(['sum', 'mean', 'max'])}(${existingTensor(scope).text})`,
  sizes: [],
})

const fresh: Maker = (scope) => {
  const sizes = scope.random.pick([vector, matrix, []])
  return { text: `torch.${scope.random.pick(['zeros', 'ones'])}(${listText(sizes)})`, sizes }
}

/** Layers, on inputs that fit: convolutions 1d, 2d and transposed, batch norms, linear. */
const layer: Maker = (scope) => {
  if (scope.owner !== 'M') return undefined
  const { random } = scope
  const norm = (text: string): string =>
    `torch.batch_norm(${text}, self.${random.pick(['vec', 'alias'])}, self.conv_bias, self.mean, self.variance, ${random.pick(['False', 'False', 'self.training'])}, 0.1, 0.001, True)`
  const bias = random.pick(['self.conv_bias', 'self.no_bias', 'None'])
  const rank4 = existingTensor(scope, (sizes) => sameSizes(sizes, image))
  if (random.chance(0.6) && rank4.sizes.length === 4) {
    const conv = random.pick([
      `torch.conv2d(${rank4.text}, self.conv_weight, ${bias}, [1, 1], [1, 1])`,
      `torch.conv2d(${rank4.text}, torch.slice(self.conv_weight, 1, 0, 1), ${bias}, [1, 1], [1, 1], [1, 1], 4)`,
      `torch.conv_transpose2d(${rank4.text}, self.conv_weight, ${bias}, [1, 1], [1, 1])`,
    ])
    return { text: random.chance(0.6) ? norm(conv) : conv, sizes: image }
  }
  const rank3 = existingTensor(scope, (sizes) => sameSizes(sizes, matrix))
  if (rank3.sizes.length !== 2) return undefined
  const text = random.pick([
    `torch.linear(${rank3.text}, self.mat, ${bias})`,
    `torch.matmul(${rank3.text}, self.mat)`,
    `torch.squeeze(torch.conv1d(torch.unsqueeze(${rank3.text}, 0), torch.select(self.conv_weight, -1, 1), ${bias}, [1], [1]), 0)`,
  ])
  return { text: random.chance(0.4) ? norm(text) : text, sizes: matrix }
}

const called: Maker = (scope) => {
  if (scope.callees.length === 0) return undefined
  const callee = scope.random.pick(scope.callees)
  const takesVector = callee.includes('sub') || callee.includes('twin')
  const { text, sizes } = existingTensor(scope, (s) => sameSizes(s, takesVector ? vector : matrix))
  if (sizes.length === 0) return undefined
  return { text: `${callee}(${text}, ${intText(scope)})`, sizes }
}

const makers: readonly (readonly [number, Maker])[] = [
  [3, unary],
  [4, binary],
  [3, withNumber],
  [4, view],
  [1, joined],
  [1, reduced],
  [1, fresh],
  [3, layer],
  [2, called],
  [1, (scope) => existingTensor(scope)],
]

export function tensorText(scope: Scope): TensorText {
  return scope.random.weighted(makers)(scope) ?? existingTensor(scope)
}

/** A tensor of given sizes. */
export function tensorOfSizes(scope: Scope, sizes: Sizes): string {
  for (let attempt = 0; attempt < 6; attempt++) {
    const made = tensorText(scope)
    if (sameSizes(made.sizes, sizes)) return made.text
  }
  const found = existingTensor(scope, (other) => sameSizes(other, sizes))
  return sameSizes(found.sizes, sizes) ? found.text : `torch.zeros(${listText(sizes)})`
}

/** A small int. */
export function intText(scope: Scope, depth = 0): string {
  const { random } = scope
  const leaves = [
    ...scope.all('int').map(({ name }) => name),
    ...scope.all('ints').map(({ name }) => `${name}[0]`),
    ...scope.all('tensors').map(({ name }) => `torch.len(${name})`),
    ...(scope.owner === '' ? [] : ['self.n']),
    ...(scope.owner === 'M'
      ? ['(self.pair)[1]', 'self.steps[0]', 'self.sub.n', 'torch.len(self.steps)']
      : []),
  ]
  if (leaves.length === 0 || random.chance(0.3)) return String(random.below(4))
  if (depth > 1 || random.chance(0.5)) return random.pick(leaves)
  const [a, b] = [intText(scope, depth + 1), intText(scope, depth + 1)]
  return random.pick([
    `torch.remainder(torch.add(${a}, ${b}), 5)`,
    `torch.sub(${a}, ${b})`,
    `torch.remainder(torch.mul(${a}, ${b}), 3)`,
    `torch.size(${existingTensor(scope, (sizes) => sizes.length > 0).text}, 0)`,
    `ops.prim.min(${a}, ${b})`,
  ])
}

function floatText(scope: Scope): string {
  return scope.owner === 'M' ? 'self.scale' : '0.25'
}

export function boolText(scope: Scope): string {
  const { random } = scope
  const [a, b] = [intText(scope), intText(scope)]
  const choices = [
    `torch.${random.pick(['lt', 'gt', 'eq', 'ne', 'le'])}(${a}, ${b})`,
    `bool(torch.gt(torch.sum(${existingTensor(scope).text}), ${random.pick(['0', '1.', '-1'])}))`,
    ...scope.all('bool').map(({ name }) => name),
    ...(scope.owner === 'M'
      ? ['self.flag', 'torch.eq(self.mode, "sum")', 'torch.__contains__(self.named, "b")']
      : []),
    random.pick(['True', 'False']),
  ]
  const choice = random.pick(choices)
  return random.chance(0.15) ? `torch.__not__(${choice})` : choice
}
