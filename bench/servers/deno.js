// Deno's own server. Run by deno.
import { ACKNOWLEDGEMENT, announce, createUploadCounter, job, sendBlocks } from './contract.js';

const conns = new Set();

const jobs = {
  echo: (conn) => (data) => conn.send(data),
  upload: (conn) => createUploadCounter(() => conn.send(ACKNOWLEDGEMENT)),
  download: (conn) => () => sendBlocks((block) => conn.send(block)),
  'fan-out'(conn) {
    conn.onopen = () => conns.add(conn);
    conn.onclose = () => conns.delete(conn);
    return (data) => {
      for (const each of conns) each.send(data);
    };
  },
};

Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: ({ port }) => announce(port) }, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  socket.binaryType = 'arraybuffer';
  socket.onerror = () => {};
  const serve = jobs[job](socket);
  socket.onmessage = ({ data }) => serve(data);
  return response;
});
