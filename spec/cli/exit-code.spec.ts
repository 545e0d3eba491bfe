import { expect, it } from 'vitest';
import { exitCodeOf } from '../../lib/cli/exit-code.ts';

it.each([
  [{ initiator: 'local', code: 1000, wasClean: true }, 0],
  [{ initiator: 'local', code: 4000, wasClean: true }, 0],
  [{ initiator: 'remote', code: 1000, wasClean: true }, 0],
  [{ initiator: 'remote', code: 1005, wasClean: true }, 0],
  [{ initiator: 'remote', code: 1001, wasClean: true }, 3],
  [{ initiator: 'remote', code: 1011, wasClean: true }, 3],
  [{ initiator: 'local', code: 1006, wasClean: false }, 3],
  [{ initiator: 'remote', code: 1006, wasClean: false }, 3],
] as const)('judges %j as %i', (info, exitCode) => {
  expect(exitCodeOf({ reason: '', ...info })).toBe(exitCode);
});
