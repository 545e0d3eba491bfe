import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDialer } from '../../lib/cli/dial.ts';
import { DIAL_OPTIONS, parseDial } from '../../lib/cli/dial-arguments.ts';
import { explainDialFailure } from '../../lib/cli/dial-failure.ts';
import { WsServer } from '../../lib/endpoint/server/ws-server.ts';
import { TEST_CERT, TEST_KEY } from '../support/certificate.ts';
import { wordsOf } from '../support/command-words.ts';
import { boundServer, httpServer, urlOf } from '../support/endpoints.ts';
import { attachedServer } from '../support/http2.ts';

const dial = async (url: string, line: string) =>
  (await createDialer(parseDial(url, wordsOf(line, DIAL_OPTIONS).values))).dial();

async function pemFiles(): Promise<{ cert: string; key: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'wspipe-dial-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  await Promise.all([writeFile(files.cert, TEST_CERT), writeFile(files.key, TEST_KEY)]);
  return files;
}

describe('createDialer', () => {
  it('trusts the certificates of --ca, and checks the name', async () => {
    const server = await boundServer({ tls: { cert: TEST_CERT, key: TEST_KEY } });
    const { cert } = await pemFiles();
    const url = `wss://localhost:${server.port}/`;
    const conn = await dial(url.replace('localhost', '127.0.0.1'), `--ca ${cert}`);
    conn.forceClose();
    const failure = async (line: string): Promise<string> =>
      explainDialFailure(
        await dial(url.replace('localhost', '127.0.0.1'), line).then(
          () => new Error('it was taken'),
          (error) => error,
        ),
        url,
      );
    expect(await failure('')).toContain('the certificate is signed by itself; --ca FILE trusts it');
    expect(await failure(`--ca ${cert} --servername other.example`)).toContain('the certificate is for another name');
    const blind = await dial(url.replace('localhost', '127.0.0.1'), '--insecure --servername other.example');
    blind.forceClose();
  });

  it('says who we are with --cert and --key', async () => {
    const tls = { cert: TEST_CERT, key: TEST_KEY, ca: TEST_CERT, requestCert: true, rejectUnauthorized: true };
    const server = await boundServer({ tls });
    const { cert, key } = await pemFiles();
    const conn = await dial(`wss://127.0.0.1:${server.port}/`, `--ca ${cert} --cert ${cert} --key ${key}`);
    expect(conn.isOpen()).toBe(true);
    conn.forceClose();
  });

  it('follows redirects as far as --max-redirects goes', async () => {
    const target = await boundServer();
    const { server, port } = await httpServer((_request, response) => {
      response.writeHead(302, { location: urlOf(target) }).end();
    });
    expect(server.listening).toBe(true);
    await expect(dial(`ws://127.0.0.1:${port}/`, '')).rejects.toMatchObject({ code: 'WS_ERR_REDIRECT' });
    const conn = await dial(`ws://127.0.0.1:${port}/`, '--max-redirects 1');
    expect(conn).toBeDefined();
    conn.forceClose();
    expect(target).toBeInstanceOf(WsServer);
  });

  it('connects over a stream of HTTP/2 with --http2 (RFC 8441)', async () => {
    const { port, ws } = await attachedServer();
    void ws.runEcho();
    const conn = await dial(`ws://127.0.0.1:${port}/`, '--http2');
    expect(conn.response?.status).toBe(200);
    await conn.sendText('over a stream');
    expect((await conn.recvFrame())?.payloadText()).toBe('over a stream');
    expect((await conn.close()).wasClean).toBe(true);
  });

  it('rejects where a file cannot be read', async () => {
    await expect(dial('wss://127.0.0.1/', '--cert /no/such/file')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
