import { describe, expect, it } from 'vitest'
import type { ScriptObject } from '../../src/ir/ivalue.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { FreezeError } from '../../src/passes/errors.ts'
import { freezeByName } from '../../src/passes/freeze-by-name.ts'
import { freezeFlags } from '../../src/passes/freeze-flags.ts'
import { freezeParams, paramNames } from '../../src/passes/freeze-params.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { ModuleSource } from '../support/modules.ts'
import {
  callMethod,
  contentsOf,
  expectSame,
  loadFreezeModel,
  modelOf,
  saveAndLoad,
} from '../support/freeze-models.ts'

const rootOf = (name: string): ScriptObject => loadFreezeModel(name).root

/** Kinds of the nodes that make what the first node of the kind gets as its inputs. */
function sourcesOf(graph: Graph, kind: string): string[] {
  const [node] = graph.nodes(kind)
  return node?.inputs.map((input) => input.node.kind) ?? []
}

describe('freezeParams refuses what would change the meaning', () => {
  it('a weight that a list holds too, and that another method writes there', () => {
    expect(() => freezeParams(rootOf('hidden'), 'forward', 'weight')).toThrow(
      /conv\.weight cannot be frozen: aten::add_ writes it \(.*make-freeze-models\.py:\d+:8\)/,
    )
  })

  it('a weight that a method of a submodule writes, though no method of the module calls it', () => {
    const refusal = /[ab]\.weight cannot be frozen: aten::mul_ writes it \(.*make-freeze-models\.py:\d+:12\)/
    expect(() => freezeParams(rootOf('tied'), 'forward', 'weight')).toThrow(FreezeError)
    expect(() => freezeParams(rootOf('tied'), 'forward', 'weight')).toThrow(refusal)
  })

  it('statistics of norms in a module that trains, and says which flag to freeze first', () => {
    for (const name of ['running_mean', 'running_var'])
      expect(() => freezeParams(rootOf('norms-training'), 'forward', name)).toThrow(
        /running_(mean|var) cannot be frozen: aten::(batch|instance)_norm writes it[^]*freeze the flag/,
      )
  })

  it('statistics of a batch norm that trains whatever the flag says', () => {
    expect(() => freezeParams(rootOf('always-trains'), 'forward', 'running_mean')).toThrow(
      /running_mean cannot be frozen: aten::batch_norm writes it \(.*:\d+:\d+\)/,
    )
  })

  it('and takes what nobody writes: a bias beside it, statistics in inference', () => {
    expect(freezeParams(rootOf('tied'), 'forward', 'bias').report.totals.frozen).toBe(2)
    const { graph } = freezeParams(rootOf('norms'), 'forward', 'running_mean')
    expect(sourcesOf(graph, 'aten::batch_norm')[3]).toBe('prim::Constant')
    expect(sourcesOf(graph, 'aten::instance_norm')[3]).toBe('prim::Constant')
    expect(freezeParams(rootOf('always-trains'), 'forward', 'weight').report.totals.frozen).toBe(1)
  })

  it('takes the statistics of a module that trains once its flag is frozen', () => {
    const { module } = freezeFlags(rootOf('norms-training'), 'forward', 'training', false)
    const { graph } = freezeParams(module, 'forward', 'running_var')
    expect(sourcesOf(graph, 'aten::batch_norm')[4]).toBe('prim::Constant')
  })
})

/** As traced LSTMs are: every parameter is an attribute of its own. */
const recurrent = `
class M(Module):
  __parameters__ = ["w", "u", "b", "c", ]
  __buffers__ = []
  w : Tensor
  u : Tensor
  b : Tensor
  c : Tensor
  def forward(self: __torch__.M, x: Tensor, h: Tensor) -> Tensor:
    _0 = [self.w, self.u, self.b, self.c]
    y, _1, _2 = torch.lstm(x, [h, h], _0, True, 1, 0., False, False, False)
    return y
`

describe('freezeParams and nodes of interest', () => {
  const { graph } = freezeByName(rootOf('layers'), 'forward', { params: ['weight', 'bias'] })

  it.each([
    ['aten::embedding', [0]],
    ['aten::layer_norm', [2, 3]],
    ['aten::group_norm', [2, 3]],
    ['aten::conv_transpose1d', [1, 2]],
    ['aten::conv1d', [1, 2]],
    ['aten::linear', [1, 2]],
    ['aten::prelu', [1]],
    ['aten::gru_cell', [2, 3, 4, 5]],
  ])('takes the parameters of %s', (kind, places) => {
    const sources = sourcesOf(graph, kind)
    expect(places.map((place) => sources[place])).toEqual(places.map(() => 'prim::Constant'))
  })

  it('takes the list of parameters of a recurrent layer, where it is one attribute, as a weight', () => {
    expect(sourcesOf(graph, 'aten::lstm')[2]).toBe('prim::Constant')
    expect(sourcesOf(graph, 'aten::gru')[2]).toBe('prim::Constant')
    const { graph: biases } = freezeParams(rootOf('layers'), 'forward', 'bias')
    expect(sourcesOf(biases, 'aten::lstm')[2]).toBe('prim::GetAttr')
  })

  it('takes the matrices in a list of parameters as weights and the vectors as biases', () => {
    const tensor = (...sizes: number[]): Tensor => Tensor.zeros('float32', sizes)
    const module = new ModuleSource(recurrent).make('M', {
      w: tensor(4, 1),
      u: tensor(4, 1),
      b: tensor(4),
      c: tensor(4),
    })
    const listOf = (name: string): string[] => {
      const [lstm] = freezeParams(module, 'forward', name).graph.nodes('aten::lstm')
      return lstm?.input(2).node.inputs.map((input) => input.node.kind) ?? []
    }
    const [read, constant] = ['prim::GetAttr', 'prim::Constant']
    expect(listOf('weight')).toEqual([constant, constant, read, read])
    expect(listOf('bias')).toEqual([read, read, constant, constant])
  })

  it('computes what libtorch computes', () => {
    const model = loadFreezeModel('layers')
    const frozen = freezeByName(model.root, 'forward', { params: paramNames }).module
    for (const call of modelOf('layers').calls)
      expectSame(callMethod(saveAndLoad({ ...model, root: frozen }).root, call), call.result)
  })
})

describe('freezeByName', () => {
  it('decides flags first, so that batch norms of a module in training mode can be frozen whole', () => {
    const { graph, report } = freezeByName(rootOf('norms-training'), 'forward', {
      params: paramNames,
      flags: { training: false },
    })
    expect(sourcesOf(graph, 'aten::batch_norm').slice(1, 5)).toEqual(Array(4).fill('prim::Constant'))
    expect(report.entries.find(({ path }) => path === 'bn.running_mean')?.status).toBe('frozen')
  })

  it('leaves the decided flag in the new module, so that its other methods agree, and the given module as it was', () => {
    const given = rootOf('norms-training')
    const { module } = freezeByName(given, 'forward', { flags: { training: false } })
    const flagOf = (root: ScriptObject): unknown =>
      (root.slots.get('bn') as ScriptObject).slots.get('training')
    expect([flagOf(module), flagOf(given)]).toEqual([false, true])
  })

  it('drops what constants replace and nobody reads, with the methods that read it, so that files do not double', () => {
    const model = loadFreezeModel('layers')
    const { module } = freezeByName(model.root, 'forward', { params: ['weight', 'bias'], dropUnread: true })
    const { attributes, methods } = contentsOf(module)
    expect(attributes).not.toContain('linear.weight')
    expect(attributes).toContain('linear.training')
    expect(methods).not.toContain('linear.forward')
    expect(methods).toContain('forward')
    for (const call of modelOf('layers').calls)
      expectSame(callMethod(saveAndLoad({ ...model, root: module }).root, call), call.result)
  })

  it('keeps what another method of the module reads', () => {
    const { module } = freezeByName(rootOf('hidden'), 'forward', { params: ['bias'], dropUnread: true })
    expect(contentsOf(module).attributes).not.toContain('conv.bias')
    expect(contentsOf(module).attributes).toContain('conv.weight')
  })

  it('reads attributes behind an interface by a cast, which survives saving', () => {
    const model = loadFreezeModel('fixed')
    const { module, graph } = freezeByName(model.root, 'forward', { params: ['weight'], dropUnread: true })
    expect([...graph.nodes()].map(({ kind }) => kind)).toContain('prim::unchecked_cast')
    for (const call of modelOf('fixed').calls)
      expectSame(callMethod(saveAndLoad({ ...model, root: module }).root, call), call.result)
  })
})
