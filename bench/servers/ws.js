// ws. The conductor sets WS_NO_BUFFER_UTIL and WS_NO_UTF_8_VALIDATE where it is to run without its native addons.
import { WebSocketServer } from 'ws';
import {
  ACKNOWLEDGEMENT,
  announce,
  compression,
  createUploadCounter,
  DEFLATE_LEVEL,
  job,
  MAX_MESSAGE_BYTES,
  sendBlocks,
} from './contract.js';

const perMessageDeflate = compression !== 'none' && {
  serverNoContextTakeover: compression === 'no-takeover',
  clientNoContextTakeover: compression === 'no-takeover',
  zlibDeflateOptions: { level: DEFLATE_LEVEL },
  threshold: 0,
};
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate });

const jobs = {
  echo: (conn) => conn.on('message', (data, isBinary) => conn.send(data, { binary: isBinary })),
  upload: (conn) =>
    conn.on(
      'message',
      createUploadCounter(() => conn.send(ACKNOWLEDGEMENT)),
    ),
  download: (conn) => conn.on('message', () => sendBlocks((block) => conn.send(block))),
  'fan-out': (conn) =>
    conn.on('message', (data, isBinary) => {
      for (const client of server.clients) client.send(data, { binary: isBinary });
    }),
};

server.on('connection', (conn) => {
  conn.on('error', () => {});
  jobs[job](conn);
});
server.on('listening', () => announce(server.address().port));
