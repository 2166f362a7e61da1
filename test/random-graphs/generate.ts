import { attributeNames } from './model.ts'
import { existingTensor, intText, tensorOfSizes, tensorText } from './expressions.ts'
import type { Method, Program } from './program.ts'
import { Random } from './random.ts'
import { Scope, type Sizes } from './scope.ts'
import { statements } from './statements.ts'

/** The program of a seed: two methods to call, and what they call. */
export function generateProgram(seed: number): Program {
  const random = new Random(seed)
  const size = 2 + random.below(9)
  const methods = [
    helper(random, '', 'fn', 'a: Tensor, b: int', [4, 4], []),
    helper(random, 'Sub', 'forward', 'self: __torch__.Sub, a: Tensor, b: int', [4], []),
    helper(random, 'M', 'helper', 'self: __torch__.M, a: Tensor, b: int', [4, 4], ['__torch__.fn']),
    entry(random, 'forward', size),
    entry(random, 'other', random.chance(0.5) ? size : 1),
  ]
  const preserved = attributeNames.filter(() => random.chance(0.08))
  const subPreserved = random.chance(0.1) ? [random.pick(['sub.buf', 'twin.n', 'sub.weight'])] : []
  const isKept = (name: string): boolean => !subPreserved.some((path) => path.startsWith(`${name}.`))
  return {
    seed,
    methods,
    preserved: [...(random.chance(0.7) ? ['other'] : []), ...preserved.filter(isKept), ...subPreserved],
  }
}

function helper(
  random: Random,
  owner: string,
  name: string,
  parameters: string,
  sizes: Sizes,
  callees: readonly string[],
): Method {
  const scope = new Scope(random, owner, callees)
  scope.add('a', { kind: 'tensor', sizes })
  scope.add('b', { kind: 'int' })
  const body = statements(scope, 4)
  return {
    owner,
    head: `def ${name}(${parameters}) -> Tensor:`,
    body,
    last: `return ${tensorOfSizes(scope, sizes)}`,
  }
}

const callable = ['__torch__.fn', '(self).helper', '(self.sub).forward', '(self.twin).forward']

function entry(random: Random, name: string, size: number): Method {
  const scope = new Scope(random, 'M', callable)
  scope.add('x', { kind: 'tensor', sizes: [1, 4, 4, 4] })
  scope.add('m', { kind: 'tensor', sizes: [4, 4] })
  scope.add('k', { kind: 'int' })
  scope.add('go', { kind: 'bool' })
  const body = statements(scope, size)
  const results = [tensorText(scope).text, existingTensor(scope).text, intText(scope)]
  const list = `[${existingTensor(scope).text}, ${existingTensor(scope).text}]`
  return {
    owner: 'M',
    head: `def ${name}(self: __torch__.M, x: Tensor, m: Tensor, k: int, go: bool) -> Tuple[Tensor, Tensor, int, List[Tensor]]:`,
    body,
    last: `return (${results.join(', ')}, ${list})`,
  }
}
