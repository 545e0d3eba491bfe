import { describe, expect, it } from 'vitest';
import { dialTcp } from '../../../lib/cli/proxy/dial-tcp.ts';
import { byteServer } from '../../support/endpoints.ts';

describe('dialTcp', () => {
  it('connects, half open, and without a limit of time from then on', async () => {
    const { port } = await byteServer((socket) => socket.end('bye'));
    const socket = await dialTcp({ host: '127.0.0.1', port });
    expect([socket.allowHalfOpen, socket.timeout, socket.listenerCount('timeout')]).toEqual([true, 0, 0]);
    socket.on('error', () => {});
    socket.destroy();
  });

  it('rejects with the error of the system', async () => {
    await expect(dialTcp({ host: '127.0.0.1', port: 1 })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
