import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  lateHeadRefusal,
  type ParsedHead,
  parseHead,
  refuseUnparsed,
} from '../../../lib/endpoint/upgrade/head-parser.ts';
import { Refusal } from '../../../lib/endpoint/upgrade/refusal.ts';
import { memoryPair, upgradeRequest } from '../../support/sockets.ts';

const REQUEST = Buffer.from(upgradeRequest({ path: '/chat' }));
const NOTHING = Buffer.alloc(0);

async function parse(socket: Duplex, bytes: Uint8Array, maxHeaderBytes = 8192): Promise<ParsedHead | Refusal> {
  const { parsed, release } = parseHead(socket, bytes, maxHeaderBytes);
  const result = await parsed;
  release();
  return result;
}

const statusOf = (result: ParsedHead | Refusal): number | undefined =>
  result instanceof Refusal ? result.status : undefined;

async function rest(socket: Duplex, length: number): Promise<Buffer> {
  let bytes = NOTHING;
  if (length === 0) return bytes;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    if (bytes.length >= length) break;
  }
  return bytes;
}

describe('parseHead', () => {
  it('reads a request from bytes that are there already', async () => {
    const { server } = memoryPair();
    const result = await parse(server, REQUEST);
    expect(result).toMatchObject({
      isUpgrade: true,
      upgrade: { message: { method: 'GET', url: '/chat' }, socket: server },
    });
  });

  it('gives back what stands behind the head, and leaves the rest in the socket, in order', async () => {
    const { client, server } = memoryPair();
    client.write('56');
    client.write('78');
    const result = (await parse(server, Buffer.concat([REQUEST, Buffer.from('1234')]))) as ParsedHead;
    expect(String(result.upgrade.head)).toBe('1234');
    expect(String(await rest(server, 4))).toBe('5678');
  });

  it('reads what is missing from the socket, byte by byte if need be', async () => {
    const { client, server } = memoryPair();
    const result = parse(server, REQUEST.subarray(0, 5));
    for (const byte of [...REQUEST.subarray(5), 0x81]) {
      client.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { upgrade } = (await result) as ParsedHead;
    const late = upgrade.head.length === 0 ? await rest(server, 1) : upgrade.head;
    expect([...late]).toEqual([0x81]);
  });

  it.each([
    ['is paused', (socket: Duplex) => socket.pause()],
    ['flows, with nobody listening', (socket: Duplex) => socket.resume()],
  ])('loses nothing of a socket that %s', async (_title, prepare) => {
    const { client, server } = memoryPair();
    prepare(server);
    await new Promise((resolve) => setImmediate(resolve));
    const result = parse(server, NOTHING);
    client.write(Buffer.concat([REQUEST, Buffer.from('12')]));
    client.write('34');
    const { upgrade } = (await result) as ParsedHead;
    expect(String(upgrade.head) + String(await rest(server, 4 - upgrade.head.length))).toBe('1234');
  });

  it('reads the bytes of a socket that has ended', async () => {
    const { client, server } = memoryPair();
    client.end();
    server.resume();
    await new Promise((resolve) => server.once('end', resolve));
    expect(await parse(server, REQUEST)).toMatchObject({ isUpgrade: true });
  });

  it.each([
    ['that is none', 'hello there\r\n\r\n', 400],
    ['that ends in the middle', REQUEST.subarray(0, 40), 400],
    ['of another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['with a head that is too large', upgradeRequest({ headers: { 'X-A': 'a'.repeat(9000) } }), 431],
    ['that is TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]), 400],
  ])('refuses a request %s', async (_title, bytes, status) => {
    const { client, server } = memoryPair();
    client.end();
    expect(statusOf(await parse(server, Buffer.from(bytes)))).toBe(status);
  });

  it('refuses nothing where no byte ever came', async () => {
    const { client, server } = memoryPair();
    client.end();
    expect(statusOf(await parse(server, NOTHING))).toBe(400);
  });

  it.each([
    ['a plain request', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a request without Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['a CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an expectation', 'GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n'],
    ['a request with a body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'],
    ['two requests at once', 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('gives %s as one that does not upgrade', async (_title, text) => {
    const { server } = memoryPair();
    expect(await parse(server, Buffer.from(text))).toMatchObject({ isUpgrade: false });
  });

  it('leaves no listener on the socket', async () => {
    const { client, server } = memoryPair();
    const before = server.eventNames().map((name) => [name, server.listenerCount(name)]);
    await parse(server, REQUEST);
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.eventNames().map((name) => [name, server.listenerCount(name)])).toEqual(before);
    expect([server.destroyed, client.destroyed]).toEqual([false, false]);
  });
});

describe('the answers', () => {
  it.each([
    ['HPE_HEADER_OVERFLOW', 431],
    ['HPE_INVALID_METHOD', 400],
    [undefined, 400],
  ])('to a parser that says %s is %i', (code, status) => {
    const cause = Object.assign(new Error('no'), { code });
    expect(refuseUnparsed(cause).toError()).toMatchObject({ code: 'WS_ERR_HANDSHAKE', status, cause });
  });

  it('to a slow head is 408', () => {
    expect(lateHeadRefusal().toError()).toMatchObject({ code: 'WS_ERR_HANDSHAKE_TIMEOUT', status: 408 });
  });
});
