import { finished } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { formatHead, Refusal, refuse, sendRefusal } from '../../../lib/endpoint/upgrade/refusal.ts';
import { HandshakeError } from '../../../lib/errors.ts';
import { parseResponse } from '../../support/endpoints.ts';
import { ByteCollector, memoryPair, tcpPair } from '../../support/sockets.ts';

async function answerOf(refusal: Refusal, isHead = false) {
  const { client, server } = memoryPair();
  sendRefusal(server, refusal, isHead);
  const answer = parseResponse(await new ByteCollector(client).readAll());
  client.end();
  await finished(server);
  return answer;
}

describe('refuse', () => {
  it('answers with the status, its name as a body, and an end', async () => {
    expect(await answerOf(refuse(403))).toEqual({
      status: 403,
      headers: { connection: 'close', 'content-type': 'text/plain; charset=utf-8', 'content-length': '37' },
      body: 'Forbidden: the handshake was refused\n',
    });
  });

  it('answers with header fields and a body of its own, measured in bytes', async () => {
    const headers = { 'WWW-Authenticate': 'Basic', 'content-type': 'application/json', 'Set-Cookie': ['a=1', 'b=2'] };
    const { status, headers: fields, body } = await answerOf(refuse(401, { headers, body: '{"why":"ä"}' }));
    expect({ status, fields, body: Buffer.from(body, 'latin1').toString() }).toEqual({
      status: 401,
      fields: {
        connection: 'close',
        'www-authenticate': 'Basic',
        'content-type': 'application/json',
        'set-cookie': 'b=2',
        'content-length': '12',
      },
      body: '{"why":"ä"}',
    });
  });

  it('takes Headers and bytes', async () => {
    const answer = await answerOf(
      refuse(302, { headers: new Headers({ Location: '/login' }), body: Buffer.from('x') }),
    );
    expect(answer).toMatchObject({ status: 302, headers: { location: '/login', 'content-length': '1' }, body: 'x' });
  });

  it.each([[101], [200], [299], [600], [403.5], ['403'], [undefined]])(
    'throws a RangeError for the status %s',
    (status) => {
      expect(() => refuse(status as number)).toThrow(RangeError);
    },
  );

  it.each([
    ['a line break', { 'X-A': 'a\r\nSet-Cookie: b' }],
    ['a NUL', { 'X-A': 'a\0' }],
    ['a name that is no token', { 'X A': 'a' }],
    ['a length of its own', { 'Content-Length': '5' }],
    ['an encoding of its own', { 'Transfer-Encoding': 'chunked' }],
  ])('throws a TypeError for a header field with %s', (_title, headers) => {
    expect(() => refuse(403, { headers: headers as Record<string, string> })).toThrow(TypeError);
  });

  it('throws a TypeError for a body that is neither text nor bytes', () => {
    expect(() => refuse(403, { body: {} as string })).toThrow(TypeError);
  });
});

describe('a Refusal', () => {
  it('says to onRefused what was answered', () => {
    const error = refuse(403, { headers: { 'Set-Cookie': ['a=1', 'b=2'] }, body: 'no' }).toError();
    expect(error).toBeInstanceOf(HandshakeError);
    expect(error).toMatchObject({ code: 'WS_ERR_HANDSHAKE_REFUSED', status: 403, body: 'no' });
    expect({ ...error.headers }).toEqual({ 'Set-Cookie': 'a=1, b=2' });
  });

  it('is a 500 for anything that is thrown, with the cause for us and not for the peer', async () => {
    const cause = new Error('the password is 1234');
    const refusal = Refusal.from(cause);
    expect(refusal.toError()).toMatchObject({ status: 500, cause });
    expect((await answerOf(refusal)).body).not.toContain('1234');
  });

  it('is itself where a refusal is thrown', () => {
    const refusal = refuse(401);
    expect(Refusal.from(refusal)).toBe(refusal);
  });

  it('keeps code, status and fields of a broken handshake (RFC 9110 §7.8: Connection says Upgrade)', async () => {
    const error = new HandshakeError('WS_ERR_HANDSHAKE', 426, 'no', { headers: { Upgrade: 'websocket' } });
    const refusal = Refusal.fromError(error);
    expect(refusal.toError()).toMatchObject({ code: 'WS_ERR_HANDSHAKE', status: 426, message: 'no' });
    expect((await answerOf(refusal)).headers).toMatchObject({ upgrade: 'websocket', connection: 'close, Upgrade' });
  });
});

describe('sendRefusal', () => {
  it('leaves the body out where the request was HEAD, and tells its length', async () => {
    const { headers, body } = await answerOf(refuse(403, { body: 'nothing for you' }), true);
    expect({ length: headers['content-length'], body }).toEqual({ length: '15', body: '' });
  });

  it('lets a peer read the answer that still has bytes on the way', async () => {
    const { client, server } = await tcpPair();
    client.write(Buffer.alloc(1_000_000));
    sendRefusal(server, refuse(403));
    const answer = parseResponse(await new ByteCollector(client).readAll());
    expect(answer.status).toBe(403);
    client.destroy();
    await finished(server).catch(() => {});
  });

  it('destroys the socket of a peer that neither reads nor ends, within a second', async () => {
    const { server } = memoryPair({ highWaterMark: 1 });
    sendRefusal(server, refuse(403));
    await new Promise((resolve) => server.once('close', resolve));
    expect(server.destroyed).toBe(true);
  });

  it.each([
    ['is destroyed', 'destroy'],
    ['has ended', 'end'],
  ] as const)('writes nothing to a socket that %s', async (_title, method) => {
    const { client, server } = memoryPair();
    server[method]();
    sendRefusal(server, refuse(403));
    client.resume();
    expect(server.destroyed).toBe(true);
    await finished(client, { writable: false }).catch(() => {});
  });
});

describe('formatHead', () => {
  it('writes the lines in their order, in Latin-1', () => {
    const head = formatHead('HTTP/1.1 101 Switching Protocols', [
      ['A', 'ä'],
      ['B', ''],
    ]);
    expect(head.toString('latin1')).toBe('HTTP/1.1 101 Switching Protocols\r\nA: ä\r\nB: \r\n\r\n');
  });
});
