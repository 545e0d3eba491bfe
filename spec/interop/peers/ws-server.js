/** `ws` as a server. Prints `{ port }`, and ends when its standard input does. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { FRAGMENTS } from '../cases.js';
import { MIXED } from '../compression-cases.js';

const REFUSALS = { '/refused': '403 Forbidden', '/nowhere': '404 Not Found' };
const closings = new Map();
/** By what they demand of compression. */
const servers = new Map();
const answers = new WeakMap();

function serverFor(demand) {
  if (!servers.has(demand)) servers.set(demand, createWsServer(demand && { ...JSON.parse(demand), threshold: 0 }));
  return servers.get(demand);
}

function createWsServer(perMessageDeflate) {
  const wss = new WebSocketServer({
    noServer: true,
    perMessageDeflate: perMessageDeflate ?? false,
    handleProtocols: (offered) => ['chat.v2', 'chat.v1'].find((name) => offered.has(name)) ?? false,
  });
  wss.on('headers', (headers, request) => {
    const field = headers.find((line) => line.startsWith('Sec-WebSocket-Extensions: ')) ?? ': ';
    answers.set(request, field.slice(field.indexOf(': ') + 2));
  });
  return wss;
}

const paths = {
  '/echo': (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
  '/agreed': (socket, _query, request) => {
    socket.send(answers.get(request));
    paths['/echo'](socket);
  },
  '/counted': (socket, _query, request) => socket.on('message', () => socket.send(String(request.socket.bytesRead))),
  '/mixed': (socket) => {
    for (const [index, text] of MIXED.entries()) socket.send(text, { compress: index % 2 === 0 });
  },
  '/close': (socket, query) => socket.close(Number(query.get('code')), query.get('reason')),
  '/closed': async (socket, query) => socket.send(JSON.stringify(await closings.get(query.get('id')))),
  '/pinged': (socket) => {
    socket.on('pong', (data) => socket.send(data.toString() === 'are you there?' ? 'pong came' : 'another pong'));
    socket.ping('are you there?');
  },
  '/fragments': (socket) => {
    for (const binary of [false, true]) {
      for (const [index, part] of FRAGMENTS.entries()) {
        socket.send(Buffer.from(part), { binary, fin: index === FRAGMENTS.length - 1 });
        if (index === 1) socket.ping('between');
      }
    }
  },
};

const server = createServer().on('upgrade', (request, stream, head) => {
  const url = new URL(request.url, 'http://localhost');
  const refusal = REFUSALS[url.pathname];
  if (refusal) return stream.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  serverFor(url.searchParams.get('demand')).handleUpgrade(request, stream, head, (socket) => {
    const closing = once(socket, 'close').then(([code, reason]) => ({ code, reason: reason.toString() }));
    if (url.pathname !== '/closed') closings.set(url.searchParams.get('id'), closing);
    paths[url.pathname](socket, url.searchParams, request);
  });
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
process.stdin.resume().on('end', () => process.exit(0));
