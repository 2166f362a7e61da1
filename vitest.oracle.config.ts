import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/oracle/**/*.test.ts'],
    testTimeout: 600_000,
    reporters: ['default', './test/support/summary-reporter.ts'],
    hookTimeout: 300_000,
    // Models are made, measured and removed one after the other: disk and memory are small.
    fileParallelism: false,
    pool: 'forks',
  },
})
