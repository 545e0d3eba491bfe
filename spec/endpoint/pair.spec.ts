import { describe, expect, it } from 'vitest';
import { createPair } from '../../lib/endpoint/pair.ts';
import { turns } from '../support/endpoints.ts';

describe('createPair', () => {
  it('makes two connections that are open at once', async () => {
    const { client, server } = createPair({ protocol: 'chat' });
    expect(client).toMatchObject({ role: 'client', protocol: 'chat' });
    expect(server).toMatchObject({ role: 'server', protocol: 'chat' });
    expect([client.isOpen(), server.isOpen()]).toEqual([true, true]);
    await client.sendText('to the server');
    await server.sendBinary(Uint8Array.of(1, 2));
    expect((await server.recvFrame())?.payloadText()).toBe('to the server');
    expect((await client.recvFrame())?.payload).toEqual(Buffer.of(1, 2));
    await Promise.all([client.close(), server.recvFrame()]);
  });

  it('masks from the client, and not from the server (§5.3)', async () => {
    const { client, server } = createPair();
    await Promise.all([client.sendText('a'), server.sendText('b')]);
    expect([(await server.recvFrame())?.isMasked, (await client.recvFrame())?.isMasked]).toEqual([true, false]);
    client.forceClose();
    await server.closeInfo;
  });

  it('closes with a handshake on both sides', async () => {
    const { client, server } = createPair();
    const infos = Promise.all([client.closeInfo, server.closeInfo]);
    void server.recvFrame();
    await client.close(4001, 'enough');
    expect(await infos).toMatchObject([
      { code: 4001, reason: 'enough', wasClean: true, initiator: 'local' },
      { code: 4001, reason: 'enough', wasClean: true, initiator: 'remote' },
    ]);
  });

  it('shows a cut to the other side', async () => {
    const { client, server } = createPair();
    const received = server.recvFrame();
    client.forceClose();
    expect(await received).toBeNull();
    expect(await server.closeInfo).toMatchObject({ code: 1006, wasClean: false, initiator: 'remote' });
  });

  it('holds what a slow reader has not read in bounds', async () => {
    const { client, server } = createPair({ maxBufferedBytes: 65_536 });
    const chunk = Buffer.alloc(16_384);
    let sent = 0;
    const sending = (async () => {
      for (; sent < 500; sent++) await client.sendBinary(chunk);
    })();
    await turns(100);
    const stalledAt = sent;
    expect(stalledAt).toBeLessThan(100);
    for (let count = 0; count < 500; count++) await server.recvFrame();
    await sending;
    expect(sent).toBe(500);
    client.forceClose();
    await server.closeInfo;
  });

  it('does not share memory between the two sides', async () => {
    const { client, server } = createPair();
    const mine = Buffer.from('mine');
    await server.sendBinary(mine);
    mine.fill(0);
    expect((await client.recvFrame())?.payloadText()).toBe('mine');
    client.forceClose();
    await server.closeInfo;
  });

  it('gives each side options of its own', async () => {
    const { client, server } = createPair({ maxMessageBytes: 5, server: { maxMessageBytes: 10 } });
    const received = server.recvFrame();
    await client.sendText('longer');
    expect((await received)?.payloadText()).toBe('longer');
    await server.sendText('longer');
    void server.recvFrame();
    expect(await client.recvFrame()).toBeNull();
    expect(await client.closeInfo).toMatchObject({ code: 1009 });
    server.forceClose();
  });

  it.each([
    [{ maxMessageBytes: -1 }, RangeError],
    [{ client: { closeTimeoutMs: 0 } }, RangeError],
    [{ server: { autoPong: 'yes' } }, TypeError],
  ])('throws for options that cannot be: %o', (options, error) => {
    expect(() => createPair(options as object)).toThrow(error);
  });
});
