import { describe, expect, it } from 'vitest'
import { compareOutputs } from '../../src/runtime/compare.ts'
import { flattenOutputs } from '../../src/runtime/outputs.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { printGraph } from '../../src/ir/graph-printer.ts'
import { loadBytes, saveBytes } from '../../src/load.ts'
import { freeze } from '../../src/passes/freeze-module.ts'
import { inlinedGraph } from '../../src/passes/preoptimize.ts'
import { runMethod } from '../../src/runtime/module-runner.ts'
import type { ScriptModule } from '../../src/script/load-module.ts'
import { canonicalGraph } from '../oracle/canonical-graph.ts'
import { fixtureGraphs, fixtureModels, fixtureValues, loadFixture } from '../support/fixture-models.ts'

/** float32 sums in another order than libtorch's: a few times the last bit, 6e-8, of the largest output. */
const tolerance = { rtol: 1e-5, atol: 0 }

function method(module: ScriptModule, name: string): Parameters<typeof inlinedGraph>[0] {
  const fn = module.root.type.methods.get(name)
  if (fn === undefined) throw new TypeError(`no method ${name}`)
  return fn
}

function expectOutputs(name: string, module: ScriptModule): void {
  const { inputs, outputs } = fixtureValues(name)
  const ours = flattenOutputs(runMethod(module.root, 'forward', inputs))
  for (const comparison of compareOutputs(outputs, ours, tolerance))
    expect(comparison, comparison.name).toMatchObject({ equal: true })
}

/** The graph with constants written where they are used: source does not keep the order of their definitions. */
function withoutConstants(graph: Graph): string {
  let text = printGraph(graph)
  for (const line of text.split('\n')) {
    const constant = /^ *(%\S+) : .* = (prim::Constant.*)$/.exec(line)
    if (constant?.[1] === undefined || constant[2] === undefined) continue
    const [, name, content] = constant
    text = text
      .replace(`${line}\n`, '')
      .replaceAll(new RegExp(`${name.replaceAll('.', '\\.')}(?=[,)])`, 'g'), () => content)
  }
  return canonicalGraph(text)
}

describe.each(fixtureModels)('%s', (name) => {
  it.each(fixtureGraphs(name, 'graph'))('has the graph that libtorch has: %s', (methodName, text) => {
    expect(canonicalGraph(printGraph(method(loadFixture(name), methodName).graph))).toBe(canonicalGraph(text))
  })

  it.each(fixtureGraphs(name, 'inlined'))(
    'has the inlined graph that libtorch has: %s',
    (methodName, text) => {
      expect(canonicalGraph(printGraph(inlinedGraph(method(loadFixture(name), methodName))))).toBe(
        canonicalGraph(text),
      )
    },
  )

  it('computes what libtorch computes', () => {
    expectOutputs(name, loadFixture(name))
  })

  it('computes the same when it is saved and loaded again', () => {
    expectOutputs(name, loadBytes(saveBytes(loadFixture(name))))
  })

  it('is saved to the same bytes every time, also after a round trip', () => {
    const bytes = saveBytes(loadFixture(name))
    expect(Buffer.compare(bytes, saveBytes(loadFixture(name)))).toBe(0)
    expect(
      Buffer.compare(saveBytes(loadBytes(bytes)), saveBytes(loadBytes(saveBytes(loadBytes(bytes))))),
    ).toBe(0)
  })

  it('keeps its graphs when it is saved and loaded again', () => {
    const module = loadFixture(name)
    const again = loadBytes(saveBytes(module))
    for (const [methodName, fn] of module.root.type.methods)
      expect(withoutConstants(inlinedGraph(method(again, methodName)))).toBe(
        withoutConstants(inlinedGraph(fn)),
      )
  })

  it('computes the same frozen, saved and loaded again', () => {
    if (name.includes('training')) return
    const module = loadFixture(name)
    const frozen = { ...module, root: freeze(module.root, { verify: true }).module }
    expectOutputs(name, loadBytes(saveBytes(frozen)))
  })
})
