/**
 * What bench/native.ts and its runners say to each other, a line each. A runner greets with what it measured until its first
 * answer. Then `run N` is answered by N times in milliseconds, and `end FILE` by what it measured after writing its output
 * there as float32.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

export interface Greeting {
  /** Milliseconds of loading, compiling and the first answer; starting the process is not in it. */
  readonly first: number
  readonly version: string
}

export interface Farewell {
  /** Megabytes of memory at most. */
  readonly peak: number
}

export interface Served {
  readonly run: () => Promise<Float32Array>
  readonly greeting: Greeting
  /** More to say at the end. */
  readonly farewell?: () => Promise<object>
}

export function floatsOf(path: string): Float32Array {
  const { buffer, byteOffset, byteLength } = readFileSync(path)
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength))
}

export function shapeOf(size: string): [number, number, number, number] {
  return [1, 3, Number(size), Number(size)]
}

function reply(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

async function timesOf(run: () => Promise<unknown>, count: number): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const begin = performance.now()
    await run()
    times.push(performance.now() - begin)
  }
  return times
}

export async function serve({ run, greeting, farewell }: Served): Promise<void> {
  await timesOf(run, 3)
  reply(greeting)
  for await (const line of createInterface(process.stdin)) {
    const [command, argument = ''] = line.split(' ')
    if (command === 'run') {
      reply(await timesOf(run, Number(argument)))
      continue
    }
    const { buffer, byteOffset, byteLength } = await run()
    writeFileSync(argument, new Uint8Array(buffer, byteOffset, byteLength))
    reply({ peak: process.resourceUsage().maxRSS / 1024, ...(await farewell?.()) })
  }
}
