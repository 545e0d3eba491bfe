import { expect, it } from 'vitest';
import { explainListenFailure } from '../../lib/cli/listen-failure.ts';

const portHint = (port: number): string => `Try another one: x --port ${port} (0 takes any free port).`;
const noAddress = 'this machine has no address h.';
const hostHint = 'Try x --host 127.0.0.1, or 0.0.0.0 for all that it has.';

it.each<[string, number, string[]]>([
  ['EADDRINUSE', 8080, ['port 8080 of h is taken by another program.', portHint(8081)]],
  ['EADDRINUSE', 65_535, ['port 65535 of h is taken by another program.', portHint(0)]],
  ['EACCES', 80, ['port 80 of h needs rights that you do not have here.', portHint(8080)]],
  ['EADDRNOTAVAIL', 1, [noAddress, hostHint]],
  ['ENOTFOUND', 1, [noAddress, hostHint]],
  ['EAI_AGAIN', 1, [noAddress, hostHint]],
  ['EMFILE', 1, ['the server could not start: the system says so']],
])('explains %s on port %i', (code, port, lines) => {
  const error = Object.assign(new Error('the system says so'), { code });
  const withPort = (other: number): string => `x --port ${other}`;
  const withHost = (other: string): string => `x --host ${other}`;
  expect(explainListenFailure(error, { host: 'h', port, withPort, withHost }).split('\n')).toEqual(lines);
});
