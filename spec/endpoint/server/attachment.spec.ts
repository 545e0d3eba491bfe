import { channel } from 'node:diagnostics_channel';
import { describe, expect, it, vi } from 'vitest';
import { attachTo, type TakeUpgrade } from '../../../lib/endpoint/server/attachment.ts';
import { exchange, httpServer } from '../../support/endpoints.ts';
import { upgradeRequest } from '../../support/sockets.ts';

/** Takes upgrades of one path, and answers them with a body that says who took them. */
const taker =
  (path: string, name: string): TakeUpgrade =>
  ({ message, socket }) => {
    if (message.url !== path) return false;
    socket.end(`HTTP/1.1 418 Teapot\r\n\r\n${name}`);
    return true;
  };

const ask = (port: number, path: string) => exchange(port, upgradeRequest({ path }));

describe('attachTo', () => {
  it('gives each request to the first that takes it, and answers it once', async () => {
    const { server, port } = await httpServer();
    attachTo(server, taker('/a', 'first'));
    attachTo(server, taker('/b', 'second'));
    attachTo(server, taker('/a', 'third'));
    expect(server.listenerCount('upgrade')).toBe(1);
    expect(await Promise.all(['/a', '/b'].map((path) => ask(port, path)))).toMatchObject([
      { status: 418, body: 'first' },
      { status: 418, body: 'second' },
    ]);
  });

  it('answers 404 where nobody takes a request and nobody else listens, and says so', async () => {
    const published = vi.fn();
    channel('wspipe:refused').subscribe(published);
    const { server, port } = await httpServer();
    attachTo(server, taker('/a', 'a'));
    attachTo(server, taker('/b', 'b'));
    expect(await ask(port, '/c')).toMatchObject({ status: 404, headers: { connection: 'close' } });
    channel('wspipe:refused').unsubscribe(published);
    expect(published).toHaveBeenCalledTimes(1);
  });

  it('leaves other paths alone where somebody else listens', async () => {
    const { server, port } = await httpServer();
    server.on('upgrade', (request, socket) => {
      if (request.url === '/other') socket.end('HTTP/1.1 418 Teapot\r\n\r\nsomebody else');
    });
    attachTo(server, taker('/a', 'a'));
    expect(await ask(port, '/other')).toMatchObject({ status: 418, body: 'somebody else' });
    expect(await ask(port, '/a')).toMatchObject({ status: 418, body: 'a' });
  });

  it('lets pages be served', async () => {
    const { server, port } = await httpServer((_request, response) =>
      response.setHeader('Connection', 'close').end('page'),
    );
    attachTo(server, taker('/a', 'a'));
    expect(await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toMatchObject({ status: 200 });
  });

  it('takes its listener away when the last one lets go, and can begin anew', async () => {
    const { server, port } = await httpServer();
    const releases = [attachTo(server, taker('/a', 'a')), attachTo(server, taker('/b', 'b'))];
    releases[0]?.();
    releases[0]?.();
    expect(server.listenerCount('upgrade')).toBe(1);
    expect(await ask(port, '/b')).toMatchObject({ body: 'b' });
    releases[1]?.();
    expect(server.listenerCount('upgrade')).toBe(0);
    attachTo(server, taker('/a', 'again'));
    expect(await ask(port, '/a')).toMatchObject({ body: 'again' });
  });
});
