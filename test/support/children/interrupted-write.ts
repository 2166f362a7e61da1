import { writeOutputs } from '../../../src/cli/write-outputs.ts'

/** Interrupts the process between two pieces of a file. */
function* interrupted(): Generator<Uint8Array, void, undefined> {
  yield Uint8Array.of(1, 2)
  process.kill(process.pid, 'SIGINT')
  yield Uint8Array.of(3)
}

process.stdout.write('{}')
writeOutputs([{ path: process.argv[2] ?? '', chunks: interrupted() as unknown as readonly Uint8Array[] }])
setTimeout(() => process.exit(0), 10_000)
