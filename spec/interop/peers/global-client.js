/** The `WebSocket` of the platform (Bun, Deno) as a client. Arguments: the server, then the names of the cases. */
import { runCases } from '../cases.js';
import { Inbox } from '../inbox.js';

const [base, ...names] = globalThis.Deno?.args ?? globalThis.process.argv.slice(2);

function open(url, protocols) {
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

await runCases(names, open, base, (result) => console.log(JSON.stringify(result)));
