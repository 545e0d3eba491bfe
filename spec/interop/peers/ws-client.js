/** `ws` as a client. Arguments: the server, the game, then the names of the cases. */
import { WebSocket } from 'ws';
import { runGame } from '../games.js';
import { Inbox } from '../inbox.js';

function open(url, protocols, offer) {
  const socket = new WebSocket(url, protocols, { perMessageDeflate: { ...offer, threshold: 0 } });
  const inbox = new Inbox();
  socket.on('message', (data, isBinary) => inbox.put(isBinary ? new Uint8Array(data) : data.toString()));
  const closed = new Promise((resolve) => {
    socket.on('close', (code, reason) => {
      inbox.end();
      resolve({ code, reason: reason.toString() });
    });
  });
  const client = {
    get protocol() {
      return socket.protocol;
    },
    send: (data) => new Promise((resolve, reject) => socket.send(data, (error) => (error ? reject(error) : resolve()))),
    sendPlain: (text) => new Promise((resolve) => socket.send(text, { compress: false }, resolve)),
    receive: () => inbox.receive(),
    close: (code, reason) => {
      socket.close(code, reason);
      return closed;
    },
    closed,
    drop: () => socket.terminate(),
    sendFragments(parts) {
      for (const [index, part] of parts.entries()) {
        socket.send(part, { fin: index === parts.length - 1, binary: typeof part !== 'string' });
        if (index === 0) socket.ping('between');
      }
    },
    sendUnfinished: (text) => socket.send(text, { fin: false }),
    ping: (data) =>
      new Promise((resolve, reject) => {
        socket.once('pong', (payload) => (payload.toString() === data ? resolve() : reject(new Error('another pong'))));
        socket.ping(data);
      }),
  };
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve(client));
    socket.on('error', reject);
    socket.on('unexpected-response', (_request, { statusCode }) => {
      reject(Object.assign(new Error(`status ${statusCode}`), { status: statusCode }));
      socket.terminate();
    });
  });
}

await runGame(process.argv.slice(2), open);
