import { describe, expect, it } from 'vitest'
import { printGraph } from '../ir/graph-printer.ts'
import { parseGraph } from '../ir/graph-parser.ts'
import { List } from '../ir/ivalue.ts'
import { typeOfTensor } from '../ir/type-of-value.ts'
import { printType } from '../ir/type-printer.ts'
import { TensorT } from '../ir/types.ts'
import { runGraph } from '../runtime/interpreter.ts'
import { convertLayout } from '../tensor/convert-layout.ts'
import { LayoutError } from '../tensor/errors.ts'
import { OpaqueLayout, parseLayout } from '../tensor/layout.ts'
import { readNpy, writeNpy } from '../tensor/npy.ts'
import { Storage } from '../tensor/storage.ts'
import { Tensor } from '../tensor/tensor.ts'
import { UnsupportedOperatorError } from './errors.ts'

function counting(...sizes: number[]): Tensor {
  const numel = sizes.reduce((a, b) => a * b, 1)
  return Tensor.from(
    'float32',
    sizes,
    Array.from({ length: numel }, (_, i) => i - 3),
  )
}

function run(text: string, ...inputs: Tensor[]): Tensor {
  return runGraph(parseGraph(text), inputs)[0] as Tensor
}

describe('layout::reorder', () => {
  it('gives the tensor in the layout that it names', () => {
    const y = run(
      'graph(%x : Tensor):\n  %y : Tensor = layout::reorder[to="nChw4c"](%x)\n  return (%y)',
      counting(1, 6, 1, 2),
    )
    expect(printType(typeOfTensor(y))).toBe('Float(1, 6, 1, 2, layout="nChw4c", requires_grad=0, device=cpu)')
    expect([...y.data]).toEqual([-3, -1, 1, 3, -2, 0, 2, 4, 5, 7, 0, 0, 6, 8, 0, 0])
  })

  it('gives a strided tensor where the layout has no blocks, in memory of its own', () => {
    const x = counting(1, 2, 1, 2)
    const y = run('graph(%x : Tensor):\n  %y : Tensor = layout::reorder[to="nchw"](%x)\n  return (%y)', x)
    expect(y.storage).not.toBe(x.storage)
    const z = run('graph(%x : Tensor):\n  %y : Tensor = layout::reorder[to="nhwc"](%x)\n  return (%y)', x)
    expect(z.strides).toEqual([4, 1, 4, 2])
  })

  it('knows the layouts of grouped weights by their groups', () => {
    const text =
      'graph(%x : Tensor):\n  %y : Tensor = layout::reorder[to="Goihw8g", groups=4](%x)\n  return (%y)\n'
    expect(run(text, counting(4, 1, 1, 1)).storage.byteLength).toBe(32)
    expect(printGraph(parseGraph(text))).toBe(text)
  })

  it('says which backend knows a layout that is none of ours', () => {
    const text =
      'graph(%x : Tensor):\n  %y : Tensor = layout::reorder[to="onednn:winograd"](%x)\n  return (%y)'
    expect(() => run(text, counting(1))).toThrow(UnsupportedOperatorError)
    expect(() => run(text, counting(1))).toThrow('only a backend can make the layout onednn:winograd')
  })

  it.each(['[to="nonsense"]', '[to=1]', '', '[to="Goihw8g"]', '[to="nc"]'])(
    '%s is an error with a name',
    (to) => {
      const text = `graph(%x : Tensor):\n  %y : Tensor = layout::reorder${to}(%x)\n  return (%y)`
      expect(() => run(text, counting(2, 2, 2))).toThrow(LayoutError)
    },
  )
})

describe('an operator that knows strides only', () => {
  const x = counting(1, 6, 2, 2)
  const packed = convertLayout(x, parseLayout('nChw4c'))

  it('computes the same of a packed tensor', () => {
    const text = 'graph(%x : Tensor):\n  %y : Tensor = aten::relu(%x)\n  return (%y)'
    expect(run(text, packed).data).toEqual(run(text, x).data)
  })

  it('computes the same of packed tensors in a list', () => {
    const text =
      'graph(%x : Tensor[]):\n  %d : int = prim::Constant[value=1]()\n  %y : Tensor = aten::cat(%x, %d)\n  return (%y)'
    const cat = (...tensors: Tensor[]): Tensor =>
      runGraph(parseGraph(text), [new List(tensors, TensorT)])[0] as Tensor
    expect(cat(packed, x, packed).data).toEqual(cat(x, x, x).data)
  })

  it('does not write into one', () => {
    const text = 'graph(%x : Tensor):\n  %y : Tensor = aten::relu_(%x)\n  return (%y)'
    expect(() => run(text, packed)).toThrow(LayoutError)
  })

  it('names the backend that alone can read an operand', () => {
    const layout = new OpaqueLayout('onednn', 'winograd', 96)
    const opaque = new Tensor(Storage.ofLength(96), 'float32', [1, 6, 2, 2], { layout })
    const text = 'graph(%x : Tensor):\n  %y : Tensor = aten::relu(%x)\n  return (%y)'
    expect(() => run(text, opaque)).toThrow(/only the backend onednn can read/)
  })

  it('leaves packed tensors that are printed or saved what they are to a reader', () => {
    expect(readNpy(writeNpy(packed)).data).toEqual(x.data)
    const text = 'graph(%x : Tensor):\n  %s : str = aten::str(%x)\n  return (%s)'
    expect(runGraph(parseGraph(text), [packed])).toEqual(runGraph(parseGraph(text), [x]))
  })
})

describe('a constant in a layout', () => {
  it('is shown by its type, and not by its elements', () => {
    const line =
      '%c : Float(2, 1, layout="Ab4a", requires_grad=0, device=cpu) = prim::Constant[value=<Tensor>]()'
    const text = `graph():\n  ${line}\n  return (%c)\n`
    const graph = parseGraph(text)
    expect(printGraph(graph)).toBe(text)
    const [constant] = runGraph(graph, [])
    expect((constant as Tensor).storage.byteLength).toBe(16)
  })

  it('can be written exactly', () => {
    const type = 'Float(2, 1, layout="Ab4a", requires_grad=0, device=cpu)'
    const text = `graph():\n  %c : ${type} = prim::Constant[value=<Tensor float32[2, 1] 5 7>]()\n  return (%c)\n`
    const graph = parseGraph(text)
    expect(printGraph(graph, { tensors: 'literal' })).toBe(text)
    expect([...(runGraph(graph, [])[0] as Tensor).data]).toEqual([5, 7, 0, 0])
  })
})
