/** Topics over real sockets: a crowd that reads, and one who never does. */
import { connect as connectTcp, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import type { WsServer } from '../../../lib/endpoint/server/ws-server.ts';
import { Topic } from '../../../lib/fanout/topic/topic.ts';
import type { SlowPolicy } from '../../../lib/fanout/topic/topic-options.ts';
import { boundServer, linked, turns, until, urlOf } from '../../support/endpoints.ts';
import { stallForGood } from '../../support/links.ts';
import { ByteCollector, rawClient, upgradeRequest } from '../../support/sockets.ts';

const KIB = 1024;
const BOUND = 64 * KIB;
const MEMBERS = 499;
const MESSAGE = Buffer.alloc(KIB, 'x');
/** Header and payload. */
const WIRE_LENGTH = MESSAGE.length + 4;
const OVERHEAD = 512;
/** Messages that are published in one turn. */
const BURST = 10;
/** More than the queue holds. */
const MESSAGES = 200;

/** Opens sockets that count what comes behind the handshake, many at a time. */
async function openReaders(server: WsServer, count: number): Promise<{ received: number }[]> {
  const readers: { received: number }[] = [];
  while (readers.length < count) {
    const batch = Array.from({ length: Math.min(100, count - readers.length) }, () => openReader(server.port));
    readers.push(...(await Promise.all(batch)));
  }
  return readers;
}

async function openReader(port: number): Promise<{ received: number }> {
  const socket: Socket = connectTcp({ port, host: '127.0.0.1', noDelay: true });
  onTestFinished(() => void socket.destroy());
  const head = new ByteCollector(socket);
  socket.write(upgradeRequest());
  await head.readThrough('\r\n\r\n');
  const reader = { received: head.pending.length };
  socket.removeAllListeners('data').on('data', (chunk) => {
    reader.received += chunk.length;
  });
  return reader;
}

async function crowd(slow: SlowPolicy) {
  const server = await boundServer({ heartbeat: false, acceptQueue: 1000 });
  const topic = new Topic({ slow, maxQueuedBytes: BOUND });
  server.on('connection', (conn) => topic.add(conn));
  const stuck = await rawClient(server.port);
  stuck.socket.removeAllListeners('data').pause();
  await until(() => topic.size === 1);
  const [stuckMember] = topic.members;
  await stallForGood(stuckMember!.connection);
  const readers = await openReaders(server, MEMBERS);
  await until(() => topic.size === MEMBERS + 1);
  return { server, topic, readers, stuck, stuckMember: stuckMember! };
}

/** Publishes until a condition holds, at the pace of those who read. */
async function publishWhile(
  topic: Topic,
  readers: { received: number }[],
  goesOn: (published: number) => boolean,
): Promise<number> {
  let published = 0;
  while (goesOn(published)) {
    for (let count = 0; count < BURST; count++) void topic.publish(MESSAGE);
    published += BURST;
    await until(() => readers.every(({ received }) => received === published * WIRE_LENGTH));
  }
  return published;
}

describe('a topic of five hundred, of whom one never reads', () => {
  it.each(['drop-oldest', 'drop-newest'] as const)('%s: all others get everything, and it is bounded', async (slow) => {
    const { server, topic, readers, stuckMember, stuck } = await crowd(slow);
    // Each turn is checked: what was published has come to all who read before more is.
    let most = 0;
    const published = await publishWhile(topic, readers, (count) => {
      most = Math.max(most, stuckMember.queuedBytes);
      return stuckMember.dropped < 50 && count < MESSAGES;
    });
    expect(stuckMember.dropped).toBeGreaterThanOrEqual(50);
    expect(most).toBeLessThanOrEqual(BOUND);
    expect(most).toBeGreaterThan(BOUND - MESSAGE.length - OVERHEAD);
    const { delivered, dropped, queuedMessages, members } = topic.stats;
    expect(members).toBe(MEMBERS + 1);
    // Of what the stuck one was to get, one more is with its connection, which has no room behind it.
    expect(delivered + dropped + queuedMessages + 1).toBe(published * (MEMBERS + 1));
    stuck.socket.destroy();
    await until(() => topic.size === MEMBERS);
    expect(topic.stats).toMatchObject({ queuedMessages: 0, queuedBytes: 0 });
    server.drop();
  });

  it('close: it is closed at the bound, and all others get everything', async () => {
    const { server, topic, readers, stuckMember } = await crowd('close');
    await publishWhile(topic, readers, (count) => !stuckMember.hasLeft && count < MESSAGES);
    expect(topic.stats).toMatchObject({ closed: 1, members: MEMBERS, queuedBytes: 0 });
    expect(stuckMember.connection.isOpen()).toBe(false);
    server.drop();
  });

  it('wait: it stops the publisher, all others get what was published, and when it goes, so does the publisher', async () => {
    const { server, topic, readers, stuckMember, stuck } = await crowd('wait');
    let published = 0;
    let isWaiting = false;
    const publishing = (async () => {
      while (topic.size > MEMBERS && published < MESSAGES) {
        published++;
        isWaiting = true;
        await topic.publish(MESSAGE);
        isWaiting = false;
      }
    })();
    await until(() => isWaiting && readers.every(({ received }) => received === published * WIRE_LENGTH));
    await turns();
    expect(stuckMember.queuedMessages).toBe(0);
    expect(published).toBeLessThan(MESSAGES);
    stuck.socket.destroy();
    await publishing;
    expect(topic.size).toBe(MEMBERS);
    expect(topic.stats.delivered).toBeGreaterThan(0);
    server.drop();
  });
});

describe('a topic of all kinds of connections', () => {
  it('gives each the same in the way in which it has agreed: plain, compressed, masked', async () => {
    const server = await boundServer({ perMessageDeflate: { thresholdBytes: 0 } });
    const offers = [false, true, { serverMaxWindowBits: 9 }, { serverNoContextTakeover: true }] as const;
    const clients = await Promise.all(offers.map((perMessageDeflate) => connect(urlOf(server), { perMessageDeflate })));
    await until(() => server.connections.size === clients.length);
    const topic = new Topic({ slow: 'wait' });
    for (const connection of server.connections) topic.add(connection);
    // A client's end is a member like any other.
    const [upstream] = clients;
    topic.add(upstream!);
    const [far] = server.connections;
    const texts = Array.from({ length: 20 }, (_, index) => `${index} ${'again and again. '.repeat(index * 300)}`);
    const reading = [...clients, far!].map((conn) => readTexts(conn, texts.length));
    for (const [index, text] of texts.entries()) {
      expect(await topic.publish(text, { compress: index % 3 !== 0 })).toBe(5);
    }
    for (const read of await Promise.all(reading)) expect(read).toEqual(texts);
    server.drop();
  });

  it('loses nobody else where members leave, or are cut, while it is published', async () => {
    const server = await boundServer();
    const links = await Promise.all(Array.from({ length: 20 }, () => linked(server)));
    const topic = new Topic({ slow: 'wait' });
    for (const { ours } of links) topic.add(ours);
    const [stays, ...others] = links;
    const reading = readTexts(stays!.client, 200);
    for (const { client } of others) void drain(client);
    for (let count = 0; count < 200; count++) {
      void topic.publish(`${count}`);
      const leaving = count % 10 === 0 ? others.pop() : undefined;
      if (leaving !== undefined && count % 20 === 0) topic.delete(leaving.ours);
      else if (leaving !== undefined && count % 30 === 0) leaving.client.forceClose();
      else void leaving?.ours.close();
      if (count % 7 === 0) await turns(1);
    }
    expect(await reading).toEqual(Array.from({ length: 200 }, (_, index) => `${index}`));
    await until(() => topic.size === 1);
    server.drop();
  });

  it('adds nothing to a connection that is in a thousand of them', async () => {
    const server = await boundServer();
    const { client, ours } = await linked(server);
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warn);
    onTestFinished(() => void process.off('warning', warn));
    const topics = Array.from({ length: 1000 }, (_, index) => new Topic({ name: `${index}` }));
    for (const topic of topics) topic.add(ours);
    for (const topic of topics) void topic.publish(topic.name);
    expect(await readTexts(client, 1000)).toEqual(topics.map(({ name }) => name));
    client.forceClose();
    await ours.closeInfo;
    await turns();
    expect(topics.every(({ size }) => size === 0)).toBe(true);
    expect(warnings).toEqual([]);
    server.drop();
  });
});

async function readTexts(conn: WsConnection, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) texts.push((await conn.recvFrame())?.payloadText() ?? 'the end');
  return texts;
}

async function drain(conn: WsConnection): Promise<void> {
  while ((await conn.recvFrame()) !== null);
}
