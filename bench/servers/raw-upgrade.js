// The ceiling of Node for a WebSocket server: an HTTP upgrade, then bytes go back as they came.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { announce } from './contract.js';
import { serveRaw } from './raw-jobs.js';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const server = createServer();
server.on('upgrade', (request, socket) => {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64');
  const fields = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}`;
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n\r\n`);
  serveRaw(socket);
});
server.listen(0, '127.0.0.1', () => announce(server.address().port));
