import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'vite'
import { afterAll, beforeAll } from 'vitest'

const run = promisify(execFile)
const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))

export interface ChildOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** Of Node. */
  readonly flags?: readonly string[]
}

/** Runs a script in a process of its own; gives what it printed as JSON. */
export type Child = (args: readonly string[], options?: ChildOptions) => Promise<unknown>

/**
 * A script of `children/` for the tests around the call: it is made one file for Node before the first, and removed
 * behind the last. The file lies below node_modules, where optional packages are found.
 */
export function useChild(name: string): Child {
  let folder = ''
  beforeAll(async () => {
    mkdirSync(cache, { recursive: true })
    folder = mkdtempSync(join(cache, 'child-'))
    await bundle(fileURLToPath(new URL(`./children/${name}.ts`, import.meta.url)), folder)
  }, 120_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return async (args, { environment = {}, flags = [] } = {}) => {
    const { stdout } = await run(process.execPath, [...flags, join(folder, `${name}.mjs`), ...args], {
      env: { ...process.env, NODE_OPTIONS: '', ...environment },
      maxBuffer: 2 ** 26,
    })
    return JSON.parse(stdout) as unknown
  }
}

async function bundle(entry: string, outDir: string): Promise<void> {
  await build({
    configFile: false,
    logLevel: 'silent',
    ssr: { noExternal: true },
    build: {
      ssr: entry,
      outDir,
      target: 'node20',
      minify: false,
      rollupOptions: { output: { entryFileNames: '[name].mjs' } },
    },
  })
}
