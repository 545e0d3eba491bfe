// One of several servers that share a topic over a broker, as a stranger would write it: wspipe is taken from
// node_modules, the client of the broker is loaded by it. Its parent says what to do.
import { Topic, WsServer } from 'wspipe';
import { natsBackplane } from 'wspipe/nats';
import { redisBackplane } from 'wspipe/redis';

const { kind, url, number } = JSON.parse(process.argv[2]);
/** What may be under way at once where the log takes it before anybody gets it. */
const WINDOW = 64;

const makers = {
  redis: () => redisBackplane({ url }),
  nats: () => natsBackplane({ servers: url }),
  streams: () => redisBackplane({ url, history: { maxMessages: 1_000_000 } }),
};
const backplane = await makers[kind]();
const subscription = backplane.subscribe('news', () => {});
// Members hold the publisher back, and not the other way round: what a member misses, it has not been sent.
const topic = new Topic({ name: 'news', backplane, slow: 'wait', maxQueuedBytes: Number.POSITIVE_INFINITY });
// The machine may be stopped for a while, so that somebody measures: no member is cut for that.
const patient = { heartbeat: false, writeTimeoutMs: Number.POSITIVE_INFINITY };
const server = await WsServer.bind({ port: 0, host: '127.0.0.1' }, patient);
server.on('connection', (connection) => topic.add(connection));

const tell = (message) => process.send(message);
backplane.on('disconnected', () => tell({ told: 'disconnected' }));
backplane.on('connected', async () => {
  await subscription.ready;
  tell({ told: 'restored' });
});
for (const event of ['refused', 'malformed', 'subscribeFailed']) {
  backplane.on(event, (what) => tell({ told: event, what: String(what.error ?? what.reason) }));
}

async function publish(from, to) {
  const underWay = new Set();
  for (let n = from; n <= to; n++) {
    const sent = topic.publish(`${number}:${n}`).then(() => underWay.delete(sent));
    underWay.add(sent);
    if (underWay.size >= WINDOW) await Promise.race(underWay);
    if (n % 50 === 0) await new Promise(setImmediate);
    if (n % 100 === 0) tell({ told: 'progress', published: n });
  }
  await Promise.all(underWay);
}

process.on('message', async ({ command, from, to }) => {
  if (command === 'publish') {
    await publish(from, to);
    tell({ told: 'published' });
  } else if (command === 'stats') {
    tell({ told: 'stats', stats: { ...backplane.stats, members: topic.size, dropped: topic.stats.dropped } });
  } else {
    topic.destroy();
    await server.close();
    await backplane.close();
    process.disconnect();
  }
});

await subscription.ready;
tell({ told: 'listening', port: server.port });
