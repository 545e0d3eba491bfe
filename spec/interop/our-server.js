/** wspipe as a server, for the cases. */
import { createServer } from 'node:http';
import {
  refuse,
  WS_OPCODE_BINARY,
  WS_OPCODE_CONTINUATION,
  WS_OPCODE_TEXT,
  WsFrame,
  WsServer,
  wsUpgrade,
} from '../../dist/index.js';
import { FRAGMENTS } from './cases.js';
import { MIXED } from './compression-cases.js';

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
    return paths[pathname](conn, searchParams, { closings });
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
  async '/closed'(conn, query, { closings }) {
    const { code, reason } = await closings.get(query.get('id'));
    await conn.sendText(JSON.stringify({ code, reason }));
  },
  async '/pinged'(conn) {
    const ms = await conn.ping('are you there?', { timeoutMs: 5_000 });
    await conn.sendText(ms === null ? 'no pong came' : 'pong came');
  },
  '/fragments': sendAllFragments,
};

async function sendAllFragments(conn) {
  for (const opcode of [WS_OPCODE_TEXT, WS_OPCODE_BINARY]) {
    for (const [index, part] of FRAGMENTS.entries()) {
      const isFinal = index === FRAGMENTS.length - 1;
      await conn.sendFrame(new WsFrame(index === 0 ? opcode : WS_OPCODE_CONTINUATION, Buffer.from(part), { isFinal }));
      if (index === 1) await conn.sendPing('between');
    }
  }
}

/**
 * Serves the game of compression-cases.js on somebody's HTTP server, with wsUpgrade; `close()` it.
 *
 * @param onRequest answers the requests that are no upgrades
 */
export async function bindCompressionServer(onRequest = (_request, response) => response.writeHead(404).end()) {
  const closings = new Map();
  const open = new Set();
  const http = createServer(onRequest);
  http.on('upgrade', async (request, socket, head) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    const demand = JSON.parse(searchParams.get('demand'));
    const conn = await wsUpgrade(request, socket, head, {
      perMessageDeflate: { windowBits: 15, ...demand, thresholdBytes: 0 },
    });
    if (conn === null) return;
    open.add(conn);
    if (pathname !== '/closed') closings.set(searchParams.get('id'), conn.closeInfo);
    await compressionPaths[pathname](conn, searchParams, { closings, socket });
    await conn.close();
    open.delete(conn);
  });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  const close = () => {
    for (const conn of open) conn.forceClose();
    http.closeAllConnections();
    return new Promise((resolve) => http.close(resolve));
  };
  return { port: http.address().port, close };
}

const compressionPaths = {
  async '/agreed'(conn) {
    await conn.sendText(conn.extensions);
    await paths['/echo'](conn);
  },
  '/closed': paths['/closed'],
  async '/counted'(conn, _query, { socket }) {
    while ((await conn.recvFrame()) !== null) await conn.sendText(String(socket.bytesRead));
  },
  async '/mixed'(conn) {
    for (const [index, text] of MIXED.entries()) await conn.sendText(text, { compress: index % 2 === 0 });
  },
  '/fragments': sendAllFragments,
};
