import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readZip } from '../../src/archive/zip-reader.ts'
import { GraphEditor } from '../../src/ir/graph-editor.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { printGraph } from '../../src/ir/graph-printer.ts'
import { type ScriptObject } from '../../src/ir/ivalue.ts'
import { TensorT } from '../../src/ir/types.ts'
import { loadBytes } from '../../src/load.ts'
import { freeze } from '../../src/passes/freeze-module.ts'
import { freezeByName } from '../../src/passes/freeze-by-name.ts'
import { paramNames } from '../../src/passes/freeze-params.ts'
import { inlinedGraph } from '../../src/passes/preoptimize.ts'
import { methodOf } from '../../src/passes/support/inline-module.ts'
import { runMethod } from '../../src/runtime/module-runner.ts'
import type { ScriptModule } from '../../src/script/load-module.ts'
import { saveModule } from '../../src/script/save-module.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { fixtureModels, loadFixture } from '../support/fixture-models.ts'
import {
  callMethod,
  contentsOf,
  expectSame,
  loadFreezeModel,
  modelOf,
  saveAndLoad,
} from '../support/freeze-models.ts'

const graphOf = (module: ScriptObject, method = 'forward'): Graph => methodOf(module, method).graph
const kindsOf = (graph: Graph): string[] =>
  [...graph.nodes()].map(({ kind }) => kind).filter((kind) => kind !== 'prim::Constant')

/** Bytes of the tensors in a saved model, attributes and constants. */
function tensorBytes(model: ScriptModule): number {
  const entries = [...readZip(Buffer.concat(saveModule(model))).values()]
  return entries
    .filter(({ name }) => /^[^/]+\/(?:data|constants)\//.test(name))
    .reduce((sum, { size }) => sum + size, 0)
}

/** Calls methods in the recorded order and compares with libtorch's answers before freezing. */
function expectAnswers(name: string, module: ScriptObject): void {
  for (const call of modelOf(name).calls) expectSame(callMethod(module, call), call.result)
}

describe('what users of torch.jit.freeze report', () => {
  it('an attribute that only another method needs is there if the method is preserved, and the report says when it goes', () => {
    expectAnswers('scaled', freeze(loadFreezeModel('scaled').root, { preserved: ['scale'] }).module)
    const { module, report } = freeze(loadFreezeModel('scaled').root)
    expect(() => runMethod(module, 'scale', [Tensor.zeros('float32', [3])])).toThrow(/no method 'scale'/)
    expect(report.entries.find(({ path }) => path === 'factor')).toMatchObject({
      status: 'dropped',
      reason: 'no preserved method reads it',
    })
  })

  it.each(fixtureModels)(
    'a frozen %s has fewer nodes than the inlined method, and reads no parameter',
    (name) => {
      const { root } = loadFixture(name)
      const { module, report } = freeze(root, { flags: { training: false } })
      const before = kindsOf(inlinedGraph(methodOf(root, 'forward'))).length
      expect(kindsOf(graphOf(module)).length).toBeLessThan(before)
      expect(report.totals.nodesAfter).toBeLessThan(report.totals.nodesBefore)
      expect(contentsOf(module).attributes.filter((path) => /weight|bias/.test(path))).toEqual([])
    },
  )

  it('a buffer that is updated in place counts on in the frozen module, and in the saved one', () => {
    const model = loadFreezeModel('counter')
    const { module } = freeze(model.root)
    const saved = saveAndLoad({ ...model, root: module }).root
    expectAnswers('counter', saved)
    expectAnswers('counter', module)
  })

  it('two methods share their cache when both are preserved', () => {
    const model = loadFreezeModel('cache')
    const { module, report } = freeze(model.root, { preserved: ['put'] })
    expectAnswers('cache', module)
    expect(report.entries.find(({ path }) => path === 'cache')).toMatchObject({
      status: 'kept',
      reason: expect.stringMatching(
        /^aten::_set_item writes it \(.*make-freeze-models\.py:\d+:8\)$/,
      ) as string,
    })
  })

  it('code under no_grad stays under no_grad, and constants need no gradient', () => {
    const { module } = freeze(loadFreezeModel('no-grad').root)
    expect(kindsOf(graphOf(module)).filter((kind) => /Enter|Exit/.test(kind))).toEqual([
      'prim::Enter',
      'prim::Exit',
    ])
    expect(printGraph(graphOf(module))).toContain('requires_grad=0')
    expectAnswers('no-grad', module)
  })

  it('parameters that need gradients become constants that do not, and the given module keeps its own', () => {
    const { root } = loadFreezeModel('scaled')
    const weight = root.slots.get('weight') as Tensor
    expect(weight.requiresGrad).toBe(true)
    expect(printGraph(graphOf(freeze(root).module))).toContain(
      'Float(3, strides=[1], requires_grad=0, device=cpu)',
    )
    expect(weight.requiresGrad).toBe(true)
  })

  it('an attribute of a submodule that is preserved can be set afterwards', () => {
    const { module } = freeze(loadFreezeModel('nested').root, { preserved: ['first.weight'] })
    const first = module.slots.get('first') as ScriptObject
    first.slots.set('weight', Tensor.zeros('float32', [2]))
    const [call] = modelOf('nested').calls
    if (call === undefined) expect.fail('no call')
    // first: 0 * x + 3; second: 3 * x + 3.
    expectSame(callMethod(module, call), { sizes: [2], values: [3 + 6, 3 - 3] })
  })

  it('a method of a submodule that is preserved has its own constants, not those of its sister', () => {
    const { module } = freeze(loadFreezeModel('nested').root, {
      preserved: ['first.encode', 'second.encode'],
    })
    const x = Tensor.from('float32', [2], [1, 1])
    const answer = (name: string): unknown =>
      Array.from((runMethod(module.slots.get(name) as ScriptObject, 'encode', [x]) as Tensor).data, Number)
    expect([answer('first'), answer('second')]).toEqual([
      [2, 2],
      [3, 3],
    ])
    expectAnswers('nested', module)
  })

  it('dicts, lists, tuples and optionals of tensors, devices, enums and strings become constants', () => {
    const { module } = freeze(loadFreezeModel('kinds').root)
    expect(contentsOf(module).attributes).toEqual([])
    expect(kindsOf(graphOf(module)).filter((kind) => /GetAttr|getitem|prim::If/.test(kind))).toEqual([])
    expectAnswers('kinds', module)
  })

  it('a module without forward says which methods can be preserved', () => {
    expect(() => freeze(loadFreezeModel('no-forward').root)).toThrow(/it has no forward; .*: infer/)
    expectAnswers('no-forward', freeze(loadFreezeModel('no-forward').root, { preserved: ['infer'] }).module)
  })

  it('packed parameters of a quantised module stay objects', () => {
    const model = loadBytes(readFileSync(new URL('../fixtures/archives/quantized.pt', import.meta.url)))
    const { module, report } = freeze(model.root)
    expect(kindsOf(graphOf(module))).toContain('quantized::linear')
    expect(report.entries.find(({ path }) => path === 'linear._packed_params._packed_params')).toMatchObject({
      status: 'kept',
      reason: expect.stringMatching(/^no constant can hold/) as string,
    })
    expect(contentsOf(saveAndLoad({ ...model, root: module }).root).attributes).toContain(
      'linear._packed_params._packed_params',
    )
  })

  it('submodules behind an interface that a method swaps stay, and are swapped', () => {
    const model = loadFreezeModel('swapped')
    const { module } = freeze(model.root, { preserved: ['swap'] })
    expectAnswers('swapped', saveAndLoad({ ...model, root: module }).root)
  })

  it('a constant without elements cannot be saved, and says so', () => {
    const model = loadFreezeModel('scaled')
    const { module } = freeze(model.root)
    const graph = graphOf(module)
    const edit = new GraphEditor(graph)
    edit.at(graph.block, () => {
      const constant = edit.insertConstant(Tensor.meta('float32', [3]), TensorT)
      edit.replaceInput(graph.block.returnNode, 0, constant)
    })
    expect(() => saveModule({ ...model, root: module })).toThrow(/cannot be saved/)
  })

  it.each(['cascade', 'residual', 'shared-weights'])('the file of %s does not double', (name) => {
    const model = loadFixture(name)
    const original = tensorBytes(model)
    const whole = { ...model, root: freeze(model.root).module }
    const named = {
      ...model,
      root: freezeByName(model.root, 'forward', { params: paramNames, dropUnread: true }).module,
    }
    expect(tensorBytes(whole)).toBeLessThanOrEqual(original)
    expect(tensorBytes(named)).toBeLessThanOrEqual(original)
  })

  it('an already frozen module can be frozen again, and computes the same', () => {
    for (const name of ['kinds', 'layers', 'counter', 'nested']) {
      const model = loadFreezeModel(name)
      const once = { ...model, root: freeze(model.root).module }
      const twice = freeze(once.root)
      expect(kindsOf(graphOf(twice.module)).length).toBeLessThanOrEqual(kindsOf(graphOf(once.root)).length)
      const reloaded = freeze(saveAndLoad(once).root).module
      expect(kindsOf(graphOf(reloaded))).toEqual(kindsOf(graphOf(twice.module)))
      expectAnswers(name, reloaded)
    }
  })

  it('an error at run time names the line of the original Python, also in a file that was saved and loaded', () => {
    const model = loadFreezeModel('fails')
    const script = readFileSync(
      new URL('../../scripts/fixtures/make-freeze-models.py', import.meta.url),
      'utf8',
    )
    const line = script.split('\n').findIndex((text) => text.includes('y.view(self.size, -1)')) + 1
    const { module } = freeze(model.root)
    for (const root of [module, saveAndLoad({ ...model, root: module }).root])
      expect(() => runMethod(root, 'forward', [Tensor.zeros('float32', [2])])).toThrow(
        new RegExp(`written as .*make-freeze-models\\.py:${line}:\\d+`),
      )
  })

  it('the report counts what was frozen, folded and dropped', () => {
    const { report } = freeze(loadFixture('cascade').root)
    const { totals } = report
    const weights = report.entries.filter(({ path }) => /weight|bias|running/.test(path))
    expect(totals.bytesFrozen).toBe(weights.reduce((sum, { bytes }) => sum + bytes, 0))
    // Batch norms are folded into convolutions: no constant holds what either had.
    expect(totals.bytesFolded).toBe(totals.bytesFrozen)
    expect(totals.bytesDropped).toBe(2 * 8)
    expect(totals.bytes).toBe(totals.bytesFrozen + totals.bytesDropped)
    expect(totals.bytesOfConstants).toBe((16 * 27 + 16 + 32 * 16 * 9 + 32) * 4)
    expect(report.passes.every(({ method }) => method === 'forward')).toBe(true)
  })
})
