/** wspipe as a server, for the cases. */
import {
  refuse,
  WS_OPCODE_BINARY,
  WS_OPCODE_CONTINUATION,
  WS_OPCODE_TEXT,
  WsFrame,
  WsServer,
} from '../../dist/index.js';
import { FRAGMENTS } from './cases.js';

/** Binds one of our servers, which behaves as the cases expect; `close()` it. */
export async function bindServer() {
  const closings = new Map();
  const server = await WsServer.bind(
    { port: 0, host: '127.0.0.1' },
    {
      protocols: ['chat.v2', 'chat.v1'],
      // curl never answers a close frame.
      closeTimeoutMs: 2_000,
      path: ({ url }) => !url.startsWith('/nowhere'),
      authorize: ({ url }) => (url.startsWith('/refused') ? refuse(403, { body: 'not you' }) : undefined),
    },
  );
  void server.serve((conn) => {
    const { pathname, searchParams } = new URL(conn.request.url, 'http://localhost');
    if (pathname === '/echo') closings.set(searchParams.get('id'), conn.closeInfo);
    return paths[pathname](conn, searchParams, closings);
  });
  return server;
}

const paths = {
  async '/echo'(conn) {
    for await (const frame of conn) {
      if (frame.isText()) await conn.sendText(frame.payloadText());
      else await conn.sendBinary(frame.payload);
    }
  },
  '/close': (conn, query) => conn.close(Number(query.get('code')), query.get('reason')),
  async '/closed'(conn, query, closings) {
    const { code, reason } = await closings.get(query.get('id'));
    await conn.sendText(JSON.stringify({ code, reason }));
  },
  async '/pinged'(conn) {
    const ms = await conn.ping('are you there?', { timeoutMs: 5_000 });
    await conn.sendText(ms === null ? 'no pong came' : 'pong came');
  },
  async '/fragments'(conn) {
    for (const opcode of [WS_OPCODE_TEXT, WS_OPCODE_BINARY]) {
      for (const [index, part] of FRAGMENTS.entries()) {
        const isFinal = index === FRAGMENTS.length - 1;
        await conn.sendFrame(
          new WsFrame(index === 0 ? opcode : WS_OPCODE_CONTINUATION, Buffer.from(part), { isFinal }),
        );
        if (index === 1) await conn.sendPing('between');
      }
    }
  },
};
