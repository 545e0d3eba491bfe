/** How the specs run under mutation: those of one room; in the first pass without the costliest of them. */
import { defineConfig } from 'vitest/config';
import { ROOMS } from './rooms.js';

const room = ROOMS[process.env.MUTATION_ROOM];
const isThorough = process.env.MUTATION_PASS === 'thorough';

export default defineConfig({
  test: {
    include: room.specs,
    exclude: isThorough ? [] : ['spec/**/*.properties.spec.ts'],
    setupFiles: ['spec/support/no-leaks.ts', ...(isThorough ? [] : ['spec/mutation/short-properties.ts'])],
    testTimeout: isThorough ? 15_000 : 5_000,
  },
});
