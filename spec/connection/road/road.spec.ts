import { once } from 'node:events';
import { Duplex, type DuplexOptions } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Road } from '../../../lib/connection/road/road.ts';
import type { RoadHandlers } from '../../../lib/connection/road/road-handlers.ts';
import type { RoadOptions } from '../../../lib/connection/road/road-streams.ts';
import type { ProtocolError } from '../../../lib/errors.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { serializeFrame } from '../../../lib/protocol/frame-serializer.ts';
import { ByteCollector, memoryPair, tcpPair } from '../../support/sockets.ts';

const OPTIONS: RoadOptions = {
  role: 'server',
  head: undefined,
  limits: { maxFrameBytes: 1e9, maxMessageBytes: 1e6, validateUtf8: true, allowNonMinimalLengths: false },
};

/** Notes what happens on a road, and lets one wait for it. */
class Log implements RoadHandlers {
  readonly story: string[] = [];
  readonly road: Road;
  #wake: () => void = () => {};
  onFrame: (frame: WsFrame) => void = () => {};
  giveUp = (error: Error): void => this.#note(`gave up: ${error.message}`);

  constructor(socket: Duplex, options?: Partial<RoadOptions>) {
    this.road = new Road(socket, { ...OPTIONS, ...options }, this);
  }

  receive(frame: WsFrame): void {
    this.#note(frame.payload.length > 50 ? `frame of ${frame.payload.length}` : frame.payloadText());
    this.onFrame(frame);
  }

  violated(error: ProtocolError): void {
    this.#note(error.code);
  }

  transportEnded(error?: ProtocolError): void {
    this.#note(`ended ${error?.code ?? 'well'}`);
  }

  transportGone(error?: Error): void {
    this.#note(`gone ${error?.message ?? 'well'}`);
  }

  roadDrained(): void {
    this.#note('drained');
  }

  #note(event: string): void {
    this.story.push(event);
    this.#wake();
  }

  /** Waits until something has happened, and gives all that has. */
  async until(event: string): Promise<string[]> {
    while (!this.story.includes(event)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.story;
  }
}

const { text } = WsFrame;
const fromClient = (content: string): Uint8Array => serializeFrame(text(content), { role: 'client' });
const fromServer = (content: string): Uint8Array => serializeFrame(text(content), { role: 'server' });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** A Duplex that gives what is pushed and keeps what is written. */
function plainDuplex(options?: DuplexOptions): Duplex & { written: Buffer } {
  const duplex = new Duplex({
    read: () => {},
    write(chunk: Buffer, _encoding, callback) {
      socket.written = Buffer.concat([socket.written, chunk]);
      callback();
    },
    ...options,
  });
  const socket = Object.assign(duplex, { written: Buffer.alloc(0) });
  return socket;
}
const listenersOf = (socket: Duplex): Record<string, number> =>
  Object.fromEntries(socket.eventNames().map((name) => [String(name), socket.listenerCount(name)]));

describe.each([
  ['TCP', tcpPair],
  ['memory', async () => memoryPair()],
])('over %s', (_name, create) => {
  it('frames come in, bytes go out, and both ends are told apart', async () => {
    const { client, server } = await create();
    const before = listenersOf(server);
    const closed = once(server, 'close');
    const log = new Log(server);
    const peer = new ByteCollector(client);
    client.write(fromClient('one'));
    client.end(fromClient('two'));
    expect(await log.until('ended well')).toEqual(['one', 'two', 'ended well']);
    // The peer's FIN does not end our side.
    log.road.write(text('answer'));
    log.road.end();
    expect(Buffer.from(fromServer('answer')).equals(await peer.readAll())).toBe(true);
    expect(await log.until('gone well')).toEqual(['one', 'two', 'ended well', 'gone well']);
    expect([log.road.isOver, log.road.bufferedBytes, server.destroyed]).toEqual([true, 0, true]);
    await closed;
    expect(listenersOf(server)).toEqual(before);
  });

  it('a cut is told, and leaves no listener behind', async () => {
    const { client, server } = await create();
    const before = listenersOf(server);
    const closed = once(server, 'close');
    const log = new Log(server);
    client.destroy();
    await Promise.race([log.until('gone well'), log.until('ended well')]);
    log.road.destroy();
    await log.until('gone well');
    await closed;
    expect(listenersOf(server)).toEqual(before);
  });

  it('a client masks and takes no mask (§5.1)', async () => {
    const { client, server } = await create();
    const log = new Log(client, { role: 'client' });
    const peer = new ByteCollector(server);
    server.write(fromServer('hello'));
    expect(await log.until('hello')).toEqual(['hello']);
    log.road.write(text('hi'));
    expect((await peer.read(8))[1]).toBe(0x82);
    server.write(fromClient('masked'));
    expect(await log.until('WS_ERR_MASKED')).toEqual(['hello', 'WS_ERR_MASKED']);
    log.road.destroy();
  });

  it('discarding reads on to the end without handing anything over, so that nothing is reset', async () => {
    const { client, server } = await create();
    const log = new Log(server);
    log.onFrame = () => log.road.discard();
    const peer = new ByteCollector(client);
    client.write(Buffer.concat([fromClient('last'), fromClient('never')]));
    client.write(Buffer.alloc(1_000_000, 0xff));
    client.end();
    expect(await log.until('ended well')).toEqual(['last', 'ended well']);
    log.road.discard();
    log.road.write(text('still'));
    log.road.end();
    expect((await peer.readAll()).length).toBe(7);
    expect(await log.until('gone well')).toEqual(['last', 'ended well', 'gone well']);
  });
});

describe('what comes in', () => {
  it('begins with the head, and keeps its order', async () => {
    const { client, server } = memoryPair();
    const bytes = Buffer.concat(['one', 'two', 'three'].map(fromClient));
    client.write(bytes.subarray(12));
    const log = new Log(server, { head: bytes.subarray(0, 12) });
    expect(await log.until('three')).toEqual(['one', 'two', 'three']);
    expect(log.road.bytesIn).toBe(bytes.length);
    log.road.destroy();
  });

  it('is held back while it is paused, and comes when it is resumed', async () => {
    const { client, server } = memoryPair({ highWaterMark: 64 });
    const log = new Log(server);
    expect(log.road.isPaused).toBe(false);
    log.road.pause();
    let sent = 0;
    for (let i = 0; i < 100; i++)
      client.write(serializeFrame(WsFrame.binary(new Uint8Array(10_000)), { role: 'client' }), () => sent++);
    await turn();
    await turn();
    expect([log.road.isPaused, log.story]).toEqual([true, []]);
    expect(sent).toBeLessThan(20);
    log.onFrame = () => log.story.length === 100 && client.end();
    log.road.resume();
    expect((await log.until('ended well')).length).toBe(101);
    log.road.destroy();
  });

  it('comes in slices where a frame is large, and is judged at its header (§5.4)', async () => {
    const { client, server } = memoryPair();
    const log = new Log(server, { limits: { ...OPTIONS.limits, maxFrameBytes: 200_000 } });
    client.write(serializeFrame(WsFrame.binary(new Uint8Array(200_000)), { role: 'client' }));
    await log.until('frame of 3392');
    expect(log.story.every((event) => Number(event.slice(9)) <= 65_536)).toBe(true);
    client.write(serializeFrame(WsFrame.binary(new Uint8Array(200_001)), { role: 'client' }).subarray(0, 20));
    await log.until('WS_ERR_FRAME_TOO_LARGE');
    log.road.destroy();
  });

  it('that ends inside a frame is told so (§7.1.5)', async () => {
    const { client, server } = memoryPair();
    const log = new Log(server);
    client.end(fromClient('hello').subarray(0, 5));
    expect(await log.until('ended WS_ERR_TRUNCATED')).toEqual(['ended WS_ERR_TRUNCATED']);
    log.road.destroy();
    expect(log.story).toEqual(['ended WS_ERR_TRUNCATED', 'gone well']);
  });

  it('is not lost when the socket goes while it is held back', async () => {
    const { client, server } = memoryPair();
    const log = new Log(server);
    log.road.pause();
    client.write(Buffer.concat([fromClient('one'), fromClient('two')]));
    await turn();
    server.destroy();
    expect(await log.until('gone well')).toEqual(['gone well']);
    log.road.resume();
    expect(await log.until('ended well')).toEqual(['gone well', 'one', 'two', 'ended well']);
  });
});

describe('what goes out', () => {
  it('is counted: what is given to the system, and what is not yet', async () => {
    const { client, server } = memoryPair({ highWaterMark: 16 });
    const { road } = new Log(server);
    const before = road.bytesOut;
    expect(road.write(WsFrame.binary(new Uint8Array(1000)))).toBe(true);
    expect([road.bufferedBytes, road.bytesOut - before]).toEqual([1004, 0]);
    await turn();
    expect([road.bufferedBytes, road.bytesOut - before]).toEqual([1004, 0]);
    const peer = new ByteCollector(client);
    await peer.read(1004);
    await turn();
    expect([road.bufferedBytes, road.bytesOut - before]).toEqual([0, 1004]);
    road.destroy();
  });

  it('says when there is no more room, and when there is again', async () => {
    const { client, server } = memoryPair({ highWaterMark: 16 });
    const log = new Log(server);
    let written = 0;
    while (log.road.write(WsFrame.binary(new Uint8Array(65_536)))) written++;
    expect(written).toBeLessThan(10);
    expect(log.story).toEqual([]);
    client.resume();
    await log.until('drained');
    log.road.destroy();
  });

  it('knows whether a close frame was among it (§5.5.1)', () => {
    const { road } = new Log(plainDuplex());
    road.write(text('a'));
    expect(road.hasSentClose).toBe(false);
    road.write(WsFrame.close(1000));
    expect(road.hasSentClose).toBe(true);
    road.destroy();
  });

  it('is nothing behind the end, nor when all is over', async () => {
    const socket = plainDuplex();
    const { road } = new Log(socket);
    road.write(text('a'));
    road.end();
    road.end();
    expect(road.write(text('b'))).toBe(true);
    await once(socket, 'finish');
    expect(socket.written.length).toBe(3);
    road.destroy();
    expect(road.write(text('c'))).toBe(true);
    road.end();
    road.destroy();
    expect(socket.written.length).toBe(3);
  });
});

describe('an odd Duplex', () => {
  it('whose reading side has ended already ends at once, and can be written', async () => {
    const socket = plainDuplex({ autoDestroy: false });
    socket.push(null);
    await once(socket.resume(), 'end');
    const log = new Log(socket);
    await log.until('ended well');
    log.road.write(text('a'));
    log.road.end();
    expect(await log.until('gone well')).toEqual(['ended well', 'gone well']);
    expect(socket.written.length).toBe(3);
  });

  it('that has ended while it is discarded is at its end', async () => {
    const socket = plainDuplex({ autoDestroy: false });
    socket.push(null);
    await once(socket.resume(), 'end');
    const log = new Log(socket);
    log.road.discard();
    expect(log.story).toEqual(['ended well']);
    log.road.destroy();
    expect(log.story).toEqual(['ended well', 'gone well']);
  });

  it('that is discarded behind its end has ended once', async () => {
    const { client, server } = memoryPair();
    const log = new Log(server);
    client.end(fromClient('last'));
    await log.until('ended well');
    log.road.discard();
    await turn();
    log.road.destroy();
    expect(log.story).toEqual(['last', 'ended well', 'gone well']);
  });

  it('whose writing side somebody else ends is gone: nothing can be answered', async () => {
    const socket = plainDuplex();
    const log = new Log(socket);
    socket.end();
    log.road.write(text('a'));
    await log.until('gone well');
    expect(socket.destroyed).toBe(true);
  });

  it('whose writing side has ended already fails at the first frame, and is gone', async () => {
    const socket = plainDuplex();
    await once(socket.end(), 'finish');
    const log = new Log(socket);
    log.road.write(text('a'));
    await log.until('gone write after end');
    expect(socket.destroyed).toBe(true);
  });

  it('that is destroyed already is gone, a turn later', async () => {
    const socket = plainDuplex();
    socket.destroy();
    const log = new Log(socket);
    expect(log.story).toEqual([]);
    expect((await log.until('gone well'))[0]).toBe('gone well');
    log.road.discard();
    expect(log.road.write(text('a'))).toBe(true);
  });

  it('that was paused is read, behind an empty head too', async () => {
    const { client, server } = memoryPair();
    server.pause();
    const log = new Log(server, { head: new Uint8Array(0) });
    client.write(fromClient('hello'));
    expect(await log.until('hello')).toEqual(['hello']);
    log.road.destroy();
  });

  it.each([
    ['by itself', {}],
    ['not by itself', { autoDestroy: false }],
    ['and never says so', { emitClose: false }],
    ['not by itself, and never says so', { autoDestroy: false, emitClose: false }],
  ])('that errs, and is destroyed %s, is gone with the first error', async (_name, options) => {
    const socket = plainDuplex(options);
    const log = new Log(socket);
    const emit = (message: string): void => void socket.emit('error', new Error(message));
    emit('first');
    emit('second');
    await log.until('gone first');
    await turn();
    expect([log.story.filter((event) => event.startsWith('gone')), socket.destroyed]).toEqual([['gone first'], true]);
  });

  it.each([
    ['does not destroy itself', { autoDestroy: false }],
    ['never says that it has closed', { emitClose: false }],
    ['was not to stay half open', { allowHalfOpen: false }],
  ])('that %s is destroyed when both ways have ended', async (_name, options) => {
    const socket = plainDuplex(options);
    const log = new Log(socket);
    socket.push(fromClient('hello'));
    socket.push(null);
    await log.until('ended well');
    await turn();
    expect([socket.writableEnded, socket.destroyed]).toEqual([false, false]);
    log.road.write(text('answer'));
    log.road.end();
    expect(await log.until('gone well')).toEqual(['hello', 'ended well', 'gone well']);
    expect([socket.destroyed, socket.written.length]).toEqual([true, 8]);
  });

  it('that ends its writing first is destroyed when the peer has ended too', async () => {
    const socket = plainDuplex({ autoDestroy: false });
    const log = new Log(socket);
    log.road.end();
    await once(socket, 'finish');
    await turn();
    expect([log.story, socket.destroyed]).toEqual([[], false]);
    socket.push(null);
    expect(await log.until('gone well')).toEqual(['ended well', 'gone well']);
  });
});

it('is deaf to the errors of a decoder that it has let go', async () => {
  const { client, server } = memoryPair();
  const log = new Log(server);
  // Two ticks later the decoder has failed, and its error is on the way.
  log.onFrame = () => process.nextTick(() => process.nextTick(() => log.road.discard()));
  client.write(Buffer.concat([fromClient('last'), Buffer.from([0xff, 0xff])]));
  await log.until('last');
  for (let i = 0; i < 3; i++) await turn();
  expect(log.story).toEqual(['last']);
  log.road.destroy();
});
