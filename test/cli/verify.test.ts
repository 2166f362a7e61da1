import { describe, expect, it } from 'vitest'
import { permafrost } from '../support/command.ts'
import { fixtureModels, fixturePath } from '../support/fixture-models.ts'

interface Document {
  readonly equal: boolean
  readonly inputs?: string
  readonly outputs: readonly { sample: number; name: string; equal: boolean; worst?: object }[]
  readonly guilty?: { pass: string; number: number; source?: string }
  readonly firstDifference?: { value: string; node: string; equalBefore: number }
}

const read = (stdout: string): Document => JSON.parse(stdout) as Document
const models = fixtureModels.filter((name) => !name.includes('training'))

describe('verify without inputs', () => {
  it.each(models)('proves the freeze of %s on random ones', async (name) => {
    const { code, stdout, stderr } = await permafrost('verify', fixturePath(`${name}.pt`))
    expect(stderr).toMatch(/^random inputs: x: float32\[[\d, ]+\].*; seed 0\n/)
    expect(stdout).toContain('equal within rtol 0.00001, atol 0')
    expect(code).toBe(0)
  })

  it('tries several samples of one seed', async () => {
    const args = ['--seed', '7', '--samples', '2', '--json']
    const { code, stdout } = await permafrost('verify', fixturePath('residual.pt'), ...args)
    expect(code).toBe(0)
    const { outputs, inputs } = read(stdout)
    expect(outputs.map(({ sample, name }) => [sample, name])).toEqual([
      [0, 'output'],
      [1, 'output'],
    ])
    expect(inputs).toContain('seed 7')
  })
})

describe('verify of what differs', () => {
  it('names the pass, the rewrite, the worst element and the first value', async () => {
    const args = ['verify', fixturePath('cascade.pt'), '--rtol', '0']
    const { code, stdout } = await permafrost(...args)
    expect(code).toBe(1)
    expect(stdout).toMatch(/DIFFERENT output: max error \S+, relative \S+, worst at \[0, \d+, \d+, \d+\]/)
    expect(stdout).toMatch(/guilty: fold-conv-batch-norm, rewrite 1, of aten::conv2d %\S+: .*conv\.py:\d+/)
    expect(stdout).toMatch(/first difference: %\S+ of aten::relu, written as .*\.py:\d+:\d+/)
    const document = read((await permafrost(...args, '--json')).stdout)
    expect(document).toMatchObject({
      equal: false,
      guilty: { pass: 'fold-conv-batch-norm', number: 1 },
      firstDifference: { node: 'aten::relu' },
    })
  })

  it('tells where two files begin to differ', async () => {
    const pair = [fixturePath('cascade.pt'), fixturePath('residual.pt')]
    const { code, stdout } = await permafrost('verify', ...pair)
    expect(code).toBe(1)
    expect(stdout).toContain('shape [')
    expect(stdout).toContain('first difference: ')
  })

  it('exits with 2 for bad options and with 3 for inputs that the model cannot take', async () => {
    const inputs = ['--inputs', fixturePath('cascade.inputs.npz')]
    expect((await permafrost('verify', fixturePath('cascade.pt'), ...inputs, '--seed', '1')).code).toBe(2)
    expect((await permafrost('verify', fixturePath('cascade.pt'), '--samples', '1.5')).code).toBe(2)
    expect((await permafrost('verify', fixturePath('cascade.pt'), '--input', '"text"')).code).toBe(3)
  })
})
