import { describe, expect, it } from 'vitest'
import { cascade, noise } from '../../test/support/conv-bn-models.ts'
import { ModuleSource } from '../../test/support/modules.ts'
import type { Graph } from '../ir/graph.ts'
import { printGraph } from '../ir/graph-printer.ts'
import { FreezeError, InvalidParamNameError } from './errors.ts'
import { freezeParams, paramNames } from './freeze-params.ts'
import { inlinedGraph } from './preoptimize.ts'
import { methodOf } from './support/inline-module.ts'

function inputsOf(graph: Graph, kind: string, argument: number): string[] {
  return [...graph.nodes(kind)].map((node) => node.input(argument).node.kind)
}

describe('freezeParams', () => {
  it('leaves no parameter of that name to be read in front of a convolution or batch norm', () => {
    const { graph } = freezeParams(cascade(), 'forward', 'weight')
    expect(inputsOf(graph, 'aten::conv2d', 1)).toEqual(['prim::Constant', 'prim::Constant'])
    expect(inputsOf(graph, 'aten::batch_norm', 1)).toEqual(['prim::Constant', 'prim::Constant'])
    expect(inputsOf(graph, 'aten::batch_norm', 2)).toEqual(['prim::GetAttr', 'prim::GetAttr'])
  })

  it('names constants after the value and the parameter and gives them a complete type', () => {
    const { graph } = freezeParams(cascade(), 'forward', 'weight')
    const weight = [...graph.nodes('aten::conv2d')][0]?.input(1)
    const read = [...graph.nodes('prim::GetAttr')].find((node) => node.attribute('name') === 'weight')
    expect(weight?.debugName).toBe(`${read?.output().debugName ?? ''}.weight`)
    expect(printGraph(graph)).toContain(
      `%${weight?.debugName ?? ''} : Float(16, 3, 3, 3, strides=[27, 9, 3, 1], requires_grad=0, device=cpu) = prim::Constant[value=<Tensor>]()`,
    )
    expect(weight?.node.prev).toBe(read)
  })

  it('changes nothing else', () => {
    const module = cascade()
    const before = printGraph(inlinedGraph(methodOf(module, 'forward'))).split('\n')
    const after = printGraph(freezeParams(module, 'forward', 'running_mean').graph).split('\n')
    const added = after.filter((line) => line.includes('.running_mean :'))
    expect(added).toHaveLength(2)
    expect(
      after.filter((line) => !added.includes(line)).map((line) => line.replace('.running_mean,', ',')),
    ).toEqual(before)
    expect(printGraph(inlinedGraph(methodOf(module, 'forward'))).split('\n')).toEqual(before)
  })

  it('makes an absent bias None', () => {
    const { graph } = freezeParams(cascade(), 'forward', 'bias')
    const bias = [...graph.nodes('aten::conv2d')][0]?.input(2)
    expect(bias?.type.kind).toBe('None')
    expect(bias?.node.kind).toBe('prim::Constant')
    expect(bias?.debugName).toMatch(/\.bias$/)
  })

  it('can be applied to its own result until all four are frozen', () => {
    let module = cascade()
    for (const name of paramNames) module = freezeParams(module, 'forward', name).module
    const { graph } = methodOf(module, 'forward')
    for (const argument of [1, 2, 3, 4])
      expect(inputsOf(graph, 'aten::batch_norm', argument)).toEqual(['prim::Constant', 'prim::Constant'])
  })

  it('knows four names and says which', () => {
    expect(() => freezeParams(cascade(), 'forward', 'gamma')).toThrow(InvalidParamNameError)
    expect(() => freezeParams(cascade(), 'forward', 'gamma')).toThrow(
      'Invalid Param Name: gamma\n  it is one of weight, bias, running_mean, running_var',
    )
  })

  it('says which methods there are', () => {
    expect(() => freezeParams(cascade(), 'backward', 'weight')).toThrow(
      /no method 'backward'[^]*it has: forward/,
    )
  })

  it('reports every attribute with its bytes and consumers', () => {
    const { report } = freezeParams(cascade(), 'forward', 'weight')
    expect(report.entries.find((entry) => entry.path === 'block1.conv.weight')).toEqual({
      path: 'block1.conv.weight',
      kind: 'parameter',
      type: 'Float(16, 3, 3, 3, strides=[27, 9, 3, 1], requires_grad=0, device=cpu)',
      bytes: 16 * 27 * 4,
      consumers: ['aten::conv2d'],
      status: 'frozen',
    })
    expect(report.entries.find((entry) => entry.path === 'block2.bn.bias')).toMatchObject({
      status: 'kept',
      consumers: ['aten::batch_norm'],
    })
    expect(report.passes).toMatchObject([{ name: 'freeze-params', rewrites: 4 }])
  })
})

const writing = `
class M(Module):
  __parameters__ = ["weight", "other", ]
  __buffers__ = []
  weight : Tensor
  other : Tensor
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    return torch.conv2d(torch.conv2d(x, self.weight), self.other)
  def assign(self: __torch__.M, x: Tensor) -> Tensor:
    self.weight = x
    return x
class N(Module):
  __parameters__ = ["weight", "other", ]
  __buffers__ = []
  weight : Tensor
  other : Tensor
  def forward(self: __torch__.N, x: Tensor) -> Tensor:
    return torch.conv2d(torch.conv2d(x, self.weight), self.other)
  def scale(self: __torch__.N, x: Tensor) -> Tensor:
    view = torch.t(self.other)
    _0 = torch.mul_(view, x)
    return x
class Pure(Module):
  __parameters__ = ["weight", "other", ]
  __buffers__ = []
  weight : Tensor
  other : Tensor
  def forward(self: __torch__.Pure, x: Tensor) -> Tensor:
    return torch.conv2d(torch.conv2d(x, self.weight), self.other)
`

describe('freezeParams and writes', () => {
  it('refuses a parameter that another method assigns, and names the node', () => {
    const module = new ModuleSource(writing).make('M', {
      weight: noise([1, 1, 1, 1]),
      other: noise([1, 1, 1, 1]),
    })
    expect(() => freezeParams(module, 'forward', 'weight')).toThrow(FreezeError)
    expect(() => freezeParams(module, 'forward', 'weight')).toThrow(
      /weight cannot be frozen: prim::SetAttr writes it/,
    )
  })

  it('refuses a parameter that is written through a view', () => {
    const module = new ModuleSource(writing).make('N', {
      weight: noise([1, 1, 1, 1]),
      other: noise([1, 1, 1, 1]),
    })
    expect(() => freezeParams(module, 'forward', 'weight')).toThrow(
      /other cannot be frozen: aten::mul_ writes it/,
    )
  })

  it('refuses a parameter whose memory is written through another attribute', () => {
    const shared = noise([1, 1, 1, 1])
    const module = new ModuleSource(writing).make('N', { weight: shared, other: shared.asStrided([1], [1]) })
    expect(() => freezeParams(module, 'forward', 'weight')).toThrow(
      /weight cannot be frozen: aten::mul_ writes it/,
    )
  })

  it('makes one constant of a tensor that two attributes share', () => {
    const shared = noise([1, 1, 1, 1])
    const module = new ModuleSource(writing).make('Pure', { weight: shared, other: shared })
    const { graph } = freezeParams(module, 'forward', 'weight')
    const [first, second] = [...graph.nodes('aten::conv2d')]
    expect(first?.input(1)).toBe(second?.input(1))
  })
})
