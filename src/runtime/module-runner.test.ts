import { describe, expect, it } from 'vitest'
import { ModuleSource } from '../../test/support/modules.ts'
import type { ScriptObject } from '../ir/ivalue.ts'
import { PermafrostError } from '../errors.ts'
import { Tensor } from '../tensor/tensor.ts'
import { createEnvironment } from './environment.ts'
import { ExecutionError, InputError, LimitExceededError, RaisedException } from './errors.ts'
import { runMethod } from './module-runner.ts'
import { toPlain } from './plain-value.ts'

const source = new ModuleSource(`
class Counter(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  count : int
  def forward(self: __torch__.Counter, step: int=1) -> int:
    self.count = torch.add(self.count, step)
    return self.count
  def twice(self: __torch__.Counter, step: int) -> int:
    _0 = (self).forward(step, )
    return (self).forward(step, )
  def check(self: __torch__.Counter, limit: int) -> int:
    if torch.gt(limit, 3):
      ops.prim.RaiseException("the limit is too large", "builtins.ValueError")
    else:
      pass
    return limit
  def first(self: __torch__.Counter, xs: List[int]) -> int:
    return torch.select(xs, 5)
  def never_ends(self: __torch__.Counter) -> int:
    n = 0
    _1 = True
    while _1:
      n = torch.add(n, 1)
      _1 = torch.ge(n, 0)
    return n
  def speak(self: __torch__.Counter, name: str) -> NoneType:
    print("hello", name)
    return None
  def unknown(self: __torch__.Counter, x: Tensor) -> Tensor:
    return torch.bessel_of_no_kind(x)
  def scale(self: __torch__.Counter, x: Tensor, factors: Dict[str, float], shape: Tuple[int, Optional[str]]) -> Tuple[Tensor, float, str]:
    text = torch.format("{} {}", (shape)[0], (shape)[1])
    return (x, factors["a"], text)
class Outer(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  inner : __torch__.Counter
  def forward(self: __torch__.Outer, limit: int) -> int:
    return (self.inner).check(limit, )
`)

const counter = (): ScriptObject => source.make('Counter', { training: false, count: 10 })

function errorOf(body: () => unknown): PermafrostError {
  try {
    body()
  } catch (error) {
    if (error instanceof PermafrostError) return error
  }
  return expect.unreachable('it did not throw')
}

describe('running a method', () => {
  it('keeps what the module writes to its attributes', () => {
    const object = counter()
    expect(runMethod(object, 'forward', [5])).toBe(15)
    expect(runMethod(object, 'twice', [1])).toBe(17)
    expect(object.slots.get('count')).toBe(17)
  })

  it('fills defaults and takes arguments by name', () => {
    expect(runMethod(counter(), 'forward', [])).toBe(11)
    expect(runMethod(counter(), 'forward', { named: { step: 2 } })).toBe(12)
  })

  it('gives an exception of the model its class, its message and its place', () => {
    const outer = source.make('Outer', { training: false, inner: counter() })
    const error = errorOf(() => runMethod(outer, 'forward', [4]))
    expect(error).toBeInstanceOf(RaisedException)
    expect(error).toMatchObject({
      exceptionClass: 'ValueError',
      exceptionMessage: 'the limit is too large',
    })
    expect(error.place).toMatchObject({
      node: 'prim::RaiseException',
      method: '__torch__.Counter.check',
      line: 15,
    })
    expect(runMethod(outer, 'forward', [3])).toBe(3)
  })

  it('says where in the code a kernel refused its arguments', () => {
    const error = errorOf(() => runMethod(counter(), 'first', [[1, 2]]))
    expect(error.message).toContain('list index out of range: 5 of 2')
    expect(error.code).toBe('index-out-of-range')
    expect(error.place).toMatchObject({ method: '__torch__.Counter.first', line: 20 })
  })

  it('ends by a limit of steps or time', () => {
    for (const limits of [{ steps: 10_000 }, { milliseconds: 20 }])
      expect(() => runMethod(counter(), 'never_ends', [], createEnvironment({ limits }))).toThrow(
        LimitExceededError,
      )
  })

  it('prints to whoever asked for it', () => {
    const printed: string[] = []
    runMethod(counter(), 'speak', ['world'], createEnvironment({ print: (text) => printed.push(text) }))
    expect(printed).toEqual(['hello world\n'])
  })

  it('names an operator without a kernel when it comes to it', () => {
    const error = errorOf(() => runMethod(counter(), 'unknown', [Tensor.zeros('float32', [1])]))
    expect(error.code).toBe('unsupported-operator')
    expect(error.place).toMatchObject({ line: 32 })
    expect(error.message).toContain('bessel_of_no_kind')
  })

  it('takes and gives plain values', () => {
    const x = Tensor.zeros('float32', [2])
    const result = runMethod(counter(), 'scale', [x, { a: 2 }, [3, null]])
    expect(toPlain(result)).toEqual([x, 2, '3 None'])
  })
})

describe('inputs that do not fit', () => {
  const cases: readonly (readonly [string, unknown[], RegExp])[] = [
    ['too many', [1, 2], /takes 1 argument but 2 were given/],
    ['a fraction for an int', [1.5], /expected int but found 1\.5/],
    ['a string for an int', ['1'], /expected int but found "1"/],
    ['None for an int', [null], /expected int but found None/],
  ]
  it.each(cases)('%s', (_, inputs, message) => {
    const error = errorOf(() => runMethod(counter(), 'forward', inputs))
    expect(error).toBeInstanceOf(InputError)
    expect(error.message).toMatch(message)
  })

  it('are named down to the element', () => {
    const error = errorOf(() => runMethod(counter(), 'first', [[1, 'x']]))
    expect(error.message).toMatch(/expected int but found "x"\n.*'xs\[1\]'/s)
  })

  it('include unknown, repeated and missing names', () => {
    const run = (inputs: object) => () => runMethod(counter(), 'check', inputs)
    expect(run({ named: { no: 1 } })).toThrow(/no argument 'no'/)
    expect(run({ positional: [1], named: { limit: 1 } })).toThrow(/given twice/)
    expect(run({})).toThrow(/argument 'limit' of .* is missing/)
  })

  it('include a method that is not there', () => {
    expect(() => runMethod(counter(), 'backward', [])).toThrow(
      /has no method 'backward'[^]*its methods: forward/,
    )
  })
})

it('refuses an attribute that no value was given', () => {
  const object = source.make('Counter', { training: false })
  expect(() => runMethod(object, 'forward', [1])).toThrow(ExecutionError)
})

it('takes a constant tensor of no dimensions for a number, as traces write them', () => {
  const source = `
class M(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    return torch.div(torch.sub(x, CONSTANTS.c0), CONSTANTS.c1)
`
  const constants = [Tensor.from('float64', [], [1.5]), Tensor.from('int64', [], [2n])]
  const module = new ModuleSource(source, 10, constants).make('M', { training: false })
  const result = runMethod(module, 'forward', [Tensor.from('uint8', [2], [1, 255])]) as Tensor
  expect(result.dtype).toBe('float32')
  expect([...result.data]).toEqual([-0.25, 126.75])
})
