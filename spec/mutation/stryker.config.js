// StrykerJS for one room, MUTATION_ROOM: see scripts/mutation.js, which starts it.
import { ROOMS } from './rooms.js';

const room = process.env.MUTATION_ROOM;
const { mutate } = ROOMS[room];
const isThorough = process.env.MUTATION_PASS === 'thorough';

export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'spec/mutation/vitest.config.js', related: false, pool: 'threads' },
  mutate,
  coverageAnalysis: 'perTest',
  concurrency: Number(process.env.MUTATION_CONCURRENCY ?? 1),
  // What ran out of time in the first pass was perhaps only slow, on a busy machine: it is tried again, with patience.
  timeoutMS: isThorough ? 20_000 : 6_000,
  timeoutFactor: 4,
  dryRunTimeoutMinutes: 15,
  incremental: true,
  incrementalFile: `.mutation/${room}.json`,
  tempDirName: `.mutation/sandbox-${room}`,
  cleanTempDir: 'always',
  // Types are stripped, not checked; the specs import what is here and nothing else.
  disableTypeChecks: false,
  tsconfigFile: 'no-tsconfig-is-read.json',
  ignorePatterns: ['**', '!package.json', '!lib/**', '!spec/**', 'node_modules'],
  reporters: ['progress-append-only'],
  allowConsoleColors: false,
};
