import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { workedExample } from './steps.ts'

const page = new URL('../../docs/worked-example.md', import.meta.url)

const introduction = `# The worked example

Two blocks of convolution, batch norm and relu in a cascade (\`test/fixtures/models/cascade.pt\`, made by
\`scripts/fixtures/make-models.py\`), frozen by name, step by step. The texts below are what the code prints: they are the
expected results of \`test/worked-example\`, and \`PERMAFROST_BLESS=1 npx vitest run test/worked-example\` writes this page.

`

/** The page with every step's graph: documentation and expectation in one. */
function render(): string {
  const sections = workedExample().map(
    ({ title, text }, i) => `## ${i + 1}. ${title}\n\n\`\`\`\n${text}\`\`\`\n`,
  )
  return introduction + sections.join('\n')
}

const [inlined = '', params = '', flags = '', folded = ''] = workedExample().map(({ text }) => text)
const operators = (text: string): string[] => text.match(/aten::\w+/g) ?? []

describe('the worked example', () => {
  it('prints every step as its page shows it', () => {
    const text = render()
    if (process.env['PERMAFROST_BLESS'] === '1') writeFileSync(page, text)
    expect(readFileSync(page, 'utf8')).toBe(text)
  })

  it('feeds convolutions and batch norms with constants of complete types after freezeParams', () => {
    for (const name of ['weight', 'bias', 'running_mean', 'running_var'])
      expect(params).toMatch(
        new RegExp(`%\\S+\\.${name} : (?:Float\\(.*device=cpu\\)|Tensor\\?|NoneType) = prim::Constant`),
      )
    expect(params).toContain(
      '.weight : Float(16, 3, 3, 3, strides=[27, 9, 3, 1], requires_grad=0, device=cpu) = prim::Constant[value=<Tensor>]()',
    )
    for (const [line] of params.matchAll(/aten::(?:conv2d|batch_norm)\(.*/g))
      expect(line).toMatch(/\.weight, %\S+\.bias/)
  })

  it('changes nothing else by freezeParams', () => {
    const withoutNew = params
      .split('\n')
      .filter((line) => !/%\S+\.(?:weight|bias|running_mean|running_var) : .* = prim::Constant/.test(line))
      .join('\n')
      .replaceAll(/(%[\w.]+)\.(?:weight|bias|running_mean|running_var)\b(?=[,)])/g, '$1')
    expect(withoutNew).toBe(inlined.trimEnd() + '\n')
  })

  it('leaves convolution, batch norm and relu, twice, after the flag', () => {
    const once = ['aten::conv2d', 'aten::batch_norm', 'aten::relu']
    expect(operators(flags)).toEqual([...once, ...once])
  })

  it('leaves convolution and relu, twice, after folding', () => {
    expect(operators(folded)).toEqual(['aten::conv2d', 'aten::relu', 'aten::conv2d', 'aten::relu'])
  })
})
