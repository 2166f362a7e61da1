import { describe, expect, it } from 'vitest'
import { loadBytes } from '../../src/load.ts'
import type { Graph, Node } from '../../src/ir/graph.ts'
import { freeze } from '../../src/passes/freeze-module.ts'
import { freezeByName } from '../../src/passes/freeze-by-name.ts'
import { paramNames } from '../../src/passes/freeze-params.ts'
import { everyNode } from '../../src/passes/support/module-slots.ts'
import type { ScriptModule } from '../../src/script/load-module.ts'
import { saveModule } from '../../src/script/save-module.ts'
import { fixtureModels, loadFixture } from '../support/fixture-models.ts'

function saveAndLoad(model: ScriptModule): ScriptModule {
  return loadBytes(Buffer.concat(saveModule(model)))
}

/** Not so: reads, constructions and calls of modules, which libtorch itself places nowhere (`:0:0`). */
const isPlaced = ({ kind }: Node): boolean =>
  kind.startsWith('aten::') || kind === 'prim::If' || kind === 'prim::Loop' || kind === 'prim::RaiseException'

/** Nodes that come from no line of the source that was scripted. */
function homeless(graph: Graph): string[] {
  return [...everyNode(graph)]
    .filter((node) => isPlaced(node) && (node.range?.writtenAt?.file ?? '') === '')
    .map(({ kind }) => kind)
}

const graphsOf = (model: ScriptModule): Graph[] => [...model.root.type.methods.values()].map((fn) => fn.graph)

describe.each(fixtureModels)('provenance in %s', (name) => {
  const model = loadFixture(name)
  const flags = { training: false }

  it('every node has a line in a Python file when it is loaded', () => {
    expect(graphsOf(model).flatMap(homeless)).toEqual([])
  })

  it('every node of the frozen model has one, also when it is saved and loaded again', () => {
    const preserved = [...model.root.type.methods.keys()]
    const frozen = { ...model, root: freeze(model.root, { preserved, flags }).module }
    expect(graphsOf(frozen).flatMap(homeless)).toEqual([])
    expect(graphsOf(saveAndLoad(frozen)).flatMap(homeless)).toEqual([])
  })

  it('every node has one when parameters are frozen by name', () => {
    const { graph } = freezeByName(model.root, 'forward', { params: paramNames, flags })
    expect(homeless(graph)).toEqual([])
  })
})
