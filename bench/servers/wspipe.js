// wspipe, read by its 'data' event and written with write(): the way of any Node stream.
import { Topic, WsServer } from '../../dist/index.js';
import { ACKNOWLEDGEMENT, announce, createUploadCounter, job, sendBlocks } from './contract.js';
import { serverOptions } from './wspipe-options.js';

const server = await WsServer.bind({ host: '127.0.0.1', port: 0 }, serverOptions);

const topic = new Topic({ slow: 'wait' });

const jobs = {
  echo: (conn) => conn.on('data', (frame) => conn.write(frame)),
  upload(conn) {
    const count = createUploadCounter(() => conn.write(ACKNOWLEDGEMENT));
    conn.on('data', (frame) => count(frame.payload));
  },
  download: (conn) => conn.on('data', () => sendBlocks((block) => conn.write(block))),
  'fan-out': (conn) => {
    topic.add(conn);
    conn.on('data', (frame) => topic.write(frame));
  },
};

server.on('connection', jobs[job]);
announce(server.port);
