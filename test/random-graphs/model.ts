import { Dict, Double, List, Tuple, type ScriptObject } from '../../src/ir/ivalue.ts'
import { IntT, StringT, TensorT } from '../../src/ir/types.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { noise } from '../support/conv-bn-models.ts'
import { ModuleSource } from '../support/modules.ts'
import { printMethods, type Program } from './program.ts'
import { Random } from './random.ts'

/** What every program finds on `self`: each kind of attribute, memory that has two names, a submodule with two. */
const attributes = {
  Sub: `
  __parameters__ = ["weight", ]
  __buffers__ = ["buf", ]
  training : bool
  weight : Tensor
  buf : Tensor
  n : int
  many : List[Tensor]`,
  M: `
  __parameters__ = ["vec", "mat", "conv_weight", "conv_bias", ]
  __buffers__ = ["buf", "alias", "mean", "variance", "count", ]
  training : bool
  vec : Tensor
  mat : Tensor
  conv_weight : Tensor
  conv_bias : Tensor
  no_bias : Optional[Tensor]
  mean : Tensor
  variance : Tensor
  buf : Tensor
  alias : Tensor
  same : Tensor
  count : Tensor
  n : int
  scale : float
  flag : bool
  mode : str
  maybe : Optional[Tensor]
  steps : List[int]
  many : List[Tensor]
  named : Dict[str, Tensor]
  pair : Tuple[Tensor, int]
  sub : __torch__.Sub
  twin : __torch__.Sub`,
}

export const attributeNames = attributes.M.split('\n')
  .map((line) => /^ {2}(\w+) :/.exec(line)?.[1])
  .filter((name) => name !== undefined && name !== 'training') as string[]

/** The program as the text of `__torch__.py`. */
export function sourceOf({ methods }: Program): string {
  const classes = (['Sub', 'M'] as const).map(
    (owner) => `class ${owner}(Module):${attributes[owner]}\n${printMethods(methods, owner)}`,
  )
  return printMethods(methods, '') + classes.join('')
}

/** Makes the module of a program; each call makes a new one with the same content. */
export function moduleFactory(program: Program): () => ScriptObject {
  const modules = new ModuleSource(sourceOf(program))
  return () => makeModule(modules, new Random(program.seed))
}

function makeModule(modules: ModuleSource, random: Random): ScriptObject {
  let next = random.below(1000) * 1000
  const tensor = (...sizes: number[]): Tensor => noise(sizes, ++next)
  const view = (of: Tensor, sizes: number[], storageOffset: number): Tensor =>
    new Tensor(of.storage, of.dtype, sizes, { storageOffset })
  const sub = (buf: Tensor): ScriptObject =>
    modules.make('Sub', {
      training: false,
      weight: tensor(4, 4),
      buf,
      n: random.below(4),
      many: new List([tensor(4), buf], TensorT),
    })
  const buf = tensor(4, 4)
  const mat = tensor(4, 4)
  const named = new Dict(StringT, TensorT)
  named.set('a', tensor(4))
  named.set('b', random.chance(0.5) ? view(buf, [4], 4) : tensor(4))
  const first = sub(random.chance(0.3) ? view(buf, [4], 8) : tensor(4))
  return modules.make('M', {
    training: false,
    vec: tensor(4),
    mat,
    conv_weight: tensor(4, 4, 3, 3),
    conv_bias: tensor(4),
    no_bias: null,
    mean: tensor(4),
    variance: noise([4], ++next, 0.5, 1.5),
    buf,
    alias: view(buf, [4], 4 * random.below(4)),
    same: random.chance(0.5) ? buf : mat,
    count: Tensor.from('int64', [], [random.below(3)]),
    n: random.below(4),
    scale: new Double(random.pick([0.5, 1, 2, -1.25])),
    flag: random.chance(0.5),
    mode: random.pick(['sum', 'mean']),
    maybe: random.chance(0.5) ? tensor(4) : null,
    steps: new List([1, random.below(3), 2], IntT),
    many: new List([tensor(4), random.chance(0.5) ? view(buf, [4], 0) : tensor(4)], TensorT),
    named,
    pair: new Tuple([tensor(4, 4), random.below(3)]),
    sub: first,
    twin: random.chance(0.5) ? first : sub(tensor(4)),
  })
}
