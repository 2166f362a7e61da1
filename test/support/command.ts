import { vi } from 'vitest'
import { main } from '../../src/cli/main.ts'

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the `permafrost` command in this process and catches what it prints. */
export async function permafrost(...args: string[]): Promise<CommandResult> {
  let stdout = ''
  let stderr = ''
  const catchOut = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text)
    return true
  })
  const catchErr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text)
    return true
  })
  try {
    const code = await main(args)
    return { code, stdout, stderr }
  } finally {
    catchOut.mockRestore()
    catchErr.mockRestore()
  }
}
