/** What a refusal says is what somebody has to go by: it names the field, and what is wrong with it. */
import { describe, expect, it } from 'vitest';
import {
  acceptExtensions,
  confirmExtensions,
  type NegotiableExtension,
  offerExtensions,
} from '../../lib/handshake/extension-negotiation.ts';

describe('an extension', () => {
  const toy = { name: 'a', rsv: 4, offer: () => [[]], accept: () => undefined, confirm: () => '' };
  const refusing = {
    ...toy,
    confirm: () => {
      throw 'no error';
    },
  };
  const offer = (...extensions: unknown[]): unknown => offerExtensions(extensions as NegotiableExtension<string>[]);
  const confirm = (answer: string, ...extensions: NegotiableExtension<string>[]): unknown =>
    confirmExtensions(answer, extensions);

  it.each<[message: string, act: () => unknown]>([
    ['extensions must be a list', () => offerExtensions('a' as never)],
    ['an extension is given twice', () => offer(toy, toy)],
    ['the name of an extension must be a token', () => offer({ ...toy, name: 'a b' })],
    ['the reserved bits of a must be a number from 0 to 7', () => offer({ ...toy, rsv: 8 })],
    ['the extension a must have the methods offer, accept and confirm', () => offer({ ...toy, accept: 1 })],
    [
      'the parameters of a must be tokens: {"name":"b c"}',
      () => offer({ ...toy, offer: () => [[{ name: 'b c', value: undefined }]] }),
    ],
    ['the Sec-WebSocket-Extensions field is malformed', () => acceptExtensions('a;', [toy])],
    ['the handshake failed: its Sec-WebSocket-Extensions is malformed', () => confirm('a;', toy)],
    ['the handshake failed: it names an extension that was not offered', () => confirm('b', toy)],
    ['the handshake failed: it names a twice', () => confirm('a, a', toy)],
    [
      'the handshake failed: it gives b a reserved bit that another extension has',
      () => confirm('a, b', toy, { ...toy, name: 'b' }),
    ],
    ['the handshake failed: a refused it', () => confirm('a', refusing)],
  ])('is refused: %s', (message, act) => {
    expect(act).toThrow(message);
  });
});

describe('a list of extensions', () => {
  const own = { name: 'a', rsv: 4, offer: () => [[]], accept: () => undefined, confirm: () => '' };

  it('is checked wherever it is used', () => {
    expect(() => acceptExtensions(undefined, [{ ...own, rsv: -1 }])).toThrow(RangeError);
    expect(() => confirmExtensions(undefined, [{ ...own, name: '' }])).toThrow(TypeError);
  });

  it('may have been read before', () => {
    const read = [{ name: 'a', params: [] }];
    expect(acceptExtensions(read, [{ ...own, accept: () => ({ params: [], stages: 'in' }) }]).stages).toEqual(['in']);
    expect(confirmExtensions(read, [own]).header).toBe('a');
  });

  it('is told with the failure, as the server gave it', () => {
    const headers = { 'sec-websocket-extensions': 'b; c=1' };
    expect(() => confirmExtensions('b; c=1', [own])).toThrow(expect.objectContaining({ headers }));
  });
});
