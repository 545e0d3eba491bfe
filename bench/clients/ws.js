// ws, by its events.
import WebSocket from 'ws';
import { run } from './contract.js';

await run(
  (url, onMessage) =>
    new Promise((resolve, reject) => {
      const conn = new WebSocket(url, { perMessageDeflate: false });
      conn.on('error', reject);
      conn.on('message', onMessage);
      conn.on('open', () => resolve((data) => conn.send(data)));
    }),
);
