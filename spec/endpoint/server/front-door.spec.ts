import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { resolveServerOptions, type ServerOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { FrontDoor } from '../../../lib/endpoint/server/front-door.ts';
import { acceptUpgrade, type Upgrade } from '../../../lib/endpoint/upgrade/accept-upgrade.ts';
import type { Refusal } from '../../../lib/endpoint/upgrade/refusal.ts';
import type { SocketWatch } from '../../../lib/endpoint/upgrade/socket-watch.ts';
import { TEST_CERT, TEST_KEY } from '../../support/certificate.ts';
import { dial, exchange, parseResponse, turns, until } from '../../support/endpoints.ts';
import { ByteCollector, portOf, upgradeRequest } from '../../support/sockets.ts';

async function openDoor(options: ServerOptions = {}, onUpgrade?: (upgrade: Upgrade, watch: SocketWatch) => void) {
  const resolved = resolveServerOptions(options);
  const refusals: Refusal[] = [];
  const accept = (upgrade: Upgrade, watch: SocketWatch): void => {
    void Promise.resolve(acceptUpgrade(upgrade, resolved, watch)).then((connection) => {
      door.release(upgrade.message.socket);
      connection?.forceClose();
    });
  };
  const door = new FrontDoor(resolved, {
    onArrival: () => undefined,
    onDeparture: () => {},
    onUpgrade: onUpgrade ?? accept,
    onRefused: (refusal) => refusals.push(refusal),
    onError: () => {},
  });
  await door.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    door.destroy();
    void door.close();
  });
  return { door, port: portOf(door.server), refusals };
}

describe('a FrontDoor', () => {
  it('tells a plain request to upgrade, with 426 (RFC 9110 §15.5.22)', async () => {
    const { port, refusals } = await openDoor();
    expect(await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toMatchObject({
      status: 426,
      headers: { upgrade: 'websocket', connection: 'close, Upgrade' },
      body: 'Upgrade Required: this is a WebSocket endpoint\n',
    });
    expect(refusals.map(({ status }) => status)).toEqual([426]);
  });

  it.each<[string, number, string | Buffer]>([
    ['a form with a body', 426, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n${'a'.repeat(300_000)}`],
    ['an expectation', 426, 'POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 5\r\n\r\n'],
    ['an upgrade to another protocol', 426, upgradeRequest({ headers: { Upgrade: 'h2c' } })],
    ['an upgrade by POST', 405, upgradeRequest().replace('GET', 'POST')],
    ['CONNECT', 405, 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'],
    ['an upgrade without Host', 400, upgradeRequest({ headers: { Host: undefined } })],
    ['an upgrade in HTTP/1.0', 400, upgradeRequest().replace('HTTP/1.1', 'HTTP/1.0')],
    ['an upgrade with a body', 400, `${upgradeRequest({ headers: { 'Content-Length': '5' } })}hello`],
    ['an upgrade whose body is still to come', 400, upgradeRequest({ headers: { 'Content-Length': '5' } })],
    ['an upgrade with a chunked body', 400, upgradeRequest({ headers: { 'Transfer-Encoding': 'chunked' } })],
    ['an absolute target', 400, upgradeRequest({ path: 'http://elsewhere.example/' })],
    ['a target with a fragment', 400, upgradeRequest({ path: '/a#b' })],
    ['garbage', 400, 'what?\r\n\r\n'],
    ['TLS', 400, Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc])],
    ['a header that is folded', 400, upgradeRequest().replace('localhost', 'localhost\r\n folded')],
    ['a header with a NUL', 400, upgradeRequest({ headers: { 'X-A': 'a\0b' } })],
    ['a bare LF in a header', 400, upgradeRequest({ headers: { 'X-A': 'a\nb' } })],
    ['a long target', 431, upgradeRequest({ path: `/${'a'.repeat(9000)}` })],
    ['a long field', 431, upgradeRequest({ headers: { 'X-A': 'a'.repeat(9000) } })],
    ['two thousand short fields', 431, upgradeRequest().replace('Host', `${'A: b\r\n'.repeat(2000)}Host`)],
    ['a head that has a little too much', 431, upgradeRequest({ headers: { 'X-A': 'a'.repeat(8060) } })],
  ])('answers %s with %i', async (_title, status, bytes) => {
    const { port } = await openDoor();
    expect((await exchange(port, bytes)).status).toBe(status);
  });

  it('answers HEAD without a body', async () => {
    const { port } = await openDoor();
    const { status, body } = await exchange(port, 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect({ status, body }).toEqual({ status: 426, body: '' });
  });

  it.each([
    ['a plain request', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['garbage', 'what?\r\n\r\n'],
    ['an upgrade', upgradeRequest()],
  ])('answers a socket once: behind a plain request, %s is not looked at', async (_title, second) => {
    const onUpgrade = vi.fn();
    const { port, refusals } = await openDoor({}, onUpgrade);
    const text = (await exchange(port, `GET / HTTP/1.1\r\nHost: a\r\n\r\n${second}`)).body;
    expect(text).not.toContain('HTTP/1.1');
    expect(onUpgrade).not.toHaveBeenCalled();
    expect(refusals).toHaveLength(1);
  });

  it.each([
    ['says nothing', ''],
    ['never ends its head', upgradeRequest().slice(0, 60)],
  ])('answers 408 to a peer that %s', async (_title, text) => {
    const { port } = await openDoor({ handshakeTimeoutMs: 30 });
    expect((await exchange(port, text)).status).toBe(408);
  });

  it('counts the time from the first byte to the last, so that a byte now and then does not help', async () => {
    const { port } = await openDoor({ handshakeTimeoutMs: 40 });
    const { socket, received } = dial(port);
    const bytes = Buffer.from(upgradeRequest({ headers: { 'X-A': 'a'.repeat(4000) } }));
    let sent = 0;
    const drip = setInterval(() => socket.writable && socket.write(bytes.subarray(sent, (sent += 1))), 2);
    const { status } = parseResponse(await received.readAll());
    clearInterval(drip);
    expect(status).toBe(408);
  });

  it.each([1, 20, 60, 150])('survives a reset after %i bytes of the request', async (length) => {
    const { door, port } = await openDoor();
    const { socket } = dial(port);
    socket.write(upgradeRequest().slice(0, length));
    await turns();
    socket.resetAndDestroy();
    const count = (): Promise<number> =>
      new Promise((resolve) => door.server.getConnections((_error, number) => resolve(number)));
    while ((await count()) > 0) await turns();
    expect((await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).status).toBe(426);
  });

  it('answers any bytes, or ends, and goes on', async () => {
    const { port } = await openDoor();
    const request = Buffer.from(upgradeRequest());
    const damaged = fc
      .array(fc.tuple(fc.nat(request.length), fc.nat(8), fc.uint8Array({ maxLength: 8 })), {
        minLength: 1,
        maxLength: 5,
      })
      .map((wounds) =>
        wounds.reduce<Buffer>(
          (bytes, [at, cut, put]) => Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]),
          request,
        ),
      );
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged, fc.uint8Array({ maxLength: 300 })), async (bytes) => {
        const { socket, received } = dial(port);
        socket.end(bytes);
        expect(String(await received.readAll())).toMatch(/^(HTTP\/1\.1 (101|4\d\d|505) |$)/);
      }),
      { numRuns: 200 },
    );
    expect((await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).status).toBe(426);
  });

  it('turns away who has asked nothing, and lets be answered who has', async () => {
    const upgrades: [Upgrade, SocketWatch][] = [];
    const { door, port } = await openDoor({}, (...args) => upgrades.push(args));
    const [silent, asking] = [dial(port), dial(port)];
    asking.socket.write(upgradeRequest());
    await until(() => upgrades.length === 1);
    door.turnAway();
    expect((await silent.received.readAll()).length).toBe(0);
    expect(upgrades[0]?.[0].socket.destroyed).toBe(false);
    door.destroy();
    expect((await asking.received.readAll()).length).toBe(0);
    upgrades[0]?.[1].release();
  });

  it('leaves a socket that it has released alone', async () => {
    const upgrades: [Upgrade, SocketWatch][] = [];
    const { door, port } = await openDoor({}, (...args) => upgrades.push(args));
    dial(port).socket.write(upgradeRequest());
    await until(() => upgrades.length === 1);
    const [{ socket, message }, watch] = upgrades[0]!;
    door.release(message.socket);
    watch.release();
    door.destroy();
    expect([socket.destroyed, socket.listenerCount('close')]).toEqual([false, 0]);
    socket.destroy();
  });

  it('rejects with the system error where the port is taken', async () => {
    const { port } = await openDoor();
    const events = { onArrival: () => undefined, onDeparture() {}, onUpgrade() {}, onRefused() {}, onError() {} };
    const second = new FrontDoor(resolveServerOptions(), events);
    await expect(second.listen({ port, host: '127.0.0.1' })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('a FrontDoor with TLS', () => {
  const tls = { key: TEST_KEY, cert: TEST_CERT };

  it('answers over TLS', async () => {
    const { port } = await openDoor({ tls });
    const socket = connectTls({ port, host: '127.0.0.1', ca: TEST_CERT });
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(parseResponse(await new ByteCollector(socket).readAll()).status).toBe(426);
    socket.destroy();
  });

  it('answers 408 over TLS to a peer that says nothing more', async () => {
    const { port } = await openDoor({ tls, handshakeTimeoutMs: 100 });
    const socket = connectTls({ port, host: '127.0.0.1', ca: TEST_CERT });
    expect(parseResponse(await new ByteCollector(socket).readAll()).status).toBe(408);
    socket.destroy();
  });

  it('cuts who speaks no TLS, and who does not go on with it', async () => {
    const { port } = await openDoor({ tls, handshakeTimeoutMs: 50 });
    const [plain, silent] = [dial(port), dial(port)];
    plain.socket.write(upgradeRequest());
    expect(String(await plain.received.readAll())).not.toContain('HTTP/1.1 101');
    expect((await silent.received.readAll()).length).toBe(0);
  });

  it('turns away who is still negotiating TLS', async () => {
    const { door, port } = await openDoor({ tls });
    const { socket, received } = dial(port);
    const isIn = new Promise((resolve) => door.server.once('connection', resolve));
    socket.write(Buffer.from([0x16, 0x03, 0x01]));
    await isIn;
    door.turnAway();
    expect((await received.readAll()).length).toBe(0);
  });
});
