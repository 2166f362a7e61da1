import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { useChild } from '../support/child.ts'

const folder = mkdtempSync(join(tmpdir(), 'permafrost-interrupted-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe.skipIf(process.platform === 'win32')('a command that is interrupted while it writes', () => {
  const child = useChild('interrupted-write')

  it('ends by the signal, and leaves the whole file and nothing beside it', async () => {
    await expect(child([join(folder, 'out')])).rejects.toMatchObject({ signal: 'SIGINT' })
    expect(readdirSync(folder)).toEqual(['out'])
    expect([...readFileSync(join(folder, 'out'))]).toEqual([1, 2, 3])
  })
})
