import { describe, expect, it } from 'vitest'
import { cascade, noise } from '../../test/support/conv-bn-models.ts'
import { ModuleSource } from '../../test/support/modules.ts'
import type { Graph } from '../ir/graph.ts'
import { IntT, TensorT } from '../ir/types.ts'
import { Double, List, type ScriptObject } from '../ir/ivalue.ts'
import { freeze } from './freeze-module.ts'
import { formatFreezeReport } from './freeze-report.ts'
import { methodOf } from './support/inline-module.ts'

const graphOf = (module: ScriptObject, method = 'forward'): Graph => methodOf(module, method).graph
const kindsOf = (graph: Graph): string[] =>
  [...graph.nodes()].map((node) => node.kind).filter((kind) => kind !== 'prim::Constant')

describe('freeze', () => {
  it('dissolves submodules and leaves convolutions and activations', () => {
    const { module } = freeze(cascade(), { verify: true })
    expect(module.type.name).toBe('__torch__.Cascade')
    expect([...module.slots.keys()]).toEqual([])
    expect([...module.type.methods.keys()]).toEqual(['forward'])
    expect(kindsOf(graphOf(module))).toEqual(['aten::conv2d', 'aten::relu', 'aten::conv2d', 'aten::relu'])
  })

  it('keeps batch norms when results must stay the same to the last bit', () => {
    const { module, report } = freeze(cascade(), { optimizeNumerics: false, verify: true })
    expect(kindsOf(graphOf(module))).toContain('aten::batch_norm')
    expect(report.passes.map((pass) => pass.name)).not.toContain('fold-conv-batch-norm')
  })

  it('names constants after their path', () => {
    const { module } = freeze(cascade(), { optimizeNumerics: false })
    const weights = [...graphOf(module).nodes('aten::conv2d')].map((node) => node.input(1).debugName)
    expect(weights).toEqual(['self.block1.conv.weight', 'self.block2.conv.weight'])
  })

  it('leaves the given module as it was', () => {
    const module = cascade()
    const before = kindsOf(graphOf(module))
    freeze(module)
    expect(kindsOf(graphOf(module))).toEqual(before)
    expect([...module.slots.keys()]).toEqual(['training', 'block1', 'block2'])
  })

  it('refuses a module in training mode and names the flag', () => {
    expect(() => freeze(cascade(true))).toThrow('the module is in training mode: training is true')
    const module = cascade()
    const bn = (module.slots.get('block1') as ScriptObject).slots.get('bn') as ScriptObject
    bn.slots.set('training', true)
    expect(() => freeze(module)).toThrow('the module is in training mode: block1.bn.training is true')
  })

  it('freezes a module in training mode as if it were not, when the flag is given', () => {
    const { module } = freeze(cascade(true), { flags: { training: false } })
    expect(kindsOf(graphOf(module))).toEqual(['aten::conv2d', 'aten::relu', 'aten::conv2d', 'aten::relu'])
  })

  it('reports every attribute', () => {
    const { report } = freeze(cascade())
    const statuses = new Map(report.entries.map((entry) => [entry.path, entry.status]))
    expect(statuses.get('block1.conv.weight')).toBe('frozen')
    expect(statuses.get('block1.conv.bias')).toBe('frozen')
    expect(statuses.get('block2.conv.training')).toBe('dropped')
    expect(report.entries.find(({ path }) => path === 'block1.bn.num_batches_tracked')).toMatchObject({
      status: 'dropped',
      reason: 'nothing uses it any longer',
    })
    expect(formatFreezeReport(report)).toMatch(
      /block1\.conv\.training +attribute +bool.*dropped because no preserved method/,
    )
  })
})

const stateful = `
class Inner(Module):
  __parameters__ = ["weight", ]
  __buffers__ = ["count", ]
  weight : Tensor
  count : Tensor
  scale : int
  def forward(self: __torch__.Inner, x: Tensor) -> Tensor:
    count = self.count
    _0 = torch.add_(count, 1)
    return torch.mul(torch.mul(x, self.weight), self.scale)
class Outer(Module):
  __parameters__ = []
  __buffers__ = []
  inner : __torch__.Inner
  steps : int
  sizes : List[int]
  def forward(self: __torch__.Outer, x: Tensor) -> Tensor:
    inner = self.inner
    return (inner).forward(x, )
  def step(self: __torch__.Outer, x: Tensor) -> Tensor:
    self.steps = torch.add(self.steps, 1)
    return torch.view(x, self.sizes)
`

function outer(): ScriptObject {
  const source = new ModuleSource(stateful)
  const inner = source.make('Inner', { weight: noise([2]), count: noise([]), scale: 3 })
  return source.make('Outer', { inner, steps: 0, sizes: new List([2], IntT) })
}

describe('freeze and state', () => {
  it('keeps what a preserved method writes in place, with the way to it', () => {
    const { module, report } = freeze(outer(), { verify: true })
    const inner = module.slots.get('inner') as ScriptObject
    expect([...module.slots.keys()]).toEqual(['inner'])
    expect([...inner.slots.keys()]).toEqual(['count'])
    expect([...inner.type.attributes.keys()]).toEqual(['count'])
    expect(report.entries.find((entry) => entry.path === 'inner.count')).toMatchObject({
      status: 'kept',
      reason: expect.stringMatching(/^aten::add_ writes it/) as string,
    })
  })

  it('gives values in the graph the classes of the frozen module', () => {
    const { module } = freeze(outer())
    expect(graphOf(module).inputs[0]?.type).toBe(module.type)
    const read = [...graphOf(module).nodes('prim::GetAttr')][0]
    expect(read?.output().type).toBe((module.slots.get('inner') as ScriptObject).type)
  })

  it('keeps what a preserved method assigns, and the method', () => {
    const { module } = freeze(outer(), { preserved: ['step'], verify: true })
    expect([...module.type.methods.keys()]).toEqual(['forward', 'step'])
    expect([...module.slots.keys()]).toEqual(['inner', 'steps'])
    expect(kindsOf(graphOf(module, 'step'))).toEqual([
      'prim::GetAttr',
      'aten::add',
      'prim::SetAttr',
      'aten::view',
    ])
  })

  it('drops methods that are not preserved and what only they need', () => {
    const { report } = freeze(outer())
    expect(report.entries.find((entry) => entry.path === 'steps')).toMatchObject({ status: 'dropped' })
  })

  it('keeps an attribute that is preserved by name', () => {
    const { module } = freeze(outer(), { preserved: ['inner.scale', 'sizes'] })
    expect([...module.slots.keys()]).toEqual(['inner', 'sizes'])
    expect([...(module.slots.get('inner') as ScriptObject).slots.keys()]).toEqual(['count', 'scale'])
    expect(kindsOf(graphOf(module))).toContain('prim::GetAttr')
  })

  it('keeps a submodule whole that is preserved by name', () => {
    const original = outer()
    const { module } = freeze(original, { preserved: ['inner'] })
    expect(module.slots.get('inner')).toBe(original.slots.get('inner'))
  })

  it('says which name it does not know', () => {
    expect(() => freeze(outer(), { preserved: ['inner.weights'] })).toThrow('Unknown name: inner.weights')
  })
})

const aliased = `
class M(Module):
  __parameters__ = []
  __buffers__ = []
  a : Tensor
  b : Tensor
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    a = self.a
    _0 = torch.add_(a, x)
    return torch.add(x, self.b)
`

const storing = `
class M(Module):
  __parameters__ = []
  __buffers__ = []
  a : Tensor
  b : Tensor
  c : Tensor
  kept : List[Tensor]
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    return torch.add(torch.add(x, self.a), self.c)
  def store(self: __torch__.M) -> int:
    self.b = self.a
    return 0
  def write(self: __torch__.M, x: Tensor) -> Tensor:
    return torch.add_(self.b, x)
  def append(self: __torch__.M) -> int:
    _0 = torch.append(self.kept, self.a)
    return 0
  def writeFirst(self: __torch__.M, x: Tensor) -> Tensor:
    return torch.add_((self.kept)[0], x)
`

describe('freeze and aliases', () => {
  it('keeps an attribute whose memory is written through another', () => {
    const shared = noise([4])
    const module = new ModuleSource(aliased).make('M', { a: shared.asStrided([2], [2]), b: shared })
    expect([...freeze(module).module.slots.keys()]).toEqual(['a', 'b'])
  })

  it('keeps one that a method stores where another method writes', () => {
    const make = (): ScriptObject =>
      new ModuleSource(storing).make('M', {
        a: noise([2]),
        b: noise([2]),
        kept: new List([], TensorT),
        c: noise([2]),
      })
    const slots = (...preserved: string[]): string[] => [
      ...freeze(make(), { preserved, verify: true }).module.slots.keys(),
    ]
    expect(slots('store', 'write')).toEqual(['a', 'b'])
    expect(slots('append', 'writeFirst')).toEqual(['a', 'kept'])
    expect(slots('store')).toEqual(['b'])
    expect(slots('writeFirst')).toEqual(['kept'])
  })

  it('freezes one whose memory is its own', () => {
    const module = new ModuleSource(aliased).make('M', { a: noise([2]), b: noise([2]) })
    expect([...freeze(module).module.slots.keys()]).toEqual(['a'])
  })
})

const interfaces = `
class Activation(ModuleInterface):
  def forward(self, x: Tensor) -> Tensor:
    pass
class Relu(Module):
  __parameters__ = []
  __buffers__ = []
  limit : float
  def forward(self: __torch__.Relu, x: Tensor) -> Tensor:
    return torch.clamp_max(torch.relu(x), self.limit)
class M(Module):
  __parameters__ = []
  __buffers__ = []
  activation : __torch__.Activation
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    activation = self.activation
    return (activation).forward(x, )
`

describe('freeze and interfaces', () => {
  it('inlines what is behind an interface', () => {
    const source = new ModuleSource(interfaces)
    const module = source.make('M', { activation: source.make('Relu', { limit: new Double(6) }) })
    const frozen = freeze(module, { verify: true })
    expect(kindsOf(graphOf(frozen.module))).toEqual(['aten::relu', 'aten::clamp_max'])
    expect([...frozen.module.slots.keys()]).toEqual([])
  })
})

const cyclic = `
class M(Module):
  __parameters__ = []
  __buffers__ = []
  me : __torch__.M
  count : Tensor
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    me = self.me
    me0 = me.me
    count = me0.count
    return torch.add_(count, x)
`

describe('freeze and modules that hold themselves', () => {
  it('refuses them', () => {
    const module = new ModuleSource(cyclic).make('M', { count: noise([2]) })
    module.slots.set('me', module)
    expect(() => freeze(module)).toThrow('a module holds itself')
  })
})

const coded = `
class Coder:
  scale : float
  steps : List[int]
class M(Module):
  __parameters__ = []
  __buffers__ = []
  coder : __torch__.Coder
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    coder = self.coder
    y = torch.mul(x, coder.scale)
    return torch.mul(y, (coder.steps)[0])
  def rescale(self: __torch__.M) -> int:
    coder = self.coder
    coder.scale = 3.
    return 0
`

describe('freeze and objects that are no modules', () => {
  const module = (): ScriptObject => {
    const source = new ModuleSource(coded)
    const coder = source.make('Coder', { scale: new Double(2), steps: new List([4], IntT) })
    return source.make('M', { coder })
  }
  const reads = (...preserved: string[]): string[] =>
    [...graphOf(freeze(module(), { preserved, verify: true }).module).nodes('prim::GetAttr')].map((node) =>
      node.stringAttribute('name'),
    )

  it('reads numbers of theirs now, and what can be written in place when it runs', () => {
    expect(reads()).toEqual(['coder', 'steps'])
  })

  it('reads when it runs what a method assigns', () => {
    expect(reads('rescale')).toEqual(['coder', 'scale', 'steps'])
  })
})
