import { ScriptObject } from '../ir/ivalue.ts'
import { InputError } from './errors.ts'
import { nearestName } from './nearest-name.ts'
import type { SessionOptions } from './session.ts'

/*
 * What is given to `createSession`, looked at before anything is made of it: callers of plain JavaScript have no compiler
 * that tells them.
 */

/** @throws InputError for what is no module */
export function checkModule(module: unknown): asserts module is ScriptObject {
  if (module instanceof ScriptObject) return
  const advice =
    typeof module === 'string'
      ? `load the file first: load(${JSON.stringify(module)})`
      : 'give what load() returns'
  throw new InputError(`${describe(module)} is no module`, { argument: 'module' }, advice)
}

/** @throws InputError for an option that does not exist, or is not what it must be */
export function checkSessionOptions(options: unknown): void {
  if (!isObject(options))
    throw new InputError(`the options are ${describe(options)}, no object`, {}, `there are ${known}`)
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(rules, name)) throw unknownOption(name)
    const { takes, fits } = rules[name as keyof SessionOptions]
    if (value !== undefined && !fits(value))
      throw new InputError(`option ${name} is ${describe(value)}`, { argument: name }, `it takes ${takes}`)
  }
}

interface Rule {
  readonly takes: string
  readonly fits: (value: unknown) => boolean
}

/** That a session may be told to use. */
export const mostThreads = 1024

const flag: Rule = { takes: 'true or false', fits: (value) => typeof value === 'boolean' }
const text: Rule = { takes: 'a string', fits: (value) => typeof value === 'string' }

const rules: Readonly<Record<keyof SessionOptions, Rule>> = {
  backend: {
    takes: 'the name of a backend, or a backend',
    fits: (value) => typeof value === 'string' || hasMethods(value, ['plan', 'dispose']),
  },
  fallback: text,
  threads: {
    takes: `a whole number from 1 to ${mostThreads}`,
    fits: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= mostThreads,
  },
  method: text,
  tune: flag,
  freeze: flag,
  rowMajorActivations: flag,
  plans: {
    takes: 'a whole number of at least 1, or Infinity',
    fits: (value) => value === Infinity || (Number.isInteger(value) && Number(value) >= 1),
  },
  environment: {
    takes: 'what createEnvironment() returns',
    fits: (value) => hasMethods(value, ['warn', 'print', 'random']),
  },
}

const known = Object.keys(rules).join(', ')

function unknownOption(name: string): InputError {
  const nearest = nearestName(name, Object.keys(rules))
  const advice = nearest === undefined ? `there are ${known}` : `did you mean ${nearest}? there are ${known}`
  return new InputError(`there is no option '${name}'`, { argument: name }, advice)
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  return isObject(value) && names.every((name) => typeof value[name] === 'function')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return 'a function'
  return isObject(value) ? 'an object' : String(value)
}
