import { describe, expect, it } from 'vitest'
import { ModuleSource } from '../../test/support/modules.ts'
import type { ScriptObject } from '../ir/ivalue.ts'
import { loadBytes, saveBytes } from '../load.ts'
import { runMethod } from '../runtime/module-runner.ts'
import { Tensor } from '../tensor/tensor.ts'
import { schemasNamed } from '../ops/schema-table.ts'
import { schemasInVersion } from './operator-upgraders.ts'

function moduleOf(expression: string, version: number): ScriptObject {
  const text = `class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n  def forward(self: __torch__.M, x: Tensor, y: int) -> Tensor:\n    return ${expression}\n`
  return new ModuleSource(text, version).make('M', { training: false })
}

const ints = (): Tensor => Tensor.from('int64', [3], [-7, 7, 8])

function run(module: ScriptObject, x: Tensor = ints()): string {
  const result = runMethod(module, 'forward', [x, 2]) as Tensor
  return `${result.dtype} ${Array.from(result.data as Float32Array, Number).join(' ')}`
}

describe('code of old file versions', () => {
  it.each([
    ['torch.div(x, torch.full_like(x, 2))', 3, 'int64 -3 3 4'],
    ['torch.div(x, torch.full_like(x, 2))', 4, 'float32 -3.5 3.5 4'],
    ['torch.div(x, y)', 3, 'int64 -3 3 4'],
    ['torch.div(x, 2.)', 3, 'float32 -3.5 3.5 4'],
    ['torch.div(torch.to(x, 6), y)', 3, 'float32 -3.5 3.5 4'],
    ['torch.div_(x, y)', 2, 'int64 -3 3 4'],
    ['torch.full([2], y)', 4, 'float32 2 2'],
    ['torch.full([2], y)', 5, 'int64 2 2'],
    ['torch.full([2], y, dtype=3)', 4, 'int32 2 2'],
    ['torch.linspace(0, 1, 3)', 7, 'float32 0 0.5 1'],
    ['torch.slice(torch.linspace(0, 99), 0, 0, 3)', 7, 'float32 0 1 2'],
  ] as const)('%s of version %i gives %s', (expression, version, expected) => {
    const result = run(moduleOf(expression, version))
    expect(expression.includes('slice') ? result.split(' ').slice(0, 4).join(' ') : result).toBe(expected)
  })

  it('is written again as code of today that does the same', () => {
    const root = moduleOf('torch.div(x, y)', 3)
    const bytes = saveBytes({ root, name: 'old', version: 3, extra: new Map() })
    const again = loadBytes(bytes)
    expect(again.version).toBe(10)
    expect(run(again.root)).toBe('int64 -3 3 4')
  })

  it('leaves other operators and newer versions alone', () => {
    expect(schemasInVersion('aten::div', 4)).toEqual(schemasNamed('aten::div'))
    expect(schemasInVersion('aten::gelu', 10)).toBe(schemasNamed('aten::gelu'))
    expect(schemasInVersion('aten::add', 1)).toEqual(schemasNamed('aten::add'))
  })
})
