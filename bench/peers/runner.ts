import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Farewell, Greeting } from './protocol.js'

/** A peer in a process of its own, told what to do by lines. */
export class Runner {
  readonly name: string
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string, undefined>

  constructor(name: string, command: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    this.name = name
    const [program = '', ...args] = command
    this.#child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    })
    this.#child.stdin?.on('error', () => undefined) // The end of its output tells that it is gone.
    const { stdout } = this.#child
    if (stdout === null) throw new TypeError(`${name}: no output`)
    this.#lines = createInterface(stdout)[Symbol.asyncIterator]()
  }

  async #answer(): Promise<unknown> {
    const next: IteratorResult<string, undefined> = await this.#lines.next()
    if (next.done === true) throw new TypeError(`${this.name} ended without an answer`)
    return JSON.parse(next.value)
  }

  async greeting(): Promise<Greeting> {
    return (await this.#answer()) as Greeting
  }

  /** Milliseconds of so many runs. */
  async run(count: number): Promise<readonly number[]> {
    this.#child.stdin?.write(`run ${count}\n`)
    return (await this.#answer()) as number[]
  }

  /** Writes the output to a file, tells the rest, and ends. */
  async end(output: string): Promise<Farewell & Readonly<Record<string, unknown>>> {
    this.#child.stdin?.write(`end ${output}\n`)
    const farewell = (await this.#answer()) as Farewell & Record<string, unknown>
    this.#child.stdin?.end()
    await once(this.#child, 'exit')
    return farewell
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
