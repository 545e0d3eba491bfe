// faye-websocket on Node's http server.
import { createServer } from 'node:http';
import Faye from 'faye-websocket';
import { ACKNOWLEDGEMENT, announce, createUploadCounter, job, MAX_MESSAGE_BYTES, sendBlocks } from './contract.js';

const conns = new Set();

const jobs = {
  echo: (conn) => (data) => conn.send(data),
  upload: (conn) => createUploadCounter(() => conn.send(ACKNOWLEDGEMENT)),
  download: (conn) => () => sendBlocks((block) => conn.send(block)),
  'fan-out'(conn) {
    conns.add(conn);
    conn.on('close', () => conns.delete(conn));
    return (data) => {
      for (const each of conns) each.send(data);
    };
  },
};

const server = createServer();
server.on('upgrade', (request, socket, head) => {
  const conn = new Faye(request, socket, head, [], { maxLength: MAX_MESSAGE_BYTES });
  const serve = jobs[job](conn);
  conn.on('message', ({ data }) => serve(data));
});
server.listen(0, '127.0.0.1', () => announce(server.address().port));
