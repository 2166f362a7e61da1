import { PermafrostError } from '../errors.ts'
import { UnknownPassError, InvalidParamNameError } from '../passes/errors.ts'
import { parseArguments } from './arguments.ts'
import { UsageError } from './errors.ts'
import { freezeVerb } from './freeze.ts'
import { graphVerb } from './graph.ts'
import { inspectVerb } from './inspect.ts'
import { optVerb } from './opt.ts'
import { runVerb } from './run.ts'
import type { Output, Verb } from './verb.ts'
import { verifyVerb } from './verify.ts'

const verbs: readonly Verb[] = [inspectVerb, graphVerb, freezeVerb, runVerb, verifyVerb, optVerb]

/** Exit codes: 0 success, 1 a comparison failed, 2 bad usage, 3 a model or input that cannot be used. */
const exitCodes = { success: 0, difference: 1, usage: 2, input: 3 } as const

/**
 * The `permafrost` command.
 *
 * @param args without the program's own name
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  process.stdout.on('error', exitOnBrokenPipe)
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(help())
    return name === undefined ? exitCodes.usage : exitCodes.success
  }
  const output = createOutput(rest.includes('--json'))
  try {
    const verb = verbs.find((known) => known.name === name)
    if (verb === undefined)
      throw new UsageError(
        `unknown command '${name}'`,
        {},
        `there are ${verbs.map((known) => known.name).join(', ')}`,
      )
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

function exitOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(exitCodes.success)
  throw error
}

function help(): string {
  const lines = verbs.map((verb) => `  ${verb.name.padEnd(10)}${verb.summary}`)
  const usages = verbs.map((verb) => `  permafrost ${verb.usage}`)
  return `permafrost: opens a TorchScript model, freezes it and runs it\n\n${lines.join('\n')}\n\n${usages.join('\n')}\n\nEvery command takes --json and --help.\n`
}
