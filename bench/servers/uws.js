// uWebSockets.js, in the build that the npm registry has. It has binaries for Node up to 20 and would silently fall back
// to ws elsewhere, so the binary is loaded by its name.
import { createRequire } from 'node:module';
import {
  ACKNOWLEDGEMENT,
  announce,
  compression,
  createUploadCounter,
  job,
  MAX_MESSAGE_BYTES,
  sendBlocks,
} from './contract.js';

const { platform, arch, versions } = process;
const uws = createRequire(import.meta.url)(
  `@trufflesuite/uws-js-unofficial/dist/uws_${platform}_${arch}_${versions.modules}.node`,
);

const jobs = {
  echo: (conn, data, isBinary) => conn.send(data, isBinary, compression !== 'none'),
  upload: (conn) => conn.count(),
  download: (conn) => sendBlocks((block) => conn.send(block, true)),
  'fan-out': (_conn, data) => app.publish('all', data, true),
};

const app = uws.App().ws('/*', {
  compression: {
    none: uws.DISABLED,
    'no-takeover': uws.SHARED_COMPRESSOR,
    takeover: uws.DEDICATED_COMPRESSOR_32KB,
  }[compression],
  maxPayloadLength: MAX_MESSAGE_BYTES,
  maxBackpressure: MAX_MESSAGE_BYTES,
  idleTimeout: 0,
  open(conn) {
    conn.count = createUploadCounter(() => conn.send(ACKNOWLEDGEMENT, true));
    if (job === 'fan-out') conn.subscribe('all');
  },
  message: jobs[job],
});
app.listen('127.0.0.1', 0, (socket) => announce(uws.us_socket_local_port(socket)));
