import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/archive/bytes.ts'
import { writeNpz } from '../../src/archive/npz.ts'
import { parseGraph } from '../../src/ir/graph-parser.ts'
import type { Graph } from '../../src/ir/graph.ts'
import { loadBytes, saveBytes } from '../../src/load.ts'
import { compareOutputs } from '../../src/runtime/compare.ts'
import { runMethod } from '../../src/runtime/module-runner.ts'
import { flattenOutputs } from '../../src/runtime/outputs.ts'
import { methodOf } from '../../src/passes/support/inline-module.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { withEntries } from '../support/archives.ts'
import { ModuleSource } from '../support/modules.ts'
import { startOracles, type Oracles } from './oracles.ts'

let oracles: Oracles
let folder: string
beforeAll(() => {
  oracles = startOracles()
  folder = mkdtempSync(join(tmpdir(), 'permafrost-versions-'))
})
afterAll(() => {
  oracles.stop()
  rmSync(folder, { recursive: true })
})

/** Integers divided in place are an error since version 4. */
const sourceOf = (inPlace: boolean): string => `class M(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def forward(self: __torch__.M, x: Tensor, y: Tensor) -> List[Tensor]:
    a = torch.div(x, y)
    b = torch.div(x, 2)
    c = torch.div(x, 2.)
    d = torch.div_(torch.${inPlace ? 'clone(x)' : 'to(x, 6, False, True)'}, 3)
    e = torch.full([2], 3)
    f = torch.gelu(torch.to(y, 6))
    g = torch.linspace(0, 1, 5)
    h = torch.logspace(0, 1, 5)
    return [a, b, c, d, e, f, g, h]
`

/** Node kinds in order. libtorch also narrows the type of an isinstance's other branch, which changes nothing. */
function kindsOf(graph: Graph): string[] {
  const dull = new Set(['prim::Constant', 'prim::unchecked_cast'])
  return [...graph.nodes()].map((node) => node.kind).filter((kind) => !dull.has(kind))
}

describe.each([1, 2, 3, 4, 7, 8, 9, 10])('an archive of version %i', (version) => {
  it.each(['int64', 'float32'] as const)('means in libtorch what it means here, for %s', async (dtype) => {
    const source = sourceOf(version < 4)
    const root = new ModuleSource(source).make('M', { training: false })
    const bytes = withEntries(saveBytes({ root, name: 'old', version: 10, extra: new Map() }), {
      'code/__torch__.py': source,
      'code/__torch__.py.debug_pkl': undefined,
      version: undefined,
      '.data/version': undefined,
      [version < 6 ? 'version' : '.data/version']: `${version}\n`,
    })
    const [model, input] = [join(folder, 'old.pt'), join(folder, 'input.npz')]
    const inputs = [Tensor.from(dtype, [3], [-7, 7, 8]), Tensor.from(dtype, [3], [2, 3, -3])]
    writeFileSync(model, bytes)
    writeFileSync(input, concatBytes(writeNpz(new Map(inputs.map((tensor, i) => [String(i), tensor])))))
    const ours = loadBytes(bytes).root
    const expected = await oracles.run(oracles.first, { model, input })
    const found = flattenOutputs(runMethod(ours, 'forward', inputs))
    const different = compareOutputs(expected, found, { rtol: 1e-6, atol: 0 })
    expect(different.filter(({ equal }) => !equal)).toEqual([])
    const { graph } = (await oracles.first.request({ do: 'graphs', model })) as {
      graph: Record<string, string>
    }
    const [text = ''] = Object.values(graph)
    expect(kindsOf(methodOf(ours, 'forward').graph)).toEqual(kindsOf(parseGraph(text)))
  })
})
