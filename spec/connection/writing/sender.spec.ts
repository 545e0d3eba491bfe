import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Road } from '../../../lib/connection/road/road.ts';
import { Outbox } from '../../../lib/connection/writing/outbox.ts';
import { Sender, type WriteCallback } from '../../../lib/connection/writing/sender.ts';
import { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { WS_OPCODE_CONTINUATION, WS_OPCODE_TEXT } from '../../../lib/protocol/opcode.ts';
import { WS_MAX_FRAME_SIZE } from '../../../lib/protocol/sizes.ts';
import { ByteCollector, memoryPair } from '../../support/sockets.ts';

/** Everything of a connection's sending side, over a road that notes what is written. */
class Bench extends Duplex {
  readonly written: string[] = [];
  /** What was asked of each: to compress it or not. */
  readonly asked: unknown[] = [];
  readonly outbox: Outbox;
  readonly sender: Sender;
  room = Number.POSITIVE_INFINITY;

  constructor() {
    super({ objectMode: true, writableHighWaterMark: 2, emitClose: false });
    this.on('error', () => {});
    const write = (frame: WsFrame): boolean => {
      this.written.push(frame.payload.length > 100 ? String(frame.payload.length) : frame.payloadText());
      this.asked.push(frame.compress);
      return --this.room > 0;
    };
    const writeNow = (frame: WsFrame): boolean => this.room > 1 && write(frame);
    this.outbox = new Outbox({ write, writeNow } as unknown as Road);
    this.sender = new Sender(this, this.outbox, false);
  }

  override _read(): void {}

  override _write(frame: WsFrame, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.sender.unqueue(frame, (isWritten) => callback(isWritten ? null : new Error('not written')));
  }

  drainWith(room: number): void {
    this.room = room;
    this.outbox.drained();
  }
}

const text = (content: string): WsFrame => WsFrame.text(content);
const fragment = (opcode: 0 | 1, isFinal: boolean): WsFrame => new WsFrame(opcode, Buffer.from('f'), { isFinal });
const large = (): WsFrame => WsFrame.binary(new Uint8Array(WS_MAX_FRAME_SIZE + 1));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A bench whose road has no more room. */
function blocked(): Bench {
  const bench = new Bench();
  bench.room = 1;
  void bench.sender.send(text('first'), undefined);
  return bench;
}

describe('send', () => {
  it('gives the bytes on the wire, at once where there is room', () => {
    const { sender, written } = new Bench();
    expect([sender.send(text('hello'), undefined), written]).toEqual([7, ['hello']]);
    expect(sender.send(WsFrame.binary(new Uint8Array(WS_MAX_FRAME_SIZE)), undefined)).toBe(WS_MAX_FRAME_SIZE + 10);
  });

  it('gives them when there is room for more where it took the last', async () => {
    const bench = new Bench();
    bench.room = 1;
    const sending = Promise.resolve(bench.sender.send(text('hello'), undefined));
    expect(bench.written).toEqual(['hello']);
    await expect(Promise.race([sending, turn()])).resolves.toBeUndefined();
    bench.drainWith(9);
    await expect(sending).resolves.toBe(7);
  });

  it('gives 0 where the connection ends before', async () => {
    const bench = blocked();
    const [now, waiting] = [bench.sender.send(WsFrame.ping(), undefined), bench.sender.send(text('a'), undefined)];
    bench.outbox.close();
    expect(await Promise.all([now, waiting])).toEqual([0, 0]);
    bench.destroy();
  });

  it('gives 0 for what waited in the queue of the stream', async () => {
    const bench = blocked();
    bench.sender.queue(text('queued'), undefined);
    const waiting = bench.sender.send(text('behind it'), undefined);
    bench.outbox.close();
    expect(await waiting).toBe(0);
  });
});

describe('write', () => {
  it('sends at once where nothing waits, and calls back in the next tick', async () => {
    const bench = new Bench();
    const story: string[] = [];
    expect(bench.sender.write(text('hello'), () => story.push('called'))).toBe(true);
    expect([bench.written, bench.writableLength, story]).toEqual([['hello'], 0, []]);
    await turn();
    expect(story).toEqual(['called']);
  });

  it('waits in the queue of the stream behind others, where there is no room, while corked, and where it is cut', () => {
    const [full, behind, corked, cut] = [blocked(), blocked(), new Bench(), new Bench()];
    expect(full.sender.write(text('a'), undefined)).toBe(true);
    behind.sender.queue(text('a'), undefined);
    behind.drainWith(0);
    behind.sender.write(text('b'), undefined);
    corked.cork();
    corked.sender.write(text('a'), undefined);
    cut.sender.write(large(), undefined);
    const written = [full, behind, corked].map((bench) => [bench.written.join(), bench.writableLength]);
    expect(written).toEqual([
      ['first', 1],
      ['first,a', 2],
      ['', 1],
    ]);
    expect(cut.written).toEqual(['65536', '\0']);
    for (const bench of [full, behind, corked, cut]) bench.destroy();
  });
});

describe('what is asked of a message', () => {
  it('is carried through both queues', async () => {
    const bench = blocked();
    const ask = (compress: boolean) => new WsFrame(WS_OPCODE_TEXT, Buffer.from('asked'), { compress });
    const results = [bench.sender.send(ask(true), undefined)];
    bench.sender.queue(text('b'), undefined);
    results.push(bench.sender.send(ask(false), undefined));
    bench.drainWith(9);
    await Promise.all(results);
    expect(bench.asked).toEqual([undefined, true, undefined, false]);
  });
});

describe('order', () => {
  it('is one for both queues', async () => {
    const bench = blocked();
    const { sender } = bench;
    const results = [sender.send(text('b'), undefined)];
    sender.queue(text('c'), undefined);
    results.push(sender.send(text('d'), undefined), sender.send(large(), undefined));
    sender.queue(text('e'), undefined);
    results.push(sender.send(text('f'), undefined));
    while (bench.written.length < 8) {
      bench.drainWith(1);
      await turn();
    }
    bench.drainWith(9);
    expect(bench.written).toEqual(
      ['first', 'b', 'c', 'd', '65536', '1', 'e', 'f'].map((part) => (part === '1' ? '\0' : part)),
    );
    expect(await Promise.all(results)).toEqual([3, 3, WS_MAX_FRAME_SIZE + 10 + 3, 3]);
    expect(sender.bufferedBytes).toBe(0);
  });

  it('lets pings past what waits (§5.4)', () => {
    const bench = blocked();
    void bench.sender.send(text('a'), undefined);
    bench.sender.queue(text('b'), undefined);
    void bench.sender.send(WsFrame.ping('ping'), undefined);
    bench.drainWith(9);
    expect(bench.written).toEqual(['first', 'ping', 'a', 'b']);
  });

  it.each([
    ['the outbox', (bench: Bench) => void bench.sender.send(text('a'), undefined)],
    ['the queue of the stream', (bench: Bench) => void bench.sender.queue(text('a'), undefined)],
  ])('keeps a close frame behind what waits in %s (§5.5.1)', async (_name, wait) => {
    const bench = blocked();
    wait(bench);
    const settled = new Promise((resolve) => bench.sender.sendLast(WsFrame.close(1000), resolve));
    bench.drainWith(9);
    expect([bench.written.slice(0, 2), bench.written.length, await settled]).toEqual([['first', 'a'], 3, true]);
  });

  it('lets a close frame leave once the stream takes nothing more', () => {
    const bench = blocked();
    bench.sender.queue(text('a'), undefined);
    bench.end();
    bench.sender.sendLast(WsFrame.close(1000), () => {});
    bench.drainWith(9);
    expect([bench.written.slice(0, 2), bench.written.length]).toEqual([['first', 'a'], 3]);
  });

  it('tells a close frame that waited in the queue of a stream that broke', async () => {
    const bench = blocked();
    bench.sender.queue(text('a'), undefined);
    const settled = new Promise((resolve) => bench.sender.sendLast(WsFrame.close(1000), resolve));
    bench.destroy();
    bench.outbox.close();
    expect(await settled).toBe(false);
  });
});

describe('bufferedBytes', () => {
  it('counts the payload in both queues', () => {
    const bench = blocked();
    void bench.sender.send(text('12'), undefined);
    bench.sender.queue(text('123'), undefined);
    bench.sender.queue(text('1234'), undefined);
    expect(bench.sender.bufferedBytes).toBe(9);
    bench.drainWith(9);
    expect(bench.sender.bufferedBytes).toBe(0);
  });

  it('is 0 when the stream is gone with its queue', () => {
    const bench = blocked();
    for (const each of ['1', '2', '3']) bench.sender.queue(text(each), () => {});
    bench.destroy();
    bench.outbox.close();
    expect(bench.sender.bufferedBytes).toBe(0);
    bench.sender.queue(text('late'), () => {});
    expect(bench.sender.bufferedBytes).toBe(0);
  });
});

describe('an abort', () => {
  it.each([
    ['in the outbox', () => {}, ['first']],
    ['in the queue of the stream', (bench: Bench) => void bench.sender.queue(text('a'), undefined), ['first', 'a']],
  ])('takes back a message of which nothing has left, %s', async (_name, before, written) => {
    const bench = blocked();
    before(bench);
    const controller = new AbortController();
    const sending = bench.sender.send(text('taken back'), controller.signal);
    controller.abort();
    await expect(sending).rejects.toMatchObject({ name: 'AbortError' });
    bench.drainWith(9);
    await turn();
    expect([bench.written, bench.sender.bufferedBytes]).toEqual([written, 0]);
  });

  it('lets go its way a message that has begun to leave, whichever queue it came from (§5.4)', async () => {
    const bench = blocked();
    bench.sender.queue(text('a'), undefined);
    const controller = new AbortController();
    const sending = bench.sender.send(large(), controller.signal);
    bench.drainWith(1);
    bench.drainWith(1);
    controller.abort();
    await expect(sending).rejects.toMatchObject({ name: 'AbortError' });
    bench.drainWith(9);
    expect(bench.written).toEqual(['first', 'a', '65536', '\0']);
  });

  it.each([
    ['a ping', () => WsFrame.ping('sent')],
    ['a fragment, without which the rest would make no sense (§5.4)', () => fragment(1, false)],
    ['a last fragment (§5.4)', () => fragment(0, true)],
  ])('ends the wait and lets %s go its way', async (_name, create) => {
    const bench = blocked();
    const controller = new AbortController();
    const frame = create();
    const sending = bench.sender.send(frame, controller.signal);
    controller.abort();
    await expect(sending).rejects.toMatchObject({ name: 'AbortError' });
    bench.drainWith(9);
    expect(bench.written.at(-1)).toBe(frame.payloadText());
  });
});

describe('the sequence (§5.4)', () => {
  const whole = text('whole');
  const [begin, middle, end] = [fragment(1, false), fragment(0, false), fragment(0, true)];
  const ping = WsFrame.ping();

  it.each([
    ['whole messages', [whole, whole]],
    ['fragments', [begin, middle, middle, end, whole]],
    ['control frames between fragments', [begin, ping, middle, ping, end, ping]],
    ['an empty end', [begin, new WsFrame(WS_OPCODE_CONTINUATION, new Uint8Array(0)), begin]],
  ])('may be %s', (_name, frames) => {
    const { sender } = new Bench();
    for (const frame of frames) expect(() => sender.accept(frame)).not.toThrow();
  });

  it.each([
    ['a continuation of nothing', [], end],
    ['a continuation behind the end', [begin, end], middle],
    ['a whole message inside another', [begin, ping], whole],
    ['a second beginning', [begin, middle], begin],
    ['a reserved bit that nobody claims (§5.2)', [], new WsFrame(WS_OPCODE_TEXT, new Uint8Array(0), { rsv: 4 })],
    ['a reserved bit on a control frame (§5.2)', [begin], new WsFrame(9, new Uint8Array(0), { rsv: 1 })],
  ])('may not have %s: a TypeError, which changes nothing', (_name, before, wrong) => {
    const { sender } = new Bench();
    for (const frame of before) sender.accept(frame);
    for (let i = 0; i < 2; i++) expect(() => sender.accept(wrong)).toThrow(TypeError);
  });
});

describe('a connection', () => {
  const sizes = [0, 125, 126, 65_535, 65_536, 65_537, 131_072, 200_000];

  it.each(['client', 'server'] as const)('of a %s tells the bytes that are really on the wire (§5.2)', async (role) => {
    const { client, server } = memoryPair({ highWaterMark: 1 << 20 });
    const conn = role === 'client' ? WsConnection.fromClient(client) : WsConnection.fromServer(client);
    const peer = new ByteCollector(server);
    for (const size of sizes) {
      const told = await conn.sendBinary(new Uint8Array(size));
      expect((await peer.read(told)).length).toBe(told);
    }
    const told = (await conn.sendPing('abc')) + (await conn.sendClose(1000));
    expect((await peer.read(told)).length).toBe(told);
    conn.forceClose();
    expect((await peer.readAll()).length).toBe(0);
  });
});
