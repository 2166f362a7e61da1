import { readArchive } from '../archive/archive.ts'
import { describe, expect, it } from 'vitest'
import { noise } from '../../test/support/conv-bn-models.ts'
import { ModuleSource } from '../../test/support/modules.ts'
import { parseGraph } from '../ir/graph-parser.ts'
import { printGraph, printNode } from '../ir/graph-printer.ts'
import type { Graph } from '../ir/graph.ts'
import { reorderKind } from '../ir/layout-attribute.ts'
import type { IValue } from '../ir/ivalue.ts'
import { verifyGraph } from '../ir/verifier.ts'
import { loadBytes, saveBytes } from '../load.ts'
import { runGraph } from '../runtime/interpreter.ts'
import { runMethod } from '../runtime/module-runner.ts'
import { convertLayout } from '../tensor/convert-layout.ts'
import { OpaqueLayout, parseLayout } from '../tensor/layout.ts'
import { Storage } from '../tensor/storage.ts'
import { Tensor } from '../tensor/tensor.ts'
import { constantPropagation } from './constant-propagation.ts'
import { freezeParams } from './freeze-params.ts'
import { insertReorders } from './insert-reorders.ts'
import type { LayoutTarget } from './layout-target.ts'
import { runPasses } from './pass-manager.ts'
import { inlinedGraph } from './preoptimize.ts'
import { blockedTarget } from './support/blocked-target.ts'
import { evaluateNode } from './support/evaluate-node.ts'
import { methodOf } from './support/inline-module.ts'
import { defaultServices } from './support/services.ts'

const source = new ModuleSource(`
class Conv(Module):
  __parameters__ = ["weight", ]
  __buffers__ = []
  weight : Tensor
  training : bool
  def forward(self: __torch__.Conv, x: Tensor) -> Tensor:
    weight = self.weight
    return torch.conv2d(x, weight, None, [1, 1], [1, 1], [1, 1], 1)
`)
const module = source.make('Conv', { weight: noise([16, 3, 3, 3], 1), training: false })
const input = noise([1, 3, 5, 5], 2)

/** The convolution, and where its weight comes from, step by step. */
function stage(graph: Graph): string[] {
  const [conv] = [...graph.nodes('aten::conv2d')]
  const lines: string[] = []
  for (
    let node = conv;
    node !== undefined;
    node = node.kind === 'aten::conv2d' ? node.inputs[1]?.node : node.inputs[0]?.node
  )
    if (node.kind !== 'prim::Param') lines.unshift(printNode(node))
  return lines
}

function run(graph: Graph): unknown {
  verifyGraph(graph)
  const inputs: IValue[] = graph.inputs.length === 2 ? [module, input] : [input]
  return (runGraph(graph, inputs)[0] as Tensor).data
}

/** As DESIGN §7 and docs/layouts.md write them. */
const text = `graph(%conv : __torch__.torch.nn.modules.conv.Conv2d, %x.1 : Tensor):
  %23 : int = prim::Constant[value=1]()
  %611 : int[] = prim::Constant[value=[1, 1]]()
  %612 : int[] = prim::Constant[value=[1, 1]]()
  %613 : int[] = prim::Constant[value=[1, 1]]()
  %4 : Tensor? = prim::Constant()
  %30 : Tensor = prim::GetAttr[name="weight"](%conv)
  %289 : Tensor = aten::conv2d(%x.1, %30, %4, %611, %612, %613, %23)
  return (%289)`
const frozenWeight =
  '%672.weight : Float(16, 3, 3, 3, strides=[27, 9, 3, 1], requires_grad=0, device=cpu) = prim::Constant[value=<Tensor>]()'

describe('the three stages of a convolution', () => {
  it('read as the design has them: plain, reorder inserted, frozen and folded', () => {
    const graph = parseGraph(text)
    expect(stage(graph)).toEqual([
      '%30 : Tensor = prim::GetAttr[name="weight"](%conv)',
      '%289 : Tensor = aten::conv2d(%x.1, %30, %4, %611, %612, %613, %23)',
    ])
    insertReorders(graph, blockedTarget())
    expect(stage(graph)).toEqual([
      '%30 : Tensor = prim::GetAttr[name="weight"](%conv)',
      '%30.packed : Tensor = layout::reorder[to="OIhw16i16o"](%30)',
      '%289 : Tensor = aten::conv2d(%x.1, %30.packed, %4, %611, %612, %613, %23)',
    ])
    const frozen = parseGraph(
      printGraph(graph)
        .replace('%30 : Tensor = prim::GetAttr[name="weight"](%conv)', frozenWeight)
        .replace('(%30)', '(%672.weight)'),
    )
    expect(stage(frozen)).toEqual([
      frozenWeight,
      '%30.packed : Tensor = layout::reorder[to="OIhw16i16o"](%672.weight)',
      '%289 : Tensor = aten::conv2d(%x.1, %30.packed, %4, %611, %612, %613, %23)',
    ])
    runPasses(frozen, [constantPropagation], { verify: true })
    expect(stage(frozen)).toEqual([
      '%30.packed : Tensor = prim::Constant[value=<Tensor>]()',
      '%289 : Tensor = aten::conv2d(%x.1, %30.packed, %4, %611, %612, %613, %23)',
    ])
    expect(printGraph(frozen)).not.toContain('672.weight')
  })

  it('compute the same, of a module whose weight is an attribute and of one that is frozen', () => {
    const plain = inlinedGraph(methodOf(module, 'forward'))
    const expected = run(plain)
    insertReorders(plain, blockedTarget())
    expect([...plain.nodes(reorderKind)]).toHaveLength(1)
    expect(run(plain)).toEqual(expected)

    const { graph } = freezeParams(module, 'forward', 'weight')
    insertReorders(graph, blockedTarget())
    expect(run(graph)).toEqual(expected)
    runPasses(graph, [constantPropagation])
    expect([...graph.nodes(reorderKind)]).toEqual([])
    const [conv] = [...graph.nodes('aten::conv2d')]
    expect((conv?.input(1).node.attribute('value') as Tensor).layout?.tag).toBe('Ohwi16o')
    expect(run(graph)).toEqual(expected)
  })
})

describe('a target with layouts of its own', () => {
  const layout = new OpaqueLayout('winner', 'wino_f4x3', 16 * 3 * 36 * 4)
  const target: LayoutTarget = {
    name: 'winner',
    prefer: ({ kind }) =>
      kind === 'aten::conv2d' ? { inputs: [undefined, layout], outputs: [undefined] } : undefined,
    carries: () => false,
  }

  it('has its weights packed by its own evaluator, into constants that only it can read', () => {
    const { graph } = freezeParams(module, 'forward', 'weight')
    insertReorders(graph, target)
    expect(stage(graph)[1]).toMatch(/\.packed : Tensor = layout::reorder\[to="winner:wino_f4x3"\]/)
    verifyGraph(graph)
    runPasses(graph, [constantPropagation], {
      services: {
        evaluate: (node, inputs) =>
          node.kind === reorderKind
            ? [new Tensor(Storage.ofLength(layout.byteLength), 'float32', [16, 3, 3, 3], { layout })]
            : evaluateNode(node, inputs, defaultServices.schemaOf(node), (key) =>
                defaultServices.findOperator(key),
              ),
      },
      verify: true,
    })
    expect(stage(graph)[0]).toMatch(/\.packed : Tensor = prim::Constant\[value=<Tensor>\]\(\)/)
    expect(() => run(graph)).toThrow(
      /only the backend winner can read a tensor that lies as winner:wino_f4x3/,
    )
  })

  it('leaves the reorder where nobody can do it', () => {
    const { graph } = freezeParams(module, 'forward', 'weight')
    insertReorders(graph, target)
    runPasses(graph, [constantPropagation])
    expect([...graph.nodes(reorderKind)]).toHaveLength(1)
  })

  it('is not asked to reorder what it has packed', () => {
    const { graph } = freezeParams(module, 'forward', 'weight')
    insertReorders(graph, target)
    insertReorders(graph, target)
    expect([...graph.nodes(reorderKind)].length).toBeLessThanOrEqual(2)
  })

  it('is told when a node writes what it would rather have in another layout', () => {
    const misses: string[] = []
    const graph = parseGraph('graph(%x : Tensor):\n  %y : Tensor = aten::relu_(%x)\n  return (%y)')
    const eager: LayoutTarget = {
      name: 'eager',
      prefer: () => ({ inputs: [parseLayout('nChw8c')], outputs: [undefined] }),
      carries: () => true,
    }
    insertReorders(graph, eager, {
      ...defaultServices,
      rewrite: () => expect.unreachable(),
      miss: (_node, why) => misses.push(why),
    })
    expect(misses).toEqual(['it writes or gives back an operand'])
  })
})

it('can be saved: what is packed becomes row-major again, a reorder a copy', () => {
  const { module: root, graph } = freezeParams(module, 'forward', 'weight')
  const expected = run(graph)
  const save = (): Uint8Array => saveBytes({ root, name: 'conv', version: 10, extra: new Map() })
  insertReorders(graph, blockedTarget())
  const copying = save()
  runPasses(graph, [constantPropagation])
  const packed = save()
  for (const bytes of [copying, packed]) {
    const again = loadBytes(bytes)
    expect((runMethod(again.root, 'forward', [input]) as Tensor).data).toEqual(expected)
  }
  const code = [...readArchive(copying).code.values()].map((file) => file.text).join('')
  expect(code).toContain('torch.clone(')
})

it('packs to the bit what the reference backend packs', () => {
  const { graph } = freezeParams(module, 'forward', 'weight')
  insertReorders(graph, blockedTarget())
  runPasses(graph, [constantPropagation])
  const [conv] = [...graph.nodes('aten::conv2d')]
  const packed = conv?.input(1).node.attribute('value') as Tensor
  expect(packed.data).toEqual(convertLayout(noise([16, 3, 3, 3], 1), parseLayout('Ohwi16o')).data)
})
