// Bun's own server. Run by bun.
import {
  ACKNOWLEDGEMENT,
  announce,
  compression,
  createUploadCounter,
  job,
  MAX_MESSAGE_BYTES,
  sendBlocks,
} from './contract.js';

const deflate = {
  none: false,
  takeover: { compress: 'dedicated', decompress: 'dedicated' },
  'no-takeover': { compress: 'shared', decompress: 'shared' },
};

const jobs = {
  echo: (conn, data) => conn.send(data, compression !== 'none'),
  upload: (conn, data) => conn.data.count(data),
  download: (conn) => sendBlocks((block) => conn.send(block)),
  'fan-out': (_conn, data) => server.publish('all', data, compression !== 'none'),
};

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: (request, self) => (self.upgrade(request, { data: {} }) ? undefined : new Response('', { status: 400 })),
  websocket: {
    maxPayloadLength: MAX_MESSAGE_BYTES,
    backpressureLimit: MAX_MESSAGE_BYTES,
    perMessageDeflate: deflate[compression],
    open(conn) {
      conn.data.count = createUploadCounter(() => conn.send(ACKNOWLEDGEMENT));
      if (job === 'fan-out') conn.subscribe('all');
    },
    message: jobs[job],
  },
});
announce(server.port);
