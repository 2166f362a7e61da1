import { describe, expect, it } from 'vitest'
import { PermafrostError } from '../../src/errors.ts'
import { createSession, prepack, type NodeSessionOptions } from '../../src/node/index.ts'
import type { PrepackOptions } from '../../src/node/prepack.ts'
import { InputError, UnknownBackendError } from '../../src/runtime/errors.ts'
import { nearestName } from '../../src/runtime/nearest-name.ts'
import { loadFixture } from '../support/fixture-models.ts'

const module = loadFixture('cascade')

/** What plain JavaScript may give, where TypeScript would not let it. */
function errorOf(given: unknown, options?: unknown): PermafrostError {
  try {
    createSession(given as typeof module, options as NodeSessionOptions)
  } catch (error) {
    if (error instanceof PermafrostError) return error
    throw error
  }
  return expect.fail('nothing was thrown')
}

describe('createSession', () => {
  it.each([[undefined], [null], [5], [{}], [{ root: {} }], [[]]])('refuses %j for a module', (given) => {
    const error = errorOf(given)
    expect(error).toBeInstanceOf(InputError)
    expect(error.message).toMatch(/is no module[^]*load\(\)/)
  })

  it('tells whoever gives a path to load it', () => {
    expect(errorOf('x.pt').message).toMatch(/"x\.pt" is no module[^]*load\("x\.pt"\)/)
  })

  it.each([[null], [5], ['onednn']])('refuses %j for options', (options) => {
    expect(errorOf(module, options).message).toMatch(/the options are .*, no object/)
  })

  it.each([
    ['backend', null],
    ['backend', 5],
    ['backend', {}],
    ['method', 7],
    ['plans', NaN],
    ['plans', 0],
    ['plans', '3'],
    ['threads', 0],
    ['threads', 1.5],
    ['threads', '2'],
    ['threads', 1025],
    ['tune', 1],
    ['freeze', 'no'],
    ['environment', {}],
  ])('names option %s where it is %j', (name, value) => {
    const error = errorOf(module, { [name]: value })
    expect(error).toBeInstanceOf(InputError)
    expect(error.place.argument).toBe(name)
    expect(error.advice).toMatch(/^it takes /)
  })

  it('names the backends where there is none of that name', () => {
    const error = errorOf(module, { backend: 'gpu' })
    expect(error).toBeInstanceOf(UnknownBackendError)
    expect(error.advice).toContain('onednn, reference')
  })

  it.each([
    ['thread', 'threads'],
    ['Backend', 'backend'],
    ['tuned', 'tune'],
  ])('names the nearest option where there is none called %s', (name, nearest) => {
    const error = errorOf(module, { [name]: 2 })
    expect(error.found).toBe(`there is no option '${name}'`)
    expect(error.advice).toMatch(new RegExp(`^did you mean ${nearest}\\? there are backend, `))
  })

  it('takes what is left undefined for left out', () => {
    const options = { backend: 'reference', threads: undefined, plans: Infinity } as unknown
    createSession(module, options as NodeSessionOptions).dispose()
  })
})

describe('prepack', () => {
  it('looks at what it is given as createSession does', () => {
    expect(() => prepack(undefined as unknown as typeof module, [])).toThrow(InputError)
    expect(() => prepack(module, [], { thread: 2 } as PrepackOptions)).toThrow(/did you mean threads/)
  })
})

describe('nearestName', () => {
  it('is undefined where all names are other words', () => {
    expect(nearestName('quantize', ['backend', 'threads', 'tune'])).toBeUndefined()
    expect(nearestName('', ['tune'])).toBeUndefined()
  })
})
