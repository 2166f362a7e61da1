import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readNpz } from '../../src/archive/npz.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { canImport, OracleWorker } from './worker.ts'

/** Where models are made and kept: PERMAFROST_ORACLE_DIR, or `.oracle`. */
export const oracleFolder = process.env['PERMAFROST_ORACLE_DIR'] ?? '.oracle'

/** libtorch 1.13 with torchvision, and a second libtorch that reads what we write, where there is one. */
export interface Oracles {
  readonly first: OracleWorker
  readonly second: OracleWorker | undefined
  /** Runs a file on arguments in an .npz and reads the outputs. */
  readonly run: (worker: OracleWorker, request: RunRequest) => Promise<Map<string, Tensor>>
  readonly stop: () => void
}

interface RunRequest {
  readonly model: string
  readonly input: string
  readonly method?: string
}

/** Starts them: PERMAFROST_PYTHON (or /usr/bin/python3) and, if set, PERMAFROST_PYTHON2. */
export function startOracles(): Oracles {
  mkdirSync(oracleFolder, { recursive: true })
  const python = process.env['PERMAFROST_PYTHON'] ?? '/usr/bin/python3'
  if (!canImport(python, 'torchvision'))
    throw new TypeError(`${python} has no torchvision; set PERMAFROST_PYTHON`)
  const first = new OracleWorker(python)
  const second = startSecond()
  const scratch = mkdtempSync(join(tmpdir(), 'permafrost-oracle-'))
  return {
    first,
    second,
    run: async (worker, request) => {
      const output = join(scratch, 'output.npz')
      await worker.request({ do: 'run', ...request, output })
      return readNpz(readFileSync(output))
    },
    stop: () => {
      first.stop()
      second?.stop()
      rmSync(scratch, { recursive: true })
    },
  }
}

function startSecond(): OracleWorker | undefined {
  const python = process.env['PERMAFROST_PYTHON2']
  if (python !== undefined && canImport(python, 'torch')) return new OracleWorker(python)
  process.stderr.write(
    'note: no second libtorch (PERMAFROST_PYTHON2); what we write is read by the first only\n',
  )
  return undefined
}
