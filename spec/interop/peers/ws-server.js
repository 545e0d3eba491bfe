/** `ws` as a server. Prints `{ port }`, and ends when its standard input does. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { FRAGMENTS } from '../cases.js';

const REFUSALS = { '/refused': '403 Forbidden', '/nowhere': '404 Not Found' };
const closings = new Map();
const wss = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => ['chat.v2', 'chat.v1'].find((name) => offered.has(name)) ?? false,
});

const paths = {
  '/echo': (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
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
  wss.handleUpgrade(request, stream, head, (socket) => {
    const closing = once(socket, 'close').then(([code, reason]) => ({ code, reason: reason.toString() }));
    if (url.pathname === '/echo') closings.set(url.searchParams.get('id'), closing);
    paths[url.pathname](socket, url.searchParams);
  });
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
process.stdin.resume().on('end', () => process.exit(0));
