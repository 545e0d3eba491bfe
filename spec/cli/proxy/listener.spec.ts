import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Listener, listenForConnections, listenForSockets } from '../../../lib/cli/proxy/listener.ts';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import { deferred, dial } from '../../support/endpoints.ts';

const HERE = { host: '127.0.0.1', port: 0 };
const LIMITS = { maxConnections: 1, allowedOrigins: undefined };

function disposed(listener: Listener): Listener {
  onTestFinished(async () => {
    listener.drop();
    await listener.close();
  });
  return listener;
}

describe('listenForConnections', () => {
  it('takes as many connections as it may, from pages that may, and closes them with 1001', async () => {
    const listener = disposed(await listenForConnections(HERE, { ...LIMITS, protocols: ['a'] }, (conn) => void conn));
    const url = `ws://127.0.0.1:${listener.address.port}/`;
    await expect(connect(url, { origin: 'https://evil.example' })).rejects.toMatchObject({ status: 403 });
    const conn = await connect(url, { protocols: ['b', 'a'] });
    expect(conn.protocol).toBe('a');
    await expect(connect(url)).rejects.toMatchObject({ status: 503 });
    const closing = listener.close();
    expect(await conn.recvFrame()).toBeNull();
    expect(await conn.closeInfo).toMatchObject({ code: 1001, reason: 'the proxy stops' });
    await closing;
  });

  it('rejects with the error of the system where the address is taken', async () => {
    const { address } = disposed(await listenForConnections(HERE, LIMITS, () => {}));
    await expect(listenForConnections({ ...HERE, port: address.port }, LIMITS, () => {})).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});

describe('listenForSockets', () => {
  it('takes as many sockets as it may, and ends them politely', async () => {
    const taken = deferred<Socket>();
    const listener = disposed(await listenForSockets(HERE, LIMITS, (socket) => taken.resolve(socket)));
    const first = dial(listener.address.port);
    const ours = await taken.promise;
    expect(ours.allowHalfOpen).toBe(true);
    const second = dial(listener.address.port);
    expect(await second.received.readAll()).toHaveLength(0);
    const closing = listener.close();
    expect(await first.received.readAll()).toHaveLength(0);
    ours.resume();
    first.socket.end();
    await closing;
  });

  it('cuts all sockets when it is dropped', async () => {
    const listener = disposed(await listenForSockets(HERE, LIMITS, () => {}));
    const { socket } = dial(listener.address.port);
    await once(socket, 'connect');
    const closing = listener.close();
    socket.write('x');
    await new Promise((resolve) => setImmediate(resolve));
    listener.drop();
    await closing;
  });

  it('rejects with the error of the system where the address is taken', async () => {
    const { address } = disposed(await listenForSockets(HERE, LIMITS, () => {}));
    await expect(listenForSockets({ ...HERE, port: address.port }, LIMITS, () => {})).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});
