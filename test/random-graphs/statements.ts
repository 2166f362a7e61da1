import { boolText, existingTensor, intText, tensorOfSizes, tensorText, view } from './expressions.ts'
import type { Statement, Statements } from './program.ts'
import { broadcast, sameSizes, type Kind, type Scope, type Sizes } from './scope.ts'

type Maker = (scope: Scope) => Statements

const one = (text: string): Statements => [{ text }]

const assignTensor: Maker = (scope) => {
  const { text, sizes } = tensorText(scope)
  const targets = scope.all('tensor').filter(({ type }) => sameSizes(type.sizes, sizes))
  if (targets.length > 0 && scope.random.chance(0.5))
    return one(`${scope.random.pick(targets).name} = ${text}`)
  return one(`${scope.add(scope.freshName(), { kind: 'tensor', sizes })} = ${text}`)
}

const assignInt: Maker = (scope) => {
  const text = intText(scope)
  const targets = scope.all('int').filter(({ fixed }) => fixed !== true)
  if (targets.length > 0 && scope.random.chance(0.6))
    return one(`${scope.random.pick(targets).name} = ${text}`)
  return one(`${scope.add(scope.freshName(), { kind: 'int' })} = ${text}`)
}

const assignBool: Maker = (scope) => {
  const text = boolText(scope)
  return one(`${scope.add(scope.freshName(), { kind: 'bool' })} = ${text}`)
}

/** Writes in place, often through a view. */
const write: Maker = (scope) => {
  const { random } = scope
  const target = (random.chance(0.5) ? view(scope) : undefined) ?? existingTensor(scope)
  const source = existingTensor(scope, (sizes) => {
    const result = broadcast(target.sizes, sizes)
    return result !== undefined && sameSizes(result, target.sizes)
  })
  const text = random.pick([
    `torch.add_(${target.text}, ${source.text})`,
    `torch.sub_(${target.text}, ${source.text}, alpha=2)`,
    `torch.copy_(${target.text}, ${source.text})`,
    `torch.mul_(${target.text}, ${random.pick(['0.5', '-1', '2', '0'])})`,
    `torch.add_(${target.text}, ${intText(scope)})`,
    `torch.fill_(${target.text}, ${random.pick(['0.5', '1'])})`,
    `torch.zero_(${target.text})`,
    `torch.relu_(${target.text})`,
    `torch.tanh_(${target.text})`,
  ])
  if (random.chance(0.7)) return one(`${scope.freshName()}_ = ${text}`)
  return one(`${scope.add(scope.freshName(), { kind: 'tensor', sizes: target.sizes })} = ${text}`)
}

/** Attributes that statements assign to, by class. */
const assignable: Readonly<Record<string, readonly (readonly [string, Sizes | 'int' | 'bool'])[]>> = {
  '': [],
  Sub: [
    ['self.buf', [4]],
    ['self.n', 'int'],
  ],
  M: [
    ['self.buf', [4, 4]],
    ['self.alias', [4]],
    ['self.vec', [4]],
    ['self.same', [4, 4]],
    ['self.maybe', [4]],
    ['self.n', 'int'],
    ['self.flag', 'bool'],
    ['sub.buf', [4]],
    ['sub.n', 'int'],
    ['twin.buf', [4]],
  ],
}

const setAttribute: Maker = (scope) => {
  const targets = assignable[scope.owner] ?? []
  if (targets.length === 0) return []
  const [target, type] = scope.random.pick(targets)
  const value =
    type === 'int' ? intText(scope) : type === 'bool' ? boolText(scope) : tensorOfSizes(scope, type)
  const holder = target.slice(0, target.indexOf('.'))
  return [...(holder === 'self' ? [] : one(`${holder} = self.${holder}`)), ...one(`${target} = ${value}`)]
}

const makeContainer: Maker = (scope) => {
  const { random } = scope
  const a = existingTensor(scope)
  const b = existingTensor(scope, (sizes) => sameSizes(sizes, a.sizes))
  const name = scope.freshName()
  switch (random.below(4)) {
    case 0:
      scope.add(name, { kind: 'tensors', sizes: a.sizes, least: 2 })
      return one(`${name} = [${a.text}, ${b.text}]`)
    case 1:
      scope.add(name, { kind: 'tensors', sizes: a.sizes, least: 0 })
      return one(`${name} = annotate(List[Tensor], [])`)
    case 2: {
      const items = `[${intText(scope)}, ${intText(scope)}]`
      return one(`${scope.add(name, { kind: 'ints' })} = ${items}`)
    }
    default:
      scope.add(name, { kind: 'named', sizes: a.sizes })
      return one(`${name} = {"a": ${a.text}, "c": ${b.text}}`)
  }
}

/** The lists of tensors that a statement may write: variables, and the module's own. */
const listsOf = (scope: Scope): readonly (readonly [text: string, sizes: Sizes, least: number])[] => [
  ...scope.all('tensors').map(({ name, type }) => [name, type.sizes, type.least] as const),
  ...(scope.owner === '' ? [] : [['self.many', [4], 2] as const]),
]

const writeContainer: Maker = (scope) => {
  const { random } = scope
  const lists = listsOf(scope)
  const dicts = [
    ...scope.all('named').map(({ name, type }) => [name, type.sizes] as const),
    ...(scope.owner === 'M' ? [['self.named', [4]] as const] : []),
  ]
  const ints = [...scope.all('ints').map(({ name }) => name), ...(scope.owner === 'M' ? ['self.steps'] : [])]
  const which = random.below(5)
  if (which < 3 && lists.length > 0) {
    const [list, sizes, least] = random.pick(lists)
    const value = tensorOfSizes(scope, sizes)
    const append = `${scope.freshName()}_ = torch.append(${list}, ${value})`
    return one(
      least > 0 && random.chance(0.5)
        ? `${scope.freshName()}_ = torch._set_item(${list}, 0, ${value})`
        : append,
    )
  }
  if (which === 3 && dicts.length > 0) {
    const [dict, sizes] = random.pick(dicts)
    return one(`torch._set_item(${dict}, "${random.pick(['a', 'd'])}", ${tensorOfSizes(scope, sizes)})`)
  }
  if (ints.length === 0) return []
  return one(`${scope.freshName()}_ = torch._set_item(${random.pick(ints)}, 0, ${intText(scope)})`)
}

const takeApart: Maker = (scope) => {
  const [pair, x, y, n] = [scope.freshName(), scope.freshName(), scope.freshName(), scope.freshName()]
  const a = tensorText(scope)
  const b = existingTensor(scope)
  const statements = [
    ...one(`${pair} = (${a.text}, ${b.text}, ${intText(scope)})`),
    ...one(`${x}, ${y}, ${n} = ${pair}`),
  ]
  scope.add(x, { kind: 'tensor', sizes: a.sizes })
  scope.add(y, { kind: 'tensor', sizes: b.sizes })
  scope.add(n, { kind: 'int' })
  return statements
}

const raise: Maker = (scope) => [
  {
    text: `if torch.gt(${intText(scope)}, 6):`,
    blocks: [one('ops.prim.RaiseException("too large", "builtins.ValueError")'), []],
  },
]

const print: Maker = (scope) => one(`print("n", ${intText(scope)})`)

const simple: readonly (readonly [number, Maker])[] = [
  [8, assignTensor],
  [3, assignInt],
  [1, assignBool],
  [4, write],
  [2, setAttribute],
  [1, makeContainer],
  [2, writeContainer],
  [1, takeApart],
  [0.3, raise],
  [0.2, print],
]

/** Two branches; sometimes a new name gets its value in both. */
const condition: Maker = (scope) => {
  const text = `if ${boolText(scope)}:`
  const [left, right] = [scope.inner(), scope.inner()]
  const blocks = [statements(left, 3), scope.random.chance(0.6) ? statements(right, 3) : []]
  if (scope.random.chance(0.4)) return [{ text, blocks }]
  const name = scope.freshName()
  const first = tensorText(left)
  const second = tensorOfSizes(right, first.sizes)
  scope.add(name, { kind: 'tensor', sizes: first.sizes })
  return [
    {
      text,
      blocks: [
        [...(blocks[0] ?? []), ...one(`${name} = ${first.text}`)],
        [...(blocks[1] ?? []), ...one(`${name} = ${second}`)],
      ],
    },
  ]
}

const optional: Maker = (scope) => {
  if (scope.owner !== 'M') return []
  const [maybe, name] = [scope.freshName(), scope.freshName()]
  const otherwise = tensorOfSizes(scope, [4])
  scope.add(name, { kind: 'tensor', sizes: [4] })
  return [
    { text: `${maybe} = self.maybe` },
    {
      text: `if torch.__is__(${maybe}, None):`,
      blocks: [one(`${name} = ${otherwise}`), one(`${name} = unchecked_cast(Tensor, ${maybe})`)],
    },
  ]
}

const loop: Maker = (scope) => {
  const { random } = scope
  const counter = scope.freshName()
  const count = random.chance(0.5) ? String(random.below(4)) : `ops.prim.min(${intText(scope)}, 3)`
  const body = scope.inner()
  body.add(counter, { kind: 'int' } satisfies Kind, true)
  if (random.chance(0.65))
    return [{ text: `for ${counter} in range(${count}):`, blocks: [statements(body, 4)] }]
  const inside = [...statements(body, 3), ...one(`${counter} = torch.add(${counter}, 1)`)]
  const extra = random.chance(0.5) ? ` and ${boolText(scope)}` : ''
  return [
    ...one(`${counter} = 0`),
    { text: `while torch.lt(${counter}, ${random.below(4)})${extra}:`, blocks: [inside] },
  ]
}

const nested: readonly (readonly [number, Maker])[] = [
  [2, condition],
  [1, optional],
  [2, loop],
]

/** Up to `most` statements; fewer the deeper they are. */
export function statements(scope: Scope, most: number): Statement[] {
  const { random } = scope
  const made: Statement[] = []
  const count = 1 + random.below(most)
  for (let i = 0; i < count; i++) {
    const maker = random.weighted(scope.depth < 3 && random.chance(0.22) ? nested : simple)
    made.push(...maker(scope))
  }
  return made
}
