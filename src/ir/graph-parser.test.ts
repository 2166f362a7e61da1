import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Tensor } from '../tensor/tensor.ts'
import { IrSyntaxError } from './errors.ts'
import { GraphEditor } from './graph-editor.ts'
import { parseGraph } from './graph-parser.ts'
import { printGraph } from './graph-printer.ts'
import { Double, EnumValue, OpaqueValue } from './ivalue.ts'
import { tensorElements } from './tensor-elements.ts'
import { verifyGraph } from './verifier.ts'
import type { Graph } from './graph.ts'

function lines(...text: string[]): string {
  return `${text.join('\n')}\n`
}

function constant(text: string): Graph {
  return parseGraph(`graph():\n  %0 : ${text}\n  return (%0)\n`)
}

const branches = lines(
  'graph(%c.1 : bool,',
  '      %x : Tensor):',
  '  %3 : int = prim::Constant[value=1]() # model.py:3:8',
  '  %y : Tensor = prim::If(%c.1) # model.py:4:4',
  '    block0():',
  '      %5 : Tensor = aten::add(%x, %x, %3)',
  '      -> (%5)',
  '    block1():',
  '      -> (%x)',
  '  %u : Future[Tensor] = prim::fork_0(%y)',
  '   = prim::Print(%y)',
  '  return (%y)',
  'with prim::fork_0 = graph(%a : Tensor):',
  '  %1 : Future[Tensor] = prim::fork_0(%a)',
  '  return (%1)',
  'with prim::fork_0 = graph(%b : Tensor):',
  '  return (%b)',
)

describe('parseGraph', () => {
  it('keeps names, numbers, blocks, subgraphs and locations', () => {
    const graph = parseGraph(branches)
    expect(printGraph(graph, { ranges: true })).toBe(branches)
    verifyGraph(graph)
    expect(graph.value('3')?.node.range?.original).toEqual({ file: 'model.py', line: 3, column: 8 })
  })

  it('reads what people write: comments, no types, any line breaks', () => {
    const graph = parseGraph(
      'graph(%x, %n : int): # first\n%y=aten::relu(%x)# second\n\nprim::Print(%y) return(%y)',
    )
    expect(printGraph(graph)).toBe(
      lines(
        'graph(%x : Tensor,',
        '      %n : int):',
        '  %y : Tensor = aten::relu(%x)',
        '   = prim::Print(%y)',
        '  return (%y)',
      ),
    )
  })

  it('gives new values numbers that are free', () => {
    const graph = parseGraph('graph(%7 : int, %a : int): return (%7)')
    expect(graph.value('a')?.unique).toBe(8)
  })

  it('lets the type say what a literal is', () => {
    expect(constant('bool = prim::Constant[value=1]()').value('0')?.node.attribute('value')).toBe(true)
    expect(
      constant('float = prim::Constant[value=10000000000]()').value('0')?.node.attribute('value'),
    ).toEqual(new Double(1e10))
    expect(
      constant('int = prim::Constant[value=-9223372036854775808]()').value('0')?.node.attribute('value'),
    ).toBe(-(2n ** 63n))
  })

  it('gives a tensor whose content is not told zeros, or nothing where its type is open', () => {
    const type = 'Float(4, 5, strides=[1, 4], requires_grad=0, device=cpu)'
    const zeros = constant(`${type} = prim::Constant[value=<Tensor>]()`).value('0')?.node.attribute('value')
    expect(zeros).toMatchObject({ dtype: 'float32', sizes: [4, 5], strides: [1, 4] })
    const open = constant('Tensor = prim::Constant[value=<Tensor>]()')
    expect(open.value('0')?.node.attribute('value')).toEqual(new OpaqueValue('Tensor', null))
    expect(printGraph(open)).toContain('%0 : Tensor = prim::Constant[value=<Tensor>]()')
    const given = Tensor.from('float32', [2], [1, 2])
    const text = 'graph():\n  %w : Tensor = prim::Constant[value=<Tensor>]()\n  return (%w)'
    const tensors = (name: string): Tensor | undefined => (name === 'w' ? given : undefined)
    expect(parseGraph(text, { tensors }).value('w')?.node.attribute('value')).toBe(given)
  })

  it('reads tensors exactly that were printed literally', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('float32', 'float64', 'int64', 'bool', 'float16', 'complex64' as const),
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 200 })),
        (dtype, sizes, numbers) => {
          const tensor = Tensor.zeros(dtype, sizes)
          const bytes = tensor.storage.bytes
          let i = 0
          for (const number of numbers.take(bytes.length)) bytes[i++] = dtype === 'bool' ? number & 1 : number
          const graph = parseGraph('graph(): return ()')
          const printed = printGraph(withConstant(graph, tensor), { tensors: 'literal' })
          const back = parseGraph(printed).value('0')?.node.attribute('value')
          expect(back).toBeInstanceOf(Tensor)
          expect([...tensorElements(back as Tensor)]).toEqual([...tensorElements(tensor)])
        },
      ),
      { numRuns: 60 },
    )
  })

  it('names the members of enums by the types it is given', () => {
    const type = { kind: 'Enum', name: 'm.Color', valueType: { kind: 'Int' }, members: [['RED', 7]] } as const
    const text = 'graph():\n  %0 : Enum<m.Color> = prim::Constant[value=m.Color.RED]()\n  return (%0)'
    const graph = parseGraph(text, { resolveType: (name) => (name === 'm.Color' ? type : undefined) })
    expect(graph.value('0')?.node.attribute('value')).toEqual(new EnumValue(type, 'RED', 7))
  })

  it.each([
    ['', "expected 'graph' but found 'the end'", 1, 1],
    ['graph(%x : Tensor:', "expected ')' but found ':'", 1, 18],
    [
      'graph():\n  %y = relu()',
      "expected a node, as in '%y : Tensor = aten::relu(%x)', but found 'relu()'",
      2,
      8,
    ],
    ['graph():\n  %y = aten::relu(%x)\n  return (%y)', '%x is not defined here', 2, 19],
    ['graph(%x, %x):\n  return (%x)', '%x is defined twice', 1, 11],
    ['graph():\n  %y : int = prim::Constant[value=]()', "expected a value but found ']()'", 2, 35],
    ['graph():\n  return ()\ngraph', "expected the end of the graph but found 'graph'", 3, 1],
    ['graph():\n  %y : int = prim::Constant[value=9223372036854775808]()', 'is no 64-bit integer', 2, 35],
    ['graph(%0123):\n return ()', '%0123 is no usable number', 1, 7],
  ])('refuses %j', (text, message, line, column) => {
    try {
      parseGraph(text)
      expect.fail('it was accepted')
    } catch (error) {
      expect(error).toBeInstanceOf(IrSyntaxError)
      expect((error as IrSyntaxError).found).toContain(message)
      expect((error as IrSyntaxError).place).toMatchObject({ line, column })
    }
  })

  it('refuses deep nesting and large tensors instead of running out of memory', () => {
    const type = 'Float(100000, 100000, strides=[100000, 1], requires_grad=0, device=cpu)'
    expect(() => constant(`${type} = prim::Constant[value=<Tensor>]()`)).toThrow('is too large')
    expect(() => constant(`int = prim::Constant[value=${'['.repeat(9999)}]()`)).toThrow('nested more than')
    const block = 'prim::If(%c) block0(): '
    expect(() => parseGraph(`graph(%c): ${block.repeat(9999)}`)).toThrow('nested more than')
  })

  it('never fails otherwise on damaged text', () => {
    const damaged = fc.tuple(fc.nat(branches.length), fc.nat(12), fc.string({ maxLength: 6 }))
    fc.assert(
      fc.property(damaged, ([at, length, insert]) => {
        const text = branches.slice(0, at) + insert + branches.slice(at + length)
        try {
          printGraph(parseGraph(text), { ranges: true })
        } catch (error) {
          if (!(error instanceof IrSyntaxError)) throw error
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('never fails otherwise on words of the language in any order', () => {
    const words = [
      'graph',
      '(',
      ')',
      '%x',
      '%1',
      ':',
      'Tensor',
      '[',
      ']',
      '=',
      'prim::Constant',
      'value',
      '<Tensor>',
    ]
    const more = [
      '{1}',
      '"a"',
      'block0',
      '->',
      'return',
      ',',
      '1.5',
      'Dict(',
      'Float(2',
      '?',
      ' 1  2 [ CPUFloatType{2} ]',
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words, ...more, '\n', ' '), { maxLength: 30 }), (parts) => {
        for (const text of [
          parts.join(''),
          `graph():\n  %0 : Tensor = prim::Constant[value=${parts.join('')}`,
        ])
          try {
            parseGraph(text)
          } catch (error) {
            if (!(error instanceof IrSyntaxError)) throw error
          }
      }),
      { numRuns: 2000 },
    )
  })
})

function withConstant(graph: Graph, value: Tensor): Graph {
  new GraphEditor(graph).insertConstant(value, { kind: 'Tensor' })
  return graph
}
