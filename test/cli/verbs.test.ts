import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readNpz, writeNpz } from '../../src/archive/npz.ts'
import { writeFileAtomically } from '../../src/node/files.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { permafrost } from '../support/command.ts'
import { fixturePath } from '../support/fixture-models.ts'

const cascade = fixturePath('cascade.pt')
const inputs = fixturePath('cascade.inputs.npz')
const controlFlow = fixturePath('control-flow.pt')
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'permafrost-cli-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

interface Document {
  readonly parameters?: number
  readonly modules?: readonly { readonly path: string }[]
  readonly graph?: string
  readonly equal?: boolean
  readonly entries?: readonly { readonly path: string; readonly status: string }[]
  readonly outputs?: readonly { readonly name: string; readonly sizes: readonly number[] }[]
}

const json = (text: string): Document => JSON.parse(text) as Document

describe('inspect', () => {
  it('shows modules, attributes, methods, parameters and size', async () => {
    const { code, stdout } = await permafrost('inspect', cascade)
    expect(code).toBe(0)
    expect(stdout).toContain('7 modules, 5,136 parameters')
    expect(stdout).toContain('methods: forward')
    expect(stdout).toMatch(/weight +parameter +Float\(16, 3, 3, 3, strides=\[27, 9, 3, 1\]/)
  })

  it('writes one JSON document and nothing else', async () => {
    const { stdout, stderr } = await permafrost('inspect', cascade, '--json')
    expect(json(stdout)).toMatchObject({ parameters: 5136, methods: ['forward'] })
    expect(stderr).toBe('')
  })
})

describe('graph', () => {
  it('prints the graph as compiled, inlined and frozen', async () => {
    expect((await permafrost('graph', cascade)).stdout).toContain('prim::CallMethod[name="forward"]')
    expect((await permafrost('graph', cascade, '--inlined')).stdout).toContain('aten::batch_norm')
    const frozen = (await permafrost('graph', cascade, '--frozen')).stdout
    expect(frozen).toContain('aten::conv2d')
    expect(frozen).not.toContain('aten::batch_norm')
  })

  it('shows the state after a pass', async () => {
    const { stdout } = await permafrost('graph', cascade, '--after', 'freeze-module')
    expect(stdout).toContain('prim::Constant[value=<Tensor>]')
    expect(stdout).toContain('aten::batch_norm')
  })

  it('draws DOT', async () => {
    const { stdout } = await permafrost('graph', cascade, '--format', 'dot')
    expect(stdout).toMatch(/^digraph/)
  })

  it('says why a graph that is planned in parts cannot be shown with layouts', async () => {
    const { code, stderr } = await permafrost('graph', controlFlow, '--layouts', 'blocked')
    expect(code).toBe(3)
    expect(stderr).toMatch(/^SplitGraphError: --layouts cannot show this graph as a whole: prim::GetAttr /)
    expect(stderr).toContain('A session splits it')
  })

  it('shows another method', async () => {
    const { code, stdout } = await permafrost('graph', controlFlow, '--method', 'repeat')
    expect(code).toBe(0)
    expect(stdout).toContain('prim::Loop')
  })
})

describe('freeze', () => {
  it('writes the frozen model and a report', async () => {
    const output = join(folder, 'frozen.pt')
    const report = join(folder, 'report.json')
    const { code, stdout } = await permafrost('freeze', cascade, '-o', output, '--report', report)
    expect(code).toBe(0)
    expect(stdout).toMatch(/block1\.conv\.weight .* frozen/)
    expect(json(readFileSync(report, 'utf8')).entries).toContainEqual(
      expect.objectContaining({ path: 'block1.conv.weight', status: 'frozen' }),
    )
    const verified = await permafrost('verify', cascade, output, '--inputs', inputs)
    expect(verified).toMatchObject({ code: 0 })
  })

  it('freezes by name and by flag, and folds only if it may', async () => {
    const output = join(folder, 'by-name.pt')
    const args = ['--params', 'weight,bias,running_mean,running_var', '--flag', 'training=false', '--no-fold']
    expect((await permafrost('freeze', cascade, '-o', output, ...args)).code).toBe(0)
    const { stdout } = await permafrost('graph', output)
    expect(stdout.match(/aten::(?:conv2d|batch_norm|relu)/g)).toEqual([
      'aten::conv2d',
      'aten::batch_norm',
      'aten::relu',
      'aten::conv2d',
      'aten::batch_norm',
      'aten::relu',
    ])
  })

  it('preserves methods and attributes by name', async () => {
    const output = join(folder, 'preserved.pt')
    const { code } = await permafrost('freeze', controlFlow, '-o', output, '--preserve', 'repeat')
    expect(code).toBe(0)
    expect((await permafrost('inspect', output)).stdout).toContain('methods: forward, repeat')
  })

  it('refuses a parameter name that it does not know', async () => {
    const output = join(folder, 'none.pt')
    const { code, stderr } = await permafrost('freeze', cascade, '-o', output, '--params', 'weigth')
    expect(code).toBe(2)
    expect(stderr).toContain('Invalid Param Name: weigth')
    expect(stderr).toContain('weight, bias, running_mean, running_var')
    expect(existsSync(output)).toBe(false)
  })

  it('refuses a module in training mode and says what to do', async () => {
    const { code, stderr } = await permafrost(
      'freeze',
      fixturePath('cascade-training.pt'),
      '-o',
      join(folder, 'no.pt'),
    )
    expect(code).toBe(3)
    expect(stderr).toContain('training is true')
    expect(stderr).toContain('--flag training=false')
  })
})

describe('run', () => {
  it('writes its outputs as an .npz', async () => {
    const output = join(folder, 'out.npz')
    const { code } = await permafrost('run', cascade, '--inputs', inputs, '-o', output)
    expect(code).toBe(0)
    expect([...readNpz(readFileSync(output))].map(([name, { sizes }]) => [name, sizes])).toEqual([
      ['output', [1, 32, 8, 8]],
    ])
  })

  it('takes .npy files and JSON literals in the order of the arguments, and flattens structures', async () => {
    const rows = join(folder, 'x.npz')
    writeFileAtomically(rows, writeNpz(new Map([['x', Tensor.from('float32', [2, 3], [1, 2, 3, 4, 5, 6])]])))
    const result = await permafrost('run', controlFlow, '--inputs', rows, '--json')
    expect(json(result.stdout).outputs).toMatchObject([
      { name: 'output.0', sizes: [3] },
      { name: 'output.1', sizes: [] },
    ])
    const literals = await permafrost(
      'run',
      controlFlow,
      '--method',
      'repeat',
      '--input',
      '[[1.0, 2.0]]',
      '--input',
      '2',
    )
    expect(literals.code).toBe(3)
    expect(literals.stderr).toContain("'x'")
  })

  it('repeats and shows each time', async () => {
    const { stdout } = await permafrost(
      'run',
      cascade,
      '--inputs',
      inputs,
      '--repeat',
      '3',
      '--backend',
      'reference',
    )
    expect(stdout).toMatch(/forward took [\d.]+, [\d.]+, [\d.]+ ms/)
  })

  it('turns a raised exception into an error with its message and its line', async () => {
    const rows = join(folder, 'x.npz')
    const { code, stderr } = await permafrost('run', controlFlow, '--inputs', rows, '--input', '"median"')
    expect(code).toBeGreaterThan(1)
    expect(stderr).not.toBe('')
  })
})

describe('verify', () => {
  it('compares a model with its own frozen form', async () => {
    const { code, stdout } = await permafrost('verify', cascade, '--inputs', inputs, '--json')
    expect(code).toBe(0)
    expect(json(stdout).equal).toBe(true)
  })

  it('exits with 1 when two models differ', async () => {
    const { code, stdout } = await permafrost(
      'verify',
      cascade,
      fixturePath('cascade-traced.pt'),
      '--inputs',
      inputs,
    )
    expect(code).toBe(0)
    expect(stdout).toContain('equal')
    const strict = await permafrost('verify', cascade, '--inputs', inputs, '--rtol', '0', '--atol', '0')
    expect(strict.code).toBe(1)
    expect(strict.stdout).toContain('DIFFERENT output')
  })
})

describe('opt', () => {
  const before = `graph(%x : Tensor):
  %a : int = prim::Constant[value=2]()
  %b : int = prim::Constant[value=3]()
  %c : int = aten::mul(%a, %b)
  %y : Tensor = aten::mul(%x, %c)
  return (%y)
`
  it('runs passes over textual IR on stdin', () => {
    const program = `import { main } from ${JSON.stringify(new URL('../../dist/cli/main.js', import.meta.url).href)}; process.exitCode = await main(['opt', '--passes', 'constant-propagation,eliminate-dead-code'])`
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      input: before,
      encoding: 'utf8',
    })
    expect(status).toBe(0)
    expect(stdout).toContain('prim::Constant[value=6]')
    expect(stdout).not.toContain('value=2')
  })
})

describe('usage', () => {
  it.each([
    [[]],
    [['melt', cascade]],
    [['inspect']],
    [['inspect', cascade, 'more']],
    [['inspect', cascade, '--unknown']],
    [['freeze', cascade]],
    [['freeze', cascade, '-o', 'x.pt', '--flag', 'training']],
    [['graph', cascade, '--method', 'backward']],
    [['graph', cascade, '--format', 'svg']],
    [['graph', cascade, '--after', 'unknown-pass']],
    [['graph', cascade, '--after', 'eliminate-partial-redundancy']],
    [['graph', cascade, '--layouts', 'blocked', '--after', 'unknown-pass']],
    [['graph', cascade, '--layouts', 'blocked', '--after', 'fold-conv-batch-norm']],
    [['opt', '--passes', 'peephole', '--stop-after', 'peephole=abc']],
    [['opt', '--passes', 'peephole', '--stop-after', 'peephole=-1']],
    [['opt', '--passes', 'peephole', '--stop-after', 'peephole=']],
    [['opt', '--passes', 'peephole', '--stop-after', 'constant-propagation=1']],
    [['opt', '--stop-after', 'peephole']],
    [['run', cascade, '--input', '{broken']],
    [['run', cascade, '--backend', 'cuda']],
    [['run', cascade, '--repeat', 'often']],
  ])('exits with 2 for %j', async (args) => {
    const { code, stderr, stdout } = await permafrost(...args)
    expect(code).toBe(2)
    expect(stderr + stdout).not.toBe('')
  })

  it('explains itself', async () => {
    const { code, stdout } = await permafrost('--help')
    expect(code).toBe(0)
    for (const verb of ['inspect', 'graph', 'freeze', 'run', 'verify', 'opt'])
      expect(stdout).toContain(`permafrost ${verb}`)
    expect((await permafrost('freeze', '--help')).stdout).toContain('--params weight,bias')
  })

  it('puts errors in the JSON document too', async () => {
    const { code, stdout } = await permafrost('inspect', '/no/such/file.pt', '--json')
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({ error: { name: 'FileError', code: 'file' } })
  })
})
