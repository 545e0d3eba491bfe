// One echo server, by name; the port goes to the parent, and so do the process's own CPU time and memory when it asks.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const MAX_MESSAGE_BYTES = 2 ** 28;

const servers = {
  // The ceiling of Node: an HTTP upgrade, and bytes piped back as they are.
  async raw(http) {
    const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
    http.on('upgrade', (request, socket) => {
      const accept = createHash('sha1')
        .update(request.headers['sec-websocket-key'] + guid)
        .digest('base64');
      const fields = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}`;
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n\r\n`);
      socket.pipe(socket);
    });
  },
  async ws(http) {
    const { WebSocketServer } = await import('ws');
    const server = new WebSocketServer({ server: http, perMessageDeflate: false, maxPayload: MAX_MESSAGE_BYTES });
    server.on('connection', (conn) => conn.on('message', (data, isBinary) => conn.send(data, { binary: isBinary })));
  },
  async 'wspipe data'(http) {
    const { WsServer } = await import('../dist/index.js');
    const server = WsServer.attach(http, { maxMessageBytes: MAX_MESSAGE_BYTES });
    server.on('connection', (conn) => conn.on('data', (frame) => conn.write(frame)));
  },
  async 'wspipe for await'(http) {
    const { WsServer } = await import('../dist/index.js');
    const server = WsServer.attach(http, { maxMessageBytes: MAX_MESSAGE_BYTES });
    server.on('connection', async (conn) => {
      for await (const frame of conn) await conn.sendBinary(frame.payload);
    });
  },
};

const http = createServer();
await servers[process.argv[2]](http);
http.listen(0, '127.0.0.1', () => process.send(http.address().port));
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({ cpuMicros: user + system, rssBytes: process.memoryUsage().rss });
});
