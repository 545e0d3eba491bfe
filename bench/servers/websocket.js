// websocket (WebSocket-Node) on Node's http server.
import { createServer } from 'node:http';
import websocket from 'websocket';
import { ACKNOWLEDGEMENT, announce, createUploadCounter, job, MAX_MESSAGE_BYTES, sendBlocks } from './contract.js';

const jobs = {
  echo: (conn) => (message) =>
    message.type === 'utf8' ? conn.sendUTF(message.utf8Data) : conn.sendBytes(message.binaryData),
  upload(conn) {
    const count = createUploadCounter(() => conn.sendBytes(ACKNOWLEDGEMENT));
    return (message) => count(message.binaryData);
  },
  download: (conn) => () => sendBlocks((block) => conn.sendBytes(block)),
  'fan-out': () => (message) => server.broadcastBytes(message.binaryData),
};

const http = createServer();
const server = new websocket.server({
  httpServer: http,
  autoAcceptConnections: true,
  maxReceivedFrameSize: MAX_MESSAGE_BYTES,
  maxReceivedMessageSize: MAX_MESSAGE_BYTES,
  fragmentOutgoingMessages: false,
});
server.on('connect', (conn) => {
  conn.on('error', () => {});
  conn.on('message', jobs[job](conn));
});
http.listen(0, '127.0.0.1', () => announce(http.address().port));
