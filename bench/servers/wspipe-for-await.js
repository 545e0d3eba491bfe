// wspipe, read by a loop and answered with awaited sends: text is decoded and encoded again, as a chat would.
import { WsServer } from '../../dist/index.js';
import { ACKNOWLEDGEMENT, announce, BLOCK, BLOCKS_PER_TURN, createUploadCounter, job } from './contract.js';
import { serverOptions } from './wspipe-options.js';

const server = await WsServer.bind({ host: '127.0.0.1', port: 0 }, serverOptions);

const jobs = {
  async echo(conn) {
    for await (const frame of conn) {
      if (frame.isText()) await conn.sendText(frame.payloadText());
      else await conn.sendBinary(frame.payload);
    }
  },
  async upload(conn) {
    const count = createUploadCounter(() => conn.sendBinary(ACKNOWLEDGEMENT));
    for await (const frame of conn) count(frame.payload);
  },
  async download(conn) {
    for await (const _frame of conn) {
      for (let block = 0; block < BLOCKS_PER_TURN; block++) await conn.sendBinary(BLOCK);
    }
  },
  async 'fan-out'(conn) {
    for await (const frame of conn) await server.broadcast(frame);
  },
};

server.on('connection', jobs[job]);
announce(server.port);
