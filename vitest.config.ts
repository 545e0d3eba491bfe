import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['spec/**/*.spec.ts'],
    // Those that talk to a broker need one: npm run test:brokers.
    exclude: ['spec/interop/**', 'spec/redis/**', 'spec/nats/**', 'spec/brokers/**', '**/node_modules/**'],
    setupFiles: ['spec/support/no-leaks.ts'],
    testTimeout: 30_000,
    // Loading lib/ anew for each of two hundred files cost more than running them. What a file leaves behind is found
    // by no-leaks.ts, so the files of a worker can share what is loaded.
    isolate: false,
    maxWorkers: '100%',
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts'],
      // Their coverage is that of spec/brokers/vitest.config.ts.
      exclude: ['lib/redis/**', 'lib/nats/**'],
      reporter: ['text', 'json-summary'],
      thresholds: {
        lines: 95,
        branches: 95,
        'lib/protocol/**': { lines: 100, branches: 100 },
        'lib/handshake/**': { lines: 100, branches: 100 },
      },
    },
  },
});
