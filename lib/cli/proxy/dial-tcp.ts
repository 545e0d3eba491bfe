/** Connects to a TCP address. */
import { connect, type Socket } from 'node:net';
import type { Address } from './proxy-arguments.ts';

/** ms that an address has to answer: as long as a handshake may take. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Connects, or rejects with the system's error (ETIMEDOUT after ten seconds). The socket may be half open. */
export function dialTcp({ host, port }: Address): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  return new Promise((resolve, reject) => {
    const tooLate = (): void => {
      socket.destroy(Object.assign(new Error(`no answer from ${host}:${port}`), { code: 'ETIMEDOUT' }));
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, tooLate);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('timeout', tooLate);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
