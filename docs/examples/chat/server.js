// A chat: rooms with presence, and history that survives a lost connection.
//
//   npm run demo:chat                                 one process, everything in memory
//   npm run demo:chat -- --port 8081 --redis redis://localhost:6379    as many processes as you like
//
// Over Redis it needs the client of Redis, which wspipe does not bring: npm install --no-save redis
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { Backplane, WsServer } from 'wspipe';
import { redisBackplane } from 'wspipe/redis';
import { Lobby } from './rooms.js';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    host: { type: 'string', default: 'localhost' },
    redis: { type: 'string' },
  },
});

/** What is said is kept, so that whoever was away gets what was missed. Who is there is news, and is not kept. */
async function openBackplanes(url) {
  const history = { maxMessages: 500, maxAgeMs: 7 * 86_400_000 };
  if (url === undefined) return { talk: new Backplane({ history }), signals: new Backplane() };
  return {
    talk: await redisBackplane({ url, prefix: 'chat:', history }),
    signals: await redisBackplane({ url, prefix: 'chat:' }),
  };
}

const TYPES = { '/': 'text/html', '/page.css': 'text/css', '/page.js': 'text/javascript' };

function servePage(request, response) {
  const type = TYPES[request.url.split('?')[0]];
  if (type === undefined) return response.writeHead(404).end('Not found\n');
  const file = request.url.startsWith('/page.') ? request.url.slice(1) : 'page.html';
  response.writeHead(200, {
    'content-type': `${type}; charset=utf-8`,
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:",
    'cache-control': 'no-store',
  });
  response.end(readFileSync(new URL(file.split('?')[0], import.meta.url)));
}

const { talk, signals } = await openBackplanes(values.redis);
for (const backplane of [talk, signals]) {
  backplane.on('disconnected', (error) => console.log(`Redis is away: ${error?.message ?? 'it has gone'}`));
  backplane.on('connected', () => values.redis && console.log('Redis is there'));
  backplane.on('lost', ({ name, messages }) => console.log(`${messages} messages of ${name} were lost`));
}

const http = createServer(servePage);
const server = WsServer.attach(http, { path: '/chat', maxMessageBytes: 16_384, maxMessagesPerSecond: 20 });
const lobby = new Lobby(talk, signals);
void server.serve((connection) => lobby.serve(connection));
http.listen(Number(values.port), values.host, () => {
  console.log(`Chat at http://${values.host}:${http.address().port}/`);
});

async function stop() {
  http.close();
  lobby.close();
  // Pages come back to another process, each at a moment of its own.
  await server.close({ code: 1012, reason: 'restarting' });
  await Promise.all([talk.close(), signals.close()]);
  http.closeAllConnections();
}
process.once('SIGINT', stop).once('SIGTERM', stop);
