import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['test/oracle/**', '**/node_modules/**'],
    testTimeout: 30_000,
    // Test files run side by side: threads of one that wait by spinning would keep the others from the cores.
    env: { OMP_WAIT_POLICY: 'PASSIVE' },
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
})
