import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import type { ConnectOptions, ServerOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { WsServer } from '../../../lib/endpoint/server/ws-server.ts';
import { TEST_CERT, TEST_KEY } from '../../support/certificate.ts';

const IDENTITY = { key: TEST_KEY, cert: TEST_CERT };
const CA = { ca: TEST_CERT };

async function bound(host: string, tls: ServerOptions['tls']): Promise<WsServer> {
  const server = await WsServer.bind({ port: 0, host }, { tls });
  onTestFinished(() => server.drop());
  return server;
}

describe('wss: from both ends (RFC 6455 §4.1, §10.6)', () => {
  it('takes a client certificate where the server asks for one, and nobody without', async () => {
    const server = await bound('127.0.0.1', { ...IDENTITY, ...CA, requestCert: true, rejectUnauthorized: true });
    const url = `wss://localhost:${server.port}`;
    const client = await connect(url, { tls: { ...CA, ...IDENTITY } });
    expect(client.isOpen()).toBe(true);
    client.forceClose();
    await expect(connect(url, { tls: CA })).rejects.toHaveProperty('code');
    expect(server.stats).toMatchObject({ accepted: 1, refused: 0 });
  });

  it.each<[string, string, ConnectOptions['tls']]>([
    ['an address that is not in the certificate', 'wss://127.0.0.2', CA],
    [
      'a name that is not in the certificate, whatever the host',
      'wss://127.0.0.2',
      { ...CA, servername: 'other.example' },
    ],
  ])('refuses %s', async (_title, origin, tls) => {
    const server = await bound('127.0.0.2', IDENTITY);
    await expect(connect(`${origin}:${server.port}`, { tls })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    expect(server.stats.accepted).toBe(0);
  });

  it('checks the name that `servername` gives in the place of the host', async () => {
    const server = await bound('127.0.0.2', IDENTITY);
    const client = await connect(`wss://127.0.0.2:${server.port}`, { tls: { ...CA, servername: 'localhost' } });
    client.forceClose();
  });

  it('leaves a check out only where it is told so', async () => {
    const server = await bound('127.0.0.2', IDENTITY);
    const url = `wss://127.0.0.2:${server.port}`;
    for (const tls of [{ rejectUnauthorized: false }, { ...CA, checkServerIdentity: () => undefined }]) {
      (await connect(url, { tls })).forceClose();
    }
    const never = () => new Error('not this one');
    await expect(connect(url, { tls: { ...CA, checkServerIdentity: never } })).rejects.toThrow('not this one');
  });

  it('speaks no version of TLS that the other side does not', async () => {
    const server = await bound('127.0.0.1', { ...IDENTITY, minVersion: 'TLSv1.3' });
    const connecting = connect(`wss://localhost:${server.port}`, { tls: { ...CA, maxVersion: 'TLSv1.2' } });
    await expect(connecting).rejects.toHaveProperty('code');
  });
});

describe('Unix sockets, from both ends', () => {
  it.each([
    ['ws+unix', undefined],
    ['wss+unix', IDENTITY],
  ])('connect by %s:', async (scheme, tls) => {
    const folder = mkdtempSync(join(tmpdir(), 'ws-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'a.sock');
    const server = await WsServer.bind({ path }, { tls, path: '/chat' });
    onTestFinished(() => server.drop());
    const accepted = server.accept();
    const client = await connect(`${scheme}://${path}:/chat?a=b`, { tls: CA });
    expect((await accepted)?.request).toMatchObject({ url: '/chat?a=b', remoteAddress: undefined });
    await expect(connect(`${scheme}://${path}:/none`, { tls: CA })).rejects.toMatchObject({ status: 404 });
    client.forceClose();
    await client.closeInfo;
    await server.close();
  });
});
