/**
 * Bun as a server of the game of compression, with a size of its compressor and of its decompressor as arguments. It
 * cannot be told the four parameters, and does not tell what it answers. Prints `{ port }`, and ends when its standard
 * input does.
 */
import { UNKNOWN } from '../compression-cases.js';

const [compress, decompress] = process.argv.slice(2);
const closings = new Map();

const paths = {
  '/closed': async (socket) => socket.send(JSON.stringify(await closings.get(socket.data.id).promise)),
  '/agreed': (socket) => socket.send(UNKNOWN),
};

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, self) {
    const { pathname, searchParams } = new URL(request.url);
    const data = { pathname, id: searchParams.get('id') };
    return self.upgrade(request, { data }) ? undefined : new Response('', { status: 400 });
  },
  websocket: {
    maxPayloadLength: 2 ** 25,
    backpressureLimit: 2 ** 26,
    perMessageDeflate: { compress, decompress },
    open(socket) {
      const { pathname, id } = socket.data;
      if (pathname === '/agreed') closings.set(id, Promise.withResolvers());
      paths[pathname](socket);
    },
    message: (socket, data) => socket.send(data, true),
    close: ({ data }, code, reason) => closings.get(data.id)?.resolve({ code, reason }),
  },
});
console.log(JSON.stringify({ port: server.port }));
process.stdin.resume().on('end', () => process.exit(0));
