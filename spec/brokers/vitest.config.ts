/** The specs that talk to real brokers: `npm run test:brokers`. They need redis-server and nats-server. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['spec/redis/**/*.spec.ts', 'spec/nats/**/*.spec.ts', 'spec/brokers/*.spec.ts'],
    setupFiles: ['spec/support/no-leaks.ts'],
    testTimeout: 30_000,
    coverage: {
      provider: 'v8',
      include: ['lib/redis/**/*.ts', 'lib/nats/**/*.ts'],
      reporter: ['text'],
      thresholds: { lines: 95, branches: 90 },
    },
  },
});
