/** A message to many takes several turns of the event loop: what happens between them. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import { Topic } from '../../../lib/fanout/topic/topic.ts';
import { boundServer, turns, until, urlOf } from '../../support/endpoints.ts';
import { memoryPair, tcpPair } from '../../support/sockets.ts';

/** So many that their turns do not come all at once. */
const MEMBERS = 200;

/** A member, and its peer; `writes` has what its socket was given, a text for each write. */
function member(writes: string[] = []) {
  const { client, server } = memoryPair();
  const write = server.write.bind(server) as (chunk: Buffer) => boolean;
  server.write = ((chunk: Buffer) => {
    writes.push(chunk.toString('latin1'));
    return write(chunk);
  }) as typeof server.write;
  const ours = WsConnection.fromServer(server);
  const peer = WsConnection.fromClient(client);
  onTestFinished(() => ours.forceClose());
  return { ours, peer, writes };
}

function crowd(count: number = MEMBERS) {
  const topic = new Topic();
  const links = Array.from({ length: count }, () => member());
  for (const { ours } of links) topic.add(ours);
  return { topic, links, first: links[0]!, last: links.at(-1)! };
}

async function read(peer: WsConnection, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) texts.push((await peer.recvFrame())?.payloadText() ?? 'the end');
  return texts;
}

const hasWritten = ({ writes }: { readonly writes: readonly string[] }): boolean => writes.length > 0;

/** Waits until some have had their turn. */
async function firstTurn({ links }: ReturnType<typeof crowd>): Promise<void> {
  while (!links.some(hasWritten)) await turns(1);
}

describe('Topic, in turns', () => {
  it('gives a message to many in several turns, and each member has it once', async () => {
    const all = crowd();
    const { topic, links } = all;
    void topic.publish('news');
    await firstTurn(all);
    const early = links.filter(hasWritten);
    expect(early.length).toBeLessThan(MEMBERS / 2);
    expect(early).toEqual(links.slice(0, early.length));
    for (const { peer } of links) expect(await read(peer, 1)).toEqual(['news']);
    expect(links.every(({ writes }) => writes.length === 1)).toBe(true);
  });

  it('sends what is published meanwhile together with what still waits, in order', async () => {
    const all = crowd();
    const { topic, links, first, last } = all;
    void topic.publish('one');
    await firstTurn(all);
    expect([hasWritten(first), hasWritten(last)]).toEqual([true, false]);
    void topic.publish('two');
    for (const { peer } of links) expect(await read(peer, 2)).toEqual(['one', 'two']);
    expect([first.writes.length, last.writes.length]).toEqual([2, 1]);
  });

  it('keeps the order with what a late member is sent in the same tick, and between the turns', async () => {
    const all = crowd();
    const { topic, last } = all;
    void last.ours.sendText('before');
    topic.write('one');
    void last.ours.sendText('behind one');
    await firstTurn(all);
    last.ours.write('between');
    topic.write('two');
    last.ours.write('end');
    expect(await read(last.peer, 6)).toEqual(['before', 'one', 'behind one', 'between', 'two', 'end']);
  });

  it('holds nobody else up: another connection is read, and answered, meanwhile', async () => {
    const sockets = await tcpPair();
    const other = WsConnection.fromClient(sockets.client);
    WsConnection.fromServer(sockets.server).on('data', function (this: WsConnection, frame) {
      this.write(frame);
    });
    const all = crowd(2000);
    all.topic.write('news');
    await firstTurn(all);
    void other.sendText('and me?');
    expect((await other.recvFrame())?.payloadText()).toBe('and me?');
    expect(hasWritten(all.last)).toBe(false);
    expect(await read(all.last.peer, 1)).toEqual(['news']);
  });

  it('loses nothing where a member closes, or is let go of, while it waits', async () => {
    const { topic, links } = crowd();
    const [leaving, closing, cut] = [links.at(-3)!, links.at(-2)!, links.at(-1)!];
    topic.write('news');
    topic.delete(leaving.ours);
    const closed = closing.ours.close(4000, 'enough');
    cut.ours.forceClose();
    expect(await read(leaving.peer, 1)).toEqual(['news']);
    expect(await read(closing.peer, 2)).toEqual(['news', 'the end']);
    expect(await closed).toMatchObject({ code: 4000, wasClean: true });
    for (const { peer } of links.slice(0, -3)) expect(await read(peer, 1)).toEqual(['news']);
    expect(cut.writes).toEqual([]);
    expect(topic.stats).toMatchObject({ members: MEMBERS - 3, delivered: MEMBERS });
  });

  it('counts what waits as buffered, and holds a writer back at the bound', async () => {
    const { topic, last } = crowd();
    const message = Buffer.alloc(16 * 1024);
    topic.write(message);
    expect(last.ours.bufferedAmount).toBe(message.length + 4);
    let count = 1;
    while (last.ours.write(message)) count++;
    const drained = new Promise((resolve) => last.ours.once('drain', resolve));
    for (let received = 0; received <= count; received++) {
      expect((await last.peer.recvFrame())?.payloadLength).toBe(message.length);
    }
    await drained;
    expect(count).toBeLessThan(32);
    await until(() => last.ours.bufferedAmount === 0);
  });

  it('lets a server close in the middle: everybody has the message, and then the close', async () => {
    const server = await boundServer({ acceptQueue: 100 });
    const clients = await Promise.all(Array.from({ length: 60 }, () => connect(urlOf(server))));
    await until(() => server.connections.size === clients.length);
    const sent = server.broadcast('last words');
    const closed = server.close();
    for (const client of clients) expect(await read(client, 2)).toEqual(['last words', 'the end']);
    await closed;
    expect(await sent).toBe(clients.length);
    for (const client of clients) expect(await client.closeInfo).toMatchObject({ code: 1001, wasClean: true });
  });
});
