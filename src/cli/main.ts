import { PermafrostError } from '../errors.ts'
import { FileError } from '../node/errors.ts'
import { reasonOf } from '../node/files.ts'
import { UnknownPassError, InvalidParamNameError } from '../passes/errors.ts'
import { parseArguments } from './arguments.ts'
import { UsageError } from './errors.ts'
import type { Output, Verb } from './verb.ts'

/** Loaded when called: looking at a model needs no kernels. */
const verbs: Readonly<Record<string, () => Promise<Verb>>> = {
  inspect: async () => (await import('./inspect.ts')).inspectVerb,
  graph: async () => (await import('./graph.ts')).graphVerb,
  freeze: async () => (await import('./freeze.ts')).freezeVerb,
  run: async () => (await import('./run.ts')).runVerb,
  bench: async () => (await import('./bench.ts')).benchVerb,
  verify: async () => (await import('./verify.ts')).verifyVerb,
  opt: async () => (await import('./opt.ts')).optVerb,
}

/** Exit codes: 0 success, 1 a comparison failed, 2 bad usage, 3 a model or input that cannot be used. */
const exitCodes = { success: 0, difference: 1, usage: 2, input: 3 } as const

/**
 * The `permafrost` command.
 *
 * @param args without the program's own name
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  if (!process.stdout.listeners('error').includes(exitUnwritten)) process.stdout.on('error', exitUnwritten)
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(await help())
    return name === undefined ? exitCodes.usage : exitCodes.success
  }
  const output = createOutput(rest.includes('--json'))
  try {
    const loadVerb = Object.hasOwn(verbs, name) ? verbs[name] : undefined
    if (loadVerb === undefined)
      throw new UsageError(`unknown command '${name}'`, {}, `there are ${Object.keys(verbs).join(', ')}`)
    const verb = await loadVerb()
    if (rest.includes('--help')) {
      process.stdout.write(`${verb.summary}\n\nusage: permafrost ${verb.usage}\n`)
      return exitCodes.success
    }
    const parsed = parseArguments(
      rest,
      { ...verb.options, json: { type: 'boolean' } },
      `permafrost ${verb.usage}`,
    )
    return await verb.run(parsed, output)
  } catch (error) {
    return fail(error, output)
  }
}

function fail(error: unknown, output: Output): number {
  if (!(error instanceof PermafrostError)) throw error
  output.message(`${error.name}: ${error.message}`)
  if (output.json)
    output.document({
      error: {
        name: error.name,
        code: error.code,
        found: error.found,
        place: error.place,
        advice: error.advice,
      },
    })
  return isUsage(error) ? exitCodes.usage : exitCodes.input
}

function isUsage(error: PermafrostError): boolean {
  return (
    error instanceof UsageError || error instanceof UnknownPassError || error instanceof InvalidParamNameError
  )
}

function createOutput(json: boolean): Output {
  return {
    json,
    print: (text) => {
      if (!json) process.stdout.write(`${text}\n`)
    },
    document: (value) => process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`),
    message: (text) => process.stderr.write(`${text}\n`),
  }
}

/** Ends the process where nobody reads its output any longer, or nothing more fits where it goes. */
function exitUnwritten(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(exitCodes.success)
  const { name, message } = new FileError(`cannot write to stdout: ${reasonOf(error)}`)
  process.stderr.write(`${name}: ${message}\n`)
  process.exit(exitCodes.input)
}

async function help(): Promise<string> {
  const all = await Promise.all(Object.values(verbs).map((loadVerb) => loadVerb()))
  const lines = all.map((verb) => `  ${verb.name.padEnd(10)}${verb.summary}`)
  const usages = all.map((verb) => `  permafrost ${verb.usage}`)
  return `permafrost: opens a TorchScript model, freezes it and runs it\n\n${lines.join('\n')}\n\n${usages.join('\n')}\n\nEvery command takes --json and --help.\n`
}
