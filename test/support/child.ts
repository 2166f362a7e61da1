import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'vite'

const run = promisify(execFile)
const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))

/**
 * Makes one file for Node of a script in `children/`. It lies below node_modules, where optional packages are found.
 *
 * @returns its path
 */
export async function bundle(name: string): Promise<string> {
  mkdirSync(cache, { recursive: true })
  const outDir = mkdtempSync(join(cache, 'child-'))
  const entry = fileURLToPath(new URL(`./children/${name}.ts`, import.meta.url))
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
  return join(outDir, `${basename(name)}.mjs`)
}

/** What a script, run in a process of its own, printed as JSON. */
export async function runChild<T>(
  script: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
): Promise<T> {
  const { stdout } = await run(process.execPath, [...flags, script, ...args], {
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
    maxBuffer: 2 ** 26,
  })
  return JSON.parse(stdout) as T
}
