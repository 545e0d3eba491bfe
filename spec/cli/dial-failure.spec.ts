import { expect, it } from 'vitest';
import { explainDialFailure } from '../../lib/cli/dial-failure.ts';
import { HandshakeError } from '../../lib/errors.ts';

const URL = 'ws://example.com/';
const system = (code: string, message = 'the system says so'): Error => Object.assign(new Error(message), { code });
const refused = (status: number, body?: string): Error =>
  new HandshakeError('WS_ERR_HANDSHAKE_REFUSED', status, `the server answered with status ${status}`, { body });

it.each([
  [system('ECONNREFUSED', ''), 'nobody listens there (ECONNREFUSED)'],
  [system('ENOTFOUND'), 'there is no such host (ENOTFOUND)'],
  [system('ERR_TLS_CERT_ALTNAME_INVALID'), /the certificate is for another name; --servername/],
  [system('EWHATEVER', 'odd\x1b'), 'odd\\x1b'],
  [system('EWHATEVER', ''), 'EWHATEVER'],
  [new Error('plain'), 'plain'],
  [refused(404, 'No such room.\n'), 'the server answered with status 404\nNo such room.'],
  [refused(403, '\x1b[2J'), 'the server answered with status 403\n\\x1b[2J'],
  [refused(500, '<html>a page</html>'), 'the server answered with status 500'],
  [refused(401), 'the server answered with status 401 (who are you? --user name:password, or --header)'],
  [
    new HandshakeError('WS_ERR_REDIRECT', 302, 'the server redirects'),
    'the server redirects; --max-redirects N follows',
  ],
])('explains %j', (error, reason) => {
  const text = explainDialFailure(error, URL);
  const prefix = `no connection to ${URL}: `;
  expect(text.slice(0, prefix.length)).toBe(prefix);
  expect(text.slice(prefix.length)).toMatch(reason);
});

it('shows a page of an answer at most, and no password', () => {
  expect(explainDialFailure(refused(400, 'x'.repeat(5000)), URL).length).toBeLessThan(600);
  const text = explainDialFailure(system('ECONNREFUSED'), 'ws://me:p@ss@example.com/');
  expect(text).toContain('ws://***@example.com/');
  expect(text).not.toContain('ss@');
});
