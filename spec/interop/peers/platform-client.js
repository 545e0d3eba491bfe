/** The `WebSocket` of a platform (Bun, Deno, a page) as a client. */
import { Inbox } from '../inbox.js';

/** Opens one, in the shape that the cases ask for. It offers what it likes, and can send neither pings nor fragments. */
export function open(url, protocols) {
  const socket = protocols === undefined ? new WebSocket(url) : new WebSocket(url, protocols);
  socket.binaryType = 'arraybuffer';
  const inbox = new Inbox();
  socket.addEventListener('message', ({ data }) => inbox.put(typeof data === 'string' ? data : new Uint8Array(data)));
  const closed = new Promise((resolve) => {
    socket.addEventListener('close', ({ code, reason }) => {
      inbox.end();
      resolve({ code, reason });
    });
  });
  const client = {
    get protocol() {
      return socket.protocol;
    },
    send: (data) => socket.send(data),
    receive: () => inbox.receive(),
    close: (code, reason) => {
      if (code === undefined) socket.close();
      else socket.close(code, reason);
      return closed;
    },
    closed,
    drop: () => socket.close(),
  };
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', () => resolve(client));
    socket.addEventListener('error', (event) => reject(new Error(`could not connect: ${event.message ?? ''}`)));
  });
}
