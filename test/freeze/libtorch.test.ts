import { describe, expect, it } from 'vitest'
import { freeze } from '../../src/passes/freeze-module.ts'
import { methodOf } from '../../src/passes/support/inline-module.ts'
import {
  callMethod,
  contentsOf,
  expectSame,
  freezeModels,
  loadFreezeModel,
  saveAndLoad,
  type LibtorchFreeze,
} from '../support/freeze-models.ts'

/**
 * What differs from libtorch 1.13 in what is left, by model and preserved names, and why. Everything else in
 * expected.json is compared: attributes and methods that are left, results of all calls, and the number of nodes.
 */
const differences: Readonly<Record<string, Partial<LibtorchFreeze>>> = {
  // A submodule's method that reads an attribute: libtorch looks for it in the root and fails.
  'nested first.encode': { attributes: [], methods: ['first.encode', 'forward'] },
  // Nothing writes the statistics of an instance norm in inference; libtorch keeps them all the same.
  'norms ': { attributes: [] },
  // A batch norm that always trains writes its statistics; libtorch freezes them and loses the writes.
  'always-trains ': { attributes: ['running_mean', 'running_var'], nodes: { forward: 3 } },
  // Two fresh zeros that both leave the graph stay two.
  'layers ': { nodes: { forward: 119 } },
  // Attributes with the same memory of which one is written stay; libtorch refuses the module.
  'hidden touch': { attributes: ['conv.weight', 'held'], methods: ['forward', 'touch'] },
  // Submodules behind an interface that a method swaps stay whole; libtorch refuses the module.
  'swapped swap': {
    attributes: ['halved.shift', 'halved.training', 'step.training', 'step.weight'],
    methods: ['forward', 'halved.forward', 'step.forward', 'swap'],
  },
}

const cases = Object.entries(freezeModels).flatMap(([name, model]) =>
  model.frozen.map((libtorch) => ({ name, model, libtorch, preserved: libtorch.preserved })),
)
const isRefused = ({ name, libtorch: { preserved } }: (typeof cases)[number]): boolean =>
  name === 'norms-training' ||
  (name === 'no-forward' && preserved.length === 0) ||
  preserved.some((path) => path.endsWith('nothing'))

describe('what libtorch 1.13 leaves, and computes, of frozen models', () => {
  it.each(cases.filter((one) => !isRefused(one)))(
    '$name, preserving $preserved',
    ({ name, model, libtorch, preserved }) => {
      const expected = { ...libtorch, ...differences[`${name} ${preserved.join()}`] }
      const original = loadFreezeModel(name)
      const frozen = freeze(original.root, { preserved, verify: true }).module
      expect(contentsOf(frozen)).toEqual({ attributes: expected.attributes, methods: expected.methods })
      for (const [method, nodes] of Object.entries(expected.nodes ?? {})) {
        const { graph } = methodOf(frozen, method)
        expect([...graph.nodes()].filter(({ kind }) => kind !== 'prim::Constant').length).toBeLessThanOrEqual(
          nodes,
        )
      }
      const calls = model.calls.filter(({ method }) => expected.methods?.includes(method))
      const results = libtorch.results ?? calls.map(({ result }) => result)
      const reloaded = saveAndLoad({ ...original, root: frozen }).root
      calls.forEach((call, i) => expectSame(callMethod(reloaded, call), results[i] ?? null))
    },
  )

  it.each(cases.filter(isRefused))('$name, preserving $preserved, is refused', ({ name, preserved }) => {
    expect(() => freeze(loadFreezeModel(name).root, { preserved })).toThrow(
      /Unknown name|training mode: training is true|preserve one of its methods by name: infer/,
    )
  })
})
