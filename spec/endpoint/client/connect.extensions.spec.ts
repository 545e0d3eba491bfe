/** The negotiation of extensions over real sockets, against peers that are honest and peers that are not. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import type { ConnectOptions, ServerOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { createPair } from '../../../lib/endpoint/pair.ts';
import { sha1 } from '../../../lib/endpoint/upgrade/upgrade-request.ts';
import { computeAccept } from '../../../lib/handshake/accept-key.ts';
import type { WsExtension } from '../../../lib/stream/ws-extension.ts';
import { boundServer, byteServer, urlOf } from '../../support/endpoints.ts';
import { rawClient } from '../../support/sockets.ts';
import { createXor } from '../../support/xor-extension.ts';
import { PROTOTYPE_NAMES } from '../../vectors/handshake.ts';

/** Answers any handshake with the extensions that the test says. @returns the URL, and the requests that came */
async function liar(answer: string): Promise<{ url: string; requests: string[]; isGone: () => boolean }> {
  const requests: string[] = [];
  let isGone = false;
  const { port } = await byteServer((socket) => {
    socket.once('close', () => {
      isGone = true;
    });
    let head = '';
    socket.on('data', (chunk: Buffer) => {
      head += chunk.toString('latin1');
      if (!head.endsWith('\r\n\r\n') || requests.length > 0) return;
      requests.push(head);
      const key = /^sec-websocket-key: (.*)$/im.exec(head)?.[1] ?? '';
      const accept = computeAccept(key, sha1);
      const lines = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
      if (answer !== '') lines.push(`Sec-WebSocket-Extensions: ${answer}`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
    });
    socket.on('end', () => socket.end());
  });
  return { url: `ws://127.0.0.1:${port}/`, requests, isGone: () => isGone };
}

const offerIn = (request: string): string | undefined => /^sec-websocket-extensions: (.*)$/im.exec(request)?.[1];

describe('a client', () => {
  it.each<[string, ConnectOptions, string | undefined]>([
    ['permessage-deflate, with nothing said', {}, 'permessage-deflate; client_max_window_bits'],
    ['nothing, when told so', { perMessageDeflate: false }, undefined],
    [
      'what its options say',
      { perMessageDeflate: { serverNoContextTakeover: true, serverMaxWindowBits: 10, clientMaxWindowBits: 11 } },
      'permessage-deflate; server_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11',
    ],
    [
      'further extensions before it',
      { extensions: [createXor(9)] },
      'x-xor; key=9, permessage-deflate; client_max_window_bits',
    ],
  ])('offers %s (§9.1, RFC 7692 §7.1)', async (_name, options, offer) => {
    const { url, requests } = await liar('');
    const conn = await connect(url, options);
    expect([offerIn(requests[0]!), conn.extensions]).toEqual([offer, '']);
    conn.forceClose();
  });

  it.each([
    ...['0', '7', '16', '99', '""', '08', 'abc', '-8', '1e1'].map((bits) => `server_max_window_bits=${bits}`),
    'server_max_window_bits',
    'client_max_window_bits',
    'client_max_window_bits=16',
    'server_no_context_takeover=1',
    'server_no_context_takeover; server_no_context_takeover',
    'unknown',
    ...PROTOTYPE_NAMES,
  ])('fails at the answer permessage-deflate; %s, and only the handshake does (RFC 7692 §7)', async (params) => {
    const { url, isGone } = await liar(`permessage-deflate; ${params}`);
    await expect(connect(url)).rejects.toMatchObject({ name: 'HandshakeError', code: 'WS_ERR_HANDSHAKE', status: 101 });
    await expect.poll(isGone).toBe(true);
  });

  it.each(['x-xor; key=1', 'permessage-deflate, permessage-deflate', 'permessage-bzip2', ...PROTOTYPE_NAMES])(
    'fails at %s, which it did not offer so (§4.1, §9.1)',
    async (answer) => {
      const { url } = await liar(answer);
      await expect(connect(url)).rejects.toMatchObject({ code: 'WS_ERR_HANDSHAKE', status: 101 });
    },
  );

  it('fails where its extension refuses the answer, and says why', async () => {
    const { url } = await liar('x-xor; key=8');
    const connecting = connect(url, { extensions: [createXor(9)] });
    await expect(connecting).rejects.toThrow('the server has another key');
    await expect(connecting).rejects.toMatchObject({ headers: { 'sec-websocket-extensions': 'x-xor; key=8' } });
  });

  it('fails where two extensions would have one bit (§5.2)', async () => {
    const { url } = await liar('x-a; key=1, x-b; key=1');
    const extensions = [createXor(1, 'x-a', 1), createXor(1, 'x-b', 1)];
    await expect(connect(url, { extensions })).rejects.toThrow('reserved bit');
  });

  it('is told of options that cannot be before it connects', async () => {
    const url = 'ws://127.0.0.1:1/';
    await expect(connect(url, { perMessageDeflate: { level: 99 } })).rejects.toThrow(RangeError);
    await expect(connect(url, { extensions: [createXor(1, 'a b')] })).rejects.toThrow(TypeError);
  });
});

describe('a server', () => {
  const answerOf = async (offer: string, options: ServerOptions): Promise<[number, string | undefined]> => {
    const server = await boundServer(options);
    const peer = await rawClient(server.port, { headers: { 'Sec-WebSocket-Extensions': offer } });
    return [peer.status, offerIn(peer.head)];
  };

  it.each<[string, ServerOptions, string | undefined]>([
    ['permessage-deflate; client_max_window_bits', {}, undefined],
    ['permessage-deflate; client_max_window_bits', { perMessageDeflate: false }, undefined],
    ['permessage-deflate; client_max_window_bits', { perMessageDeflate: true }, 'permessage-deflate'],
    [
      'permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits="9"',
      { perMessageDeflate: true },
      'permessage-deflate; server_max_window_bits=9',
    ],
    ['permessage-deflate; unknown, permessage-deflate', { perMessageDeflate: true }, 'permessage-deflate'],
    ['permessage-deflate; __proto__', { perMessageDeflate: true }, undefined],
    ['__proto__; constructor=toString, permessage-deflate', { perMessageDeflate: true }, 'permessage-deflate'],
    [
      'permessage-deflate; client_max_window_bits',
      { perMessageDeflate: { clientMaxWindowBits: 10, serverNoContextTakeover: true } },
      'permessage-deflate; server_no_context_takeover; client_max_window_bits=10',
    ],
    ['x-xor; key=0, x-xor; key=300, x-xor; key=8', { extensions: [createXor()] }, 'x-xor; key=8'],
    [
      'permessage-deflate, x-xor; key=8',
      { extensions: [createXor()], perMessageDeflate: true },
      'x-xor; key=8, permessage-deflate',
    ],
    [
      'permessage-deflate, x-xor; key=8',
      { extensions: [createXor(1, 'x-xor', 4)], perMessageDeflate: true },
      'permessage-deflate',
    ],
  ])('answers %j with %o by %j (§9.1, RFC 7692 §5, §7)', async (offer, options, answer) => {
    expect(await answerOf(offer, options)).toEqual([101, answer]);
  });

  it('is not troubled by 6 KiB of odd parameters, nor by 64 KiB of them', async () => {
    const odd = (count: number): string =>
      `permessage-deflate${Array.from({ length: count }, (_, index) => `; p${index}=1`).join('')}, permessage-deflate`;
    expect(await answerOf(odd(700), { perMessageDeflate: true })).toEqual([101, 'permessage-deflate']);
    expect(await answerOf(odd(7_000), { perMessageDeflate: true })).toEqual([431, undefined]);
    const options = { perMessageDeflate: true, maxHeaderBytes: 100_000 };
    expect(await answerOf(odd(7_000), options)).toEqual([101, 'permessage-deflate']);
  });

  const fault = (): never => {
    throw new Error('of the extension');
  };
  it.each<[string, Partial<WsExtension>]>([
    ['throws at an offer', { accept: fault }],
    ['answers what is no token', { accept: () => ({ params: [{ name: 'a b', value: undefined }], stages: {} }) }],
    ['cannot make its stages', { accept: () => ({ params: [], stages: { createInbound: fault } }) }],
    ['makes stages that are none', { accept: () => ({ params: [], stages: { createOutbound: () => ({}) as never } }) }],
  ])('answers 500 where an extension %s, and lives', async (_name, broken) => {
    const extension: WsExtension = { ...createXor(), ...broken };
    expect(await answerOf('x-xor; key=8', { extensions: [extension] })).toEqual([500, undefined]);
  });

  it('keeps on where the client offers nothing', async () => {
    const server = await boundServer({ perMessageDeflate: true });
    const conn = await connect(urlOf(server), { perMessageDeflate: false });
    onTestFinished(() => conn.forceClose());
    expect(conn.extensions).toBe('');
  });
});

describe('createPair', () => {
  it.each<[Parameters<typeof createPair>[0], string]>([
    [{}, ''],
    [{ perMessageDeflate: true }, 'permessage-deflate'],
    [{ perMessageDeflate: true, server: { perMessageDeflate: false } }, ''],
    [
      { perMessageDeflate: true, client: { perMessageDeflate: { serverMaxWindowBits: 9 } } },
      'permessage-deflate; server_max_window_bits=9',
    ],
    [{ extensions: [createXor()] }, 'x-xor; key=42'],
  ])('of %o has %j on both ends', async (options, header) => {
    const { client, server } = createPair(options);
    expect([client.extensions, server.extensions]).toEqual([header, header]);
    void client.sendText('hello '.repeat(200));
    expect((await server.recvFrame())?.payloadText()).toBe('hello '.repeat(200));
    server.resume();
    expect(await client.close()).toMatchObject({ wasClean: true });
  });
});
