import type { ClientHttp2Session, ServerHttp2Session } from 'node:http2';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import type { ServerOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { asTransport } from '../../../lib/endpoint/http2/http2-transport.ts';
import type { WsServer } from '../../../lib/endpoint/server/ws-server.ts';
import { clientText, until } from '../../support/endpoints.ts';
import { attachedServer, extendedConnect, http2Session, type RawStream } from '../../support/http2.ts';

const CANCEL = 8;
const PROTOCOL_ERROR = 1;
const KIB = 1024;

/** A connection of ours, and its peer by hand. */
async function standing(options?: ServerOptions) {
  const { ws, port, sessions } = await attachedServer(options);
  const session = await http2Session(`http://127.0.0.1:${port}`);
  const accepted = ws.accept();
  const raw: RawStream = await extendedConnect(session);
  const conn: WsConnection = (await accepted)!;
  return { ws, port, session, raw, conn, server: [...sessions][0]! };
}

/** Opens another connection of the session, and has it echoed 200 times. */
async function expectOthersGoOn(ws: WsServer, port: number, session: ClientHttp2Session): Promise<WsConnection> {
  void ws.runEcho();
  const other = await connect(`ws://127.0.0.1:${port}`, { http2: session });
  for (let turn = 0; turn < 200; turn++) {
    await other.sendText('go on');
    expect((await other.recvFrame())?.payloadText()).toBe('go on');
  }
  return other;
}

describe('the stream under a connection (RFC 8441 §5)', () => {
  it('says RST_STREAM with CANCEL where the connection is forced to close', async () => {
    const { conn, raw, session } = await standing();
    conn.forceClose();
    expect([await raw.closed, (await conn.closeInfo).code, session.destroyed]).toEqual([CANCEL, 1006, false]);
  });

  it('says END_STREAM, and nothing of a reset, at the end of a closing handshake', async () => {
    const { conn, raw } = await standing();
    const closing = conn.close(1000);
    expect(await raw.received.read(4)).toEqual(Buffer.of(0x88, 2, 0x03, 0xe8));
    raw.stream.end(Buffer.of(0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8));
    expect([(await closing).wasClean, await raw.closed]).toEqual([true, 0]);
  });

  it('is ended in peace where the peer leaves it open behind a closing handshake, as Chromium 150 does', async () => {
    const { conn, raw } = await standing({ closeTimeoutMs: 600_000 });
    raw.stream.write(Buffer.of(0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8));
    expect(await raw.received.read(4)).toEqual(Buffer.of(0x88, 2, 0x03, 0xe8));
    expect([(await conn.closeInfo).wasClean, await raw.closed]).toEqual([true, 0]);
  });

  it.each<[string, (raw: RawStream) => void]>([
    ['END_STREAM', ({ stream }) => stream.end()],
    ['RST_STREAM with CANCEL', ({ stream }) => stream.close(CANCEL)],
    ['RST_STREAM with PROTOCOL_ERROR', ({ stream }) => stream.close(PROTOCOL_ERROR)],
    ['END_STREAM inside a frame', ({ stream }) => stream.end(Buffer.of(0x81))],
  ])('takes %s for a cut: 1006, and no uncaught error', async (_title, cut) => {
    const { conn, raw, session } = await standing();
    raw.stream.write(clientText('last words'));
    cut(raw);
    const info = await conn.closeInfo;
    expect([info.code, info.wasClean, info.initiator]).toEqual([1006, false, 'remote']);
    await raw.closed;
    expect((await extendedConnect(session)).status).toBe(200);
  });

  it.each<[string, (server: ServerHttp2Session, client: ClientHttp2Session) => void]>([
    ['the peer destroys its session', (_server, client) => client.destroy()],
    ['our session is destroyed', (server) => server.destroy()],
    ['a GOAWAY with an error comes', (_server, client) => client.goaway(PROTOCOL_ERROR)],
    ['we send a GOAWAY with an error', (server) => server.destroy(new Error('x'), PROTOCOL_ERROR)],
  ])('ends all connections of a session with 1006: %s', async (_title, kill) => {
    const { conn, ws, session, port, server } = await standing();
    const accepted = ws.accept();
    const client = await connect(`ws://127.0.0.1:${port}`, { http2: session });
    const other = (await accepted)!;
    kill(server, session);
    const infos = await Promise.all([conn, other, client].map(({ closeInfo }) => closeInfo));
    expect(infos.map(({ code, wasClean }) => [code, wasClean])).toEqual(Array(3).fill([1006, false]));
  });

  it('lets connections go on behind a GOAWAY in peace, and takes no new ones', async () => {
    const { conn, session, port, server } = await standing();
    server.goaway(0);
    await until(() => session.closed);
    await expect(connect(`ws://127.0.0.1:${port}`, { http2: session })).rejects.toThrow('has ended');
    expect(conn.isOpen()).toBe(true);
    conn.forceClose();
  });

  it('leaves the errors of a stream that ends in peace to nobody', async () => {
    const { port } = await attachedServer();
    const session = await http2Session(`http://127.0.0.1:${port}`);
    const stream = asTransport(session.request({ ':path': '/' }));
    stream.destroy(new Error('mine'));
    await new Promise((resolve) => stream.once('close', resolve));
    expect(stream.rstCode).toBe(CANCEL);
    expect(stream.destroy()).toBe(stream);
  });
});

describe('the flow control of a stream', () => {
  it('is the backpressure of a connection that is not read; other streams of the session go on', async () => {
    const { raw, conn, session, port, ws } = await standing({ maxBufferedBytes: 64 * KIB });
    await until(() => raw.stream.readableFlowing === true);
    const chunk = Buffer.alloc(16 * KIB);
    // One message of 64 MiB, which nobody reads.
    raw.stream.write(Buffer.from('82ff000000000400000000000000', 'hex'));
    let sentBytes = 0;
    const send = (): void => {
      raw.stream.write(chunk, () => {
        sentBytes += chunk.length;
        if (sentBytes < 64 * KIB * KIB) send();
      });
    };
    send();
    const other = await expectOthersGoOn(ws, port, session);
    // A window of 64 KiB, what the connection keeps, and what the stream holds.
    expect(sentBytes).toBeGreaterThan(64 * KIB);
    expect(sentBytes).toBeLessThan(512 * KIB);
    conn.forceClose();
    await other.close();
  });

  it('holds back who sends to a peer that does not read; other streams of the session go on', async () => {
    const { raw, conn, session, port, ws } = await standing();
    raw.stream.pause();
    let sentBytes = 0;
    const flooding = (async () => {
      const payload = new Uint8Array(16 * KIB);
      while ((await conn.sendBinary(payload)) > 0) sentBytes += payload.length;
    })();
    const other = await expectOthersGoOn(ws, port, session);
    expect(sentBytes).toBeLessThan(512 * KIB);
    expect(conn.bufferedAmount).toBeLessThan(256 * KIB);
    const before = sentBytes;
    raw.stream.resume();
    await until(() => sentBytes > before + 1024 * KIB);
    conn.forceClose();
    await Promise.all([flooding, other.close()]);
  });

  it('passes a large message both ways', async () => {
    const { ws, session, port } = await standing();
    const serving = ws.runEcho();
    onTestFinished(() => serving);
    const client = await connect(`ws://127.0.0.1:${port}`, { http2: session, perMessageDeflate: true });
    const large = Buffer.alloc(3 * KIB * KIB, 'large ');
    const [sent, echoed] = await Promise.all([client.sendBinary(large), client.recvFrame()]);
    expect([sent > 0, large.equals(echoed!.payload)]).toEqual([true, true]);
    client.forceClose();
    ws.drop();
  });
});
