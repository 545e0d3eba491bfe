/** What has to work over HTTP/2 (RFC 8441) on every runtime, as checks for runtime-checks.js. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createSecureServer, connect as openSession } from 'node:http2';
import { pipeline } from 'node:stream/promises';
import { connect, refuse, WsServer } from '../../dist/index.js';

const MIB = 1_048_576;
const TEXT = 'the same text again and again. '.repeat(1000);

/** Runs `use` with a server that takes HTTP/1.1 and HTTP/2 on one port, and a session of a client. */
async function withHttp2({ key, cert }, serverOptions, use) {
  const http = createSecureServer({ key, cert, allowHTTP1: true }, (_request, response) => response.end('a page'));
  const server = WsServer.attach(http, serverOptions);
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address();
  const session = openSession(`https://localhost:${port}`, { ca: cert });
  session.on('error', () => {});
  try {
    await use({ server, session, url: `wss://localhost:${port}` });
  } finally {
    await server.close();
    session.destroy();
    http.close();
  }
}

async function assertEcho(conn, text) {
  await conn.sendText(text);
  assert.equal((await conn.recvFrame())?.payloadText(), text);
}

/** As for WebSockets over HTTP/1.1: what it is opened with, how it ends, and that the others live on. */
export const sharesASessionOfHttp2 = (certificate) =>
  withHttp2(certificate, { protocols: ['chat'], perMessageDeflate: true }, async ({ server, session, url }) => {
    void server.runEcho();
    const options = { http2: session, protocols: ['chat'] };
    const conns = await Promise.all(Array.from({ length: 20 }, () => connect(url, options)));
    assert.ok(conns.every(({ protocol, extensions }) => protocol === 'chat' && extensions.startsWith('permessage')));
    assert.ok([...server.connections].every(({ request }) => request.httpVersion === '2.0'));
    assert.ok((await conns[0].sendText(TEXT)) < TEXT.length / 5);
    assert.equal((await conns[0].recvFrame())?.payloadText(), TEXT);
    assert.equal((await conns[0].close(4000, 'one of many')).wasClean, true);
    conns[1].forceClose();
    assert.equal((await conns[1].closeInfo).code, 1006);
    for (const conn of conns.slice(2)) await assertEcho(conn, 'still here');
    assert.ok((await conns[2].ping()) >= 0);
    const ends = await Promise.all(conns.slice(2).map((conn) => conn.close()));
    assert.ok(ends.every(({ code, wasClean }) => code === 1000 && wasClean));
    assert.equal(session.closed, false);
  });

export const streamsOverHttp2AndHoldsTheSender = (certificate) =>
  withHttp2(certificate, {}, async ({ server, url }) => {
    const accepted = server.accept();
    const conn = await connect(url, { http2: true, tls: { ca: certificate.cert } });
    const reader = await accepted;
    const sent = createHash('sha256');
    let written = 0;
    const sending = pipeline(async function* () {
      for (; written < 32; written++) {
        const piece = new Uint8Array(MIB).fill(written);
        sent.update(piece);
        yield piece;
      }
    }, conn.createMessage('binary'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(written < 16, `${written} MiB were taken though nobody reads`);
    const received = createHash('sha256');
    let bytes = 0;
    for await (const message of reader.messages()) {
      for await (const chunk of message) {
        bytes += chunk.length;
        received.update(chunk);
      }
      break;
    }
    await sending;
    assert.deepEqual([bytes, received.digest('hex')], [32 * MIB, sent.digest('hex')]);
    assert.deepEqual((await conn.close()).code, 1000);
  });

export const refusesOverHttp2ByStatus = (certificate) => {
  const authorize = ({ url }) => (url === '/secret' ? refuse(401, { headers: { 'X-Why': 'no' } }) : 'known');
  const path = ({ url }) => url !== '/nowhere';
  return withHttp2(certificate, { path, authorize }, async ({ server, session, url }) => {
    server.on('connection', (conn) => conn.write(conn.context));
    await assert.rejects(connect(`${url}/secret`, { http2: session }), { status: 401 });
    await assert.rejects(connect(`${url}/nowhere`, { http2: session }), { status: 404 });
    await assert.rejects(connect(url, { http2: session, origin: 'https://evil.example' }), { status: 403 });
    const conn = await connect(url, { http2: session });
    assert.equal((await conn.recvFrame())?.payloadText(), 'known');
    const old = await connect(url, { tls: { ca: certificate.cert } });
    assert.equal((await old.recvFrame())?.payloadText(), 'known');
    await Promise.all([conn.close(), old.close()]);
  });
};
