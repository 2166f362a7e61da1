import { describe, expect, it } from 'vitest'
import { compareOutputs } from '../../src/runtime/compare.ts'
import { flattenOutputs } from '../../src/runtime/outputs.ts'
import { PermafrostError } from '../../src/errors.ts'
import { Dict, List, Tuple, type IValue, type ScriptObject } from '../../src/ir/ivalue.ts'
import { printGraph } from '../../src/ir/graph-printer.ts'
import { loadBytes, saveBytes } from '../../src/load.ts'
import { freeze } from '../../src/passes/freeze-module.ts'
import { inlinedGraph } from '../../src/passes/preoptimize.ts'
import { runMethod } from '../../src/runtime/module-runner.ts'
import { toPlain } from '../../src/runtime/plain-value.ts'
import type { ScriptModule } from '../../src/script/load-module.ts'
import { canonicalGraph } from '../oracle/canonical-graph.ts'
import { ScriptCompileError } from '../../src/script/errors.ts'
import { methodAt } from '../oracle/method-at.ts'
import { recordedModels, type RecordedCall, type RecordedModel } from '../support/recorded-models.ts'

/** float32 sums in another order than libtorch's: a few times the last bit, 6e-8, of the largest output. */
const tolerance = { rtol: 1e-5, atol: 0 }

const places = { places: true }

/** Calls an operator that only its author has; libtorch ran it when the answers were recorded. */
const unrunnable = 'custom-operator'

/** Strings and Nones of a result by path, as the recording has them. */
function textsOf(value: IValue, path = 'output'): Record<string, string | null> {
  if (value === null || typeof value === 'string') return { [path]: value }
  const children = (): (readonly [string, IValue])[] => {
    if (value instanceof Tuple)
      return value.elements.map((item, i) => [value.type?.fields?.[i] ?? String(i), item] as const)
    if (value instanceof List) return value.elements.map((item, i) => [String(i), item] as const)
    return value instanceof Dict
      ? [...value.entries()].map(([key, item]) => [toPlain(key) as string, item])
      : []
  }
  return Object.assign({}, ...children().map(([name, item]) => textsOf(item, `${path}.${name}`))) as Record<
    string,
    string | null
  >
}

/** Nodes that have a place in libtorch and none with us. */
const unplaced = /= prim::CreateObject|: NamedTuple\(.*= prim::TupleConstruct|value=-inf/

/**
 * Both graphs without the places of those nodes that have none in libtorch (constants and attributes, mostly) or none
 * with us.
 */
function withCommonPlaces(ours: string, theirs: string): [ours: string, theirs: string] {
  const left = ours.trim().split('\n')
  const right = theirs.trim().split('\n')
  const drops = right.map((line) => !line.includes(' # ') || unplaced.test(line))
  const drop = (line: string, i: number): string => (drops[i] === true ? line.replace(/ # .*$/, '') : line)
  return [
    canonicalGraph(left.map(drop).join('\n'), places),
    canonicalGraph(right.map(drop).join('\n'), places),
  ]
}

function expectCall(root: ScriptObject, call: RecordedCall): void {
  if (call.error !== undefined) {
    expect(() => runMethod(root, call.method, call.arguments)).toThrow(PermafrostError)
    const { message } = call.error
    if (call.error.class === 'ValueError')
      expect(() => runMethod(root, call.method, call.arguments)).toThrow(message)
    return
  }
  const result = runMethod(root, call.method, call.arguments)
  expect(textsOf(result)).toEqual(call.texts)
  for (const comparison of compareOutputs(call.outputs, flattenOutputs(result), tolerance))
    expect(comparison, `${call.method} ${comparison.name}`).toMatchObject({ equal: true })
}

function expectCalls(model: RecordedModel, module: ScriptModule): void {
  for (const call of model.calls()) expectCall(module.root, call)
}

it('says that it cannot compile fork yet', () => {
  const model = recordedModels.find(({ name }) => name === 'parallel.scripted')
  expect(() => model?.load().root.type.methods.get('forward')?.graph).toThrow(ScriptCompileError)
})

describe.each(recordedModels.filter(({ name }) => name !== 'parallel.scripted'))(
  '$name ($summary)',
  (model) => {
    const [name = ''] = model.name.split('.')
    const runs = name !== unrunnable

    it('has the graphs that libtorch has, with their places in the source', () => {
      const module = model.load()
      for (const [path, text] of model.graphs('graph')) {
        const graph = printGraph(methodAt(module.root, path).graph, { ranges: true })
        const [ours, theirs] = withCommonPlaces(graph, text)
        expect(ours, path).toBe(theirs)
      }
    })

    it('has the inlined graphs that libtorch has', () => {
      const module = model.load()
      for (const [path, text] of model.graphs('inlined'))
        expect(canonicalGraph(printGraph(inlinedGraph(methodAt(module.root, path)))), path).toBe(
          canonicalGraph(text),
        )
    })

    if (runs) {
      it('answers as libtorch does, call by call', () => {
        expectCalls(model, model.load())
      })

      it('answers the same when it is saved and loaded again', () => {
        expectCalls(model, loadBytes(saveBytes(model.load())))
      })
    } else
      it('is frozen and saved with its own operator, and says that it cannot run it', () => {
        const module = model.load()
        const frozen = { ...module, root: freeze(module.root, { verify: true }).module }
        const again = loadBytes(saveBytes(frozen))
        const [call] = model.calls()
        for (const { root } of [module, again])
          expect(() => runMethod(root, 'forward', call?.arguments ?? [])).toThrow('mylib::scale_shift')
      })

    if (name === 'training')
      it('is not frozen in training mode', () => {
        expect(() => freeze(model.load().root)).toThrow(/training/)
      })
    else if (runs)
      it('answers the same frozen, saved and loaded again', () => {
        const module = model.load()
        const { module: root } = freeze(module.root, { preserved: model.methods, verify: true })
        expectCalls(model, loadBytes(saveBytes({ ...module, root })))
      })
  },
)
