import { expect, it } from 'vitest';
import { describeClose, formatCloseCode } from '../../lib/cli/close-text.ts';
import { ProtocolError } from '../../lib/errors.ts';

const info = { code: 1000, reason: '', wasClean: true, initiator: 'remote' } as const;

it.each([
  [info, 'the server closed the connection with 1000 (normal)'],
  [{ ...info, code: 4001, reason: 'out\n\x1b' }, 'the server closed the connection with 4001: out\\n\\x1b'],
  [{ ...info, code: 1005 }, 'the server closed the connection with 1005 (no code)'],
  [{ ...info, initiator: 'local', reason: 'bye' }, 'closed with 1000 (normal): bye'],
  [{ ...info, initiator: 'local', code: 1005 }, 'closed'],
  [{ ...info, code: 1006, wasClean: false, error: new Error('reset') }, 'the connection was cut: reset'],
  [{ ...info, code: 1006, wasClean: false }, 'the connection was cut: nobody said why'],
  [
    { ...info, code: 1007, wasClean: false, initiator: 'local', error: new ProtocolError('WS_ERR_INVALID_UTF8') },
    'we gave up on the server with 1007 (invalid data): a text message is not UTF-8 (RFC 6455 §8.1)',
  ],
] as const)('describes %j', (end, text) => {
  expect(describeClose(end, 'the server')).toBe(text);
});

it('names the codes that have names', () => {
  expect([1014, 3000].map(formatCloseCode)).toEqual(['1014 (bad gateway)', '3000']);
});
