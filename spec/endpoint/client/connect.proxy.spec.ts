import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import type { ConnectOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { WsServer } from '../../../lib/endpoint/server/ws-server.ts';
import { TEST_CERT, TEST_KEY } from '../../support/certificate.ts';
import { boundServer } from '../../support/endpoints.ts';
import { attachedServer, secureHttp2Server } from '../../support/http2.ts';
import {
  openTlsTunnel,
  openTunnel,
  TlsTunnelAgent,
  TunnelAgent,
  type TunnelProxy,
  tunnellingProxy,
} from '../../support/proxy.ts';

type Way = (proxy: TunnelProxy) => ConnectOptions;

const WAYS: readonly (readonly [string, boolean, Way])[] = [
  [
    'ws: by createConnection',
    false,
    ({ port }) => ({ createConnection: (to, done) => void openTunnel(port, to, done) }),
  ],
  ['ws: by an agent', false, ({ port }) => ({ agent: new TunnelAgent(port) })],
  [
    'wss: by createConnection',
    true,
    ({ port }) => ({ createConnection: (to, done) => void openTlsTunnel(port, to, done) }),
  ],
  ['wss: by an agent', true, ({ port }) => ({ agent: new TlsTunnelAgent(port) })],
];

describe('connect through an HTTP proxy (RFC 6455 §4.1)', () => {
  it.each(WAYS)('goes through its tunnel, %s', async (_title, isSecure, way) => {
    const server = await boundServer(isSecure ? { tls: { key: TEST_KEY, cert: TEST_CERT } } : {});
    const serving = server.runEcho();
    const proxy = await tunnellingProxy();
    const url = `${isSecure ? 'wss' : 'ws'}://localhost:${server.port}/x`;
    const client = await connect(url, { ...way(proxy), tls: { ca: TEST_CERT } });
    await client.sendText('hello');
    expect((await client.recvFrame())?.payloadText()).toBe('hello');
    expect((await client.close()).wasClean).toBe(true);
    expect(proxy.asked).toEqual([`localhost:${server.port}`]);
    await Promise.all([server.close(), serving]);
  });

  it.each(WAYS)('rejects where the proxy refuses, %s', async (_title, isSecure, way) => {
    const proxy = await tunnellingProxy(407);
    const connecting = connect(`${isSecure ? 'wss' : 'ws'}://localhost:1`, way(proxy));
    await expect(connecting).rejects.toThrow('the proxy says 407');
  });

  it.each(WAYS.filter(([, isSecure]) => isSecure))(
    'checks the name of the server, %s',
    async (_title, _isSecure, way) => {
      const server = await boundServer({ tls: { key: TEST_KEY, cert: TEST_CERT } });
      const options = { ...way(await tunnellingProxy()), tls: { ca: TEST_CERT } };
      const connecting = connect(`wss://other.example:${server.port}`, options);
      await expect(connecting).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    },
  );

  it('goes over HTTP/2 as well', async () => {
    const plain = await attachedServer();
    const secure = await secureHttp2Server();
    const ws = WsServer.attach(secure.server);
    onTestFinished(() => ws.drop());
    const proxy = await tunnellingProxy();
    const ways: ConnectOptions[] = [
      { createConnection: (to, done) => void openTunnel(proxy.port, to, done) },
      {
        tls: { ca: TEST_CERT, ALPNProtocols: ['h2'] },
        createConnection: (to, done) => void openTlsTunnel(proxy.port, to, done),
      },
    ];
    for (const [at, url] of [`ws://localhost:${plain.port}`, `wss://localhost:${secure.port}`].entries()) {
      const client = await connect(url, { http2: true, ...ways[at] });
      expect(client.response?.status).toBe(200);
      client.forceClose();
      await client.closeInfo;
    }
    expect(proxy.asked).toEqual([`localhost:${plain.port}`, `localhost:${secure.port}`]);
  });
});
