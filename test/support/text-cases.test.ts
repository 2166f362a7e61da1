import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readTextFile, testTextFile } from './text-cases.ts'
import { GraphEditor } from '../../src/ir/graph-editor.ts'

const url = pathToFileURL(join(mkdtempSync(join(tmpdir(), 'text-cases-')), 'drop-relu.ir'))
writeFileSync(
  url,
  `# passes: drop-relu
## drops it
# a remark
graph(%x : Tensor):
  %7 : Tensor = aten::relu(%x)
  %9 : Tensor = aten::neg(%7)
  return (%9)
==>
graph(%x : Tensor):
  %0 : Tensor = aten::neg(%x)
  return (%0)
# dropped: one
## keeps the rest
graph(%x : Tensor):
  return (%x)
==> unchanged
## refuses nonsense
graph(%x : Tensor):
  %y : Tensor = aten::relu(%z) #! %z is not defined here
  return (%y)
`,
)

describe('readTextFile', () => {
  it('takes settings, titles, texts and notes apart', () => {
    const file = readTextFile(url)
    expect(file.name).toBe('drop-relu')
    expect(file.settings.get('passes')).toBe('drop-relu')
    expect(file.cases.map(({ title, line }) => [title, line])).toEqual([
      ['drops it', 2],
      ['keeps the rest', 13],
      ['refuses nonsense', 17],
    ])
    expect(file.cases[0]?.notes).toEqual(['dropped: one'])
    expect(file.cases[1]?.after).toBe(file.cases[1]?.before)
    expect(file.cases[2]?.failures).toEqual([{ line: 2, message: '%z is not defined here' }])
  })
})

testTextFile(url, {
  transform(graph) {
    const editor = new GraphEditor(graph)
    const relus = [...graph.nodes('aten::relu')]
    for (const node of relus) {
      editor.replaceAllUses(node.output(), node.input())
      editor.destroy(node)
    }
    return relus.map(() => 'dropped: one')
  },
})
