import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { addressOf, openSocket } from '../../../lib/endpoint/client/client-socket.ts';
import { parseConnectTarget } from '../../../lib/endpoint/client/connect-target.ts';
import { TEST_CERT, TEST_KEY } from '../../support/certificate.ts';
import { portOf } from '../../support/sockets.ts';

describe('addressOf', () => {
  it('names a host and a port, or a Unix socket', () => {
    expect(addressOf(parseConnectTarget('ws://[::1]:81/x'))).toEqual({ host: '::1', port: 81 });
    expect(addressOf(parseConnectTarget('ws+unix:///a/b.sock:/x'))).toEqual({ socketPath: '/a/b.sock' });
  });
});

describe('openSocket (RFC 6455 §4.1)', () => {
  it.each(['http/1.1', 'h2'] as const)(
    'checks the certificate, and says by ALPN that it speaks %s',
    async (protocol) => {
      const server = createTlsServer({ key: TEST_KEY, cert: TEST_CERT, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) =>
        socket.end(),
      );
      onTestFinished(() => void server.close());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const target = parseConnectTarget(`wss://localhost:${portOf(server)}`);
      const socket = openSocket({ target, headers: [], tls: { ca: TEST_CERT } }, protocol) as TLSSocket;
      await new Promise<void>((resolve) => socket.once('secureConnect', resolve));
      expect([socket.authorized, socket.alpnProtocol, socket.servername]).toEqual([true, protocol, 'localhost']);
      await new Promise((resolve) => socket.resume().once('close', resolve));
      const stranger = openSocket({ target, headers: [], tls: undefined }, protocol);
      const error = await new Promise<{ code?: string }>((resolve) => stranger.once('error', resolve));
      expect(error.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    },
  );
});
