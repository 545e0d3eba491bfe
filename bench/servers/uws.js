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
  refuseToStart,
  sendBlocks,
} from './contract.js';

const { platform, arch, versions } = process;
const binary = `@trufflesuite/uws-js-unofficial/dist/uws_${platform}_${arch}_${versions.modules}.node`;

function load() {
  try {
    return createRequire(import.meta.url)(binary);
  } catch {
    return refuseToStart(`no binary of uWebSockets.js for Node ${versions.node} on ${platform} ${arch}`);
  }
}

const uws = load();

const jobs = {
  echo: (conn, data, isBinary) => conn.send(data, isBinary, compression !== 'none'),
  upload: (conn, data) => conn.count(data),
  download: (conn) => sendBlocks((block) => conn.send(block, true)),
  'fan-out': (_conn, data, isBinary) => app.publish('all', data, isBinary, compression !== 'none'),
};

const app = uws.App().ws('/*', {
  compression: {
    none: uws.DISABLED,
    'no-takeover': uws.SHARED_COMPRESSOR | uws.SHARED_DECOMPRESSOR,
    takeover: uws.DEDICATED_COMPRESSOR_32KB | uws.DEDICATED_DECOMPRESSOR,
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
