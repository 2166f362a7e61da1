import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'

interface Answer {
  readonly ok?: Readonly<Record<string, unknown>>
  readonly error?: string
}

const script = new URL('../../scripts/oracle/worker.py', import.meta.url).pathname

/** A Python process with PyTorch that makes models and runs files (scripts/oracle/worker.py). */
export class OracleWorker {
  readonly #process: ChildProcess
  readonly #lines: Interface
  readonly #waiting: ((answer: Answer) => void)[] = []

  constructor(python: string) {
    this.#process = spawn(python, ['-W', 'ignore', script], { stdio: ['pipe', 'pipe', 'ignore'] })
    if (this.#process.stdout === null) throw new TypeError('the oracle has no stdout')
    this.#lines = createInterface(this.#process.stdout)
    this.#lines.on('line', (line) => this.#waiting.shift()?.(JSON.parse(line) as Answer))
    this.#process.on('exit', () => this.#fail())
  }

  async request(request: Readonly<Record<string, string>>): Promise<Readonly<Record<string, unknown>>> {
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.push(resolve)
      this.#process.stdin?.write(`${JSON.stringify(request)}\n`)
    })
    if (answer.ok === undefined) throw new TypeError(`oracle: ${answer.error ?? 'no answer'}`)
    return answer.ok
  }

  stop(): void {
    this.#process.stdin?.end()
  }

  #fail(): void {
    for (const resolve of this.#waiting.splice(0)) resolve({ error: 'the Python process ended' })
  }
}

/** Whether that Python can import the module. */
export function canImport(python: string, module: string): boolean {
  return spawnSync(python, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0
}
