import { beforeEach, describe, expect, it } from 'vitest';
import type { Road } from '../../../lib/connection/road/road.ts';
import { Outbox, type OutboxJob, wireLength } from '../../../lib/connection/writing/outbox.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { serializeFrame } from '../../../lib/protocol/frame-serializer.ts';
import { WS_OPCODE_BINARY, WS_OPCODE_CONTINUATION } from '../../../lib/protocol/opcode.ts';
import { WS_MAX_FRAME_SIZE } from '../../../lib/protocol/sizes.ts';
import { pattern } from '../../vectors/frames.ts';

/** A road that notes what is written, and has room for so many frames. */
class FakeRoad {
  readonly written: WsFrame[] = [];
  room = Number.POSITIVE_INFINITY;

  write(frame: WsFrame): boolean {
    this.written.push(frame);
    return --this.room > 0;
  }

  /** What was written, as text for small frames and as a length for large ones. */
  get story(): string[] {
    return this.written.map(({ payload }) =>
      payload.length > 100 ? String(payload.length) : `${Buffer.from(payload)}`,
    );
  }
}

let road: FakeRoad;
let outbox: Outbox;
let settled: string[];

beforeEach(() => {
  road = new FakeRoad();
  outbox = new Outbox(road as unknown as Road);
  settled = [];
});

const settleAs = (name: string) => (isWritten: boolean) => void settled.push(`${name} ${isWritten}`);
const send = (text: string) => outbox.send(WsFrame.text(text), settleAs(text));

function drainWith(room: number): void {
  road.room = room;
  outbox.drained();
}

describe('fragments (§5.4)', () => {
  const sizes = [0, 1, WS_MAX_FRAME_SIZE - 1, WS_MAX_FRAME_SIZE, WS_MAX_FRAME_SIZE + 1, 2 * WS_MAX_FRAME_SIZE, 200_000];

  it.each(sizes)('a message of %i bytes leaves whole, in fragments of at most WS_MAX_FRAME_SIZE', (size) => {
    const payload = pattern(size);
    outbox.send(WsFrame.binary(payload), settleAs('message'));
    const frames = road.written;
    expect(frames.length).toBe(Math.max(1, Math.ceil(size / WS_MAX_FRAME_SIZE)));
    expect(frames.map(({ opcode }) => opcode)).toEqual(
      frames.map((_, i) => (i === 0 ? WS_OPCODE_BINARY : WS_OPCODE_CONTINUATION)),
    );
    expect(frames.map(({ isFinal }) => isFinal)).toEqual(frames.map((_, i) => i === frames.length - 1));
    expect(Buffer.concat(frames.map((frame) => frame.payload)).equals(payload)).toBe(true);
    expect([settled, outbox.bytes]).toEqual([['message true'], 0]);
  });

  it('carry what was asked of the message: to compress it or not', () => {
    for (const compress of [true, false]) {
      outbox.send(
        new WsFrame(WS_OPCODE_BINARY, new Uint8Array(WS_MAX_FRAME_SIZE + 1), { compress }),
        settleAs('large'),
      );
    }
    expect(road.written.map((frame) => frame.compress)).toEqual([true, true, false, false]);
  });

  it('of the caller that are too long themselves stay unfinished to the end', () => {
    const first = new WsFrame(WS_OPCODE_BINARY, new Uint8Array(WS_MAX_FRAME_SIZE + 1), { isFinal: false, rsv: 4 });
    outbox.send(first, settleAs('first'));
    outbox.send(new WsFrame(WS_OPCODE_CONTINUATION, new Uint8Array(WS_MAX_FRAME_SIZE + 1)), settleAs('last'));
    expect(road.written.map(({ opcode, isFinal, rsv }) => [opcode, isFinal, rsv])).toEqual([
      [WS_OPCODE_BINARY, false, 4],
      [WS_OPCODE_CONTINUATION, false, 0],
      [WS_OPCODE_CONTINUATION, false, 0],
      [WS_OPCODE_CONTINUATION, true, 0],
    ]);
  });

  it('are views of the message, and are cut only as there is room for them', () => {
    const message = WsFrame.binary(new Uint8Array(3 * WS_MAX_FRAME_SIZE));
    road.room = 2;
    outbox.send(message, settleAs('message'));
    expect([road.written.length, outbox.bytes, settled]).toEqual([2, WS_MAX_FRAME_SIZE, []]);
    expect(road.written.every(({ payload }) => payload.buffer === message.payload.buffer)).toBe(true);
    drainWith(2);
    expect([road.written.length, outbox.bytes, settled]).toEqual([3, 0, ['message true']]);
  });

  it('let a control frame between (§5.4, §5.5)', () => {
    road.room = 1;
    outbox.send(WsFrame.binary(new Uint8Array(2 * WS_MAX_FRAME_SIZE)), settleAs('message'));
    outbox.sendNow(WsFrame.ping('ping'));
    drainWith(9);
    expect(road.story).toEqual(['65536', 'ping', '65536']);
  });
});

describe('order', () => {
  it('is that in which messages were accepted, with room or without', () => {
    road.room = 2;
    for (const text of ['a', 'b', 'c', 'd']) send(text);
    expect(road.story).toEqual(['a', 'b']);
    drainWith(1);
    drainWith(9);
    expect(road.story).toEqual(['a', 'b', 'c', 'd']);
    expect(settled).toEqual(['a true', 'b true', 'c true', 'd true']);
  });

  it('holds for what is sent by those that are told', () => {
    road.room = 1;
    outbox.send(WsFrame.text('a'), () => send('c'));
    send('b');
    drainWith(9);
    expect(road.story).toEqual(['a', 'b', 'c']);
  });
});

describe('room', () => {
  it('settles a message at once where there is more of it', () => {
    send('a');
    expect([settled, outbox.isIdle]).toEqual([['a true'], true]);
  });

  it('settles the message that took the last of it when there is more', () => {
    road.room = 1;
    send('a');
    expect([road.story, settled, outbox.isIdle]).toEqual([['a'], [], false]);
    drainWith(9);
    expect([settled, outbox.isIdle]).toEqual([['a true'], true]);
  });

  it('is told to who asks, when it is there', () => {
    road.room = 1;
    expect(outbox.sendNow(WsFrame.text('a'))).toBe(false);
    outbox.whenRoom(settleAs('waiter'));
    expect([settled, outbox.isIdle]).toEqual([[], false]);
    drainWith(9);
    expect(settled).toEqual(['waiter true']);
  });

  it('does not come back with a control frame that still fits', () => {
    road.room = 1;
    outbox.sendNow(WsFrame.ping());
    road.room = 9;
    expect(outbox.sendNow(WsFrame.ping())).toBe(true);
    expect(outbox.isIdle).toBe(false);
    outbox.drained();
    expect(outbox.isIdle).toBe(true);
  });

  it('counts the payload that waits', () => {
    road.room = 0;
    outbox.sendNow(WsFrame.ping());
    send('12345');
    send('123');
    expect(outbox.bytes).toBe(8);
    drainWith(1);
    expect(outbox.bytes).toBe(3);
  });
});

describe('cancel', () => {
  beforeEach(() => {
    road.room = 1;
    send('first');
  });

  it('takes back a message of which nothing has left, and settles nothing', () => {
    const [b, c] = [send('b'), send('c')];
    expect([outbox.cancel(b), outbox.bytes]).toEqual([true, 1]);
    drainWith(9);
    expect([road.story, settled]).toEqual([
      ['first', 'c'],
      ['first true', 'c true'],
    ]);
    expect([outbox.cancel(b), outbox.cancel(c)]).toEqual([false, false]);
  });

  it('takes back the one at the head, of which nothing has left either', () => {
    const b = send('b');
    expect([outbox.cancel(b), outbox.bytes, outbox.cancel(b)]).toEqual([true, 0, false]);
    drainWith(9);
    expect(road.story).toEqual(['first']);
  });

  it('leaves alone what has begun to leave: half a message is none (§5.4)', () => {
    const job = outbox.send(WsFrame.binary(new Uint8Array(2 * WS_MAX_FRAME_SIZE)), settleAs('large'));
    drainWith(1);
    expect(outbox.cancel(job)).toBe(false);
    drainWith(9);
    expect([road.story, settled]).toEqual([
      ['first', '65536', '65536'],
      ['first true', 'large true'],
    ]);
  });
});

/** A message that is written bit by bit. */
class Message implements OutboxJob {
  readonly parts: string[] = [];
  isOpen = true;
  hasBegun = false;
  isDone = false;
  readonly bytes = 3;

  next(): WsFrame | undefined {
    const part = this.parts.shift();
    if (part === undefined && this.isOpen) return undefined;
    this.isDone = part === undefined;
    const opcode = this.hasBegun ? WS_OPCODE_CONTINUATION : WS_OPCODE_BINARY;
    this.hasBegun = true;
    return new WsFrame(opcode, Buffer.from(part ?? ''), { isFinal: this.isDone });
  }

  takeSettle(): undefined {}

  roadClosed(): void {
    settled.push('message closed');
  }
}

describe('a message that is written bit by bit', () => {
  it('leaves as it comes, and what stands behind it waits for its end', () => {
    const message = new Message();
    outbox.add(message);
    send('behind');
    expect([road.story, outbox.isIdle, outbox.hasOpenMessage, outbox.bytes]).toEqual([[], false, true, 9]);
    message.parts.push('a', 'b');
    outbox.advance();
    expect(road.story).toEqual(['a', 'b']);
    message.isOpen = false;
    outbox.advance();
    expect([road.story, settled, outbox.hasOpenMessage]).toEqual([['a', 'b', '', 'behind'], ['behind true'], false]);
  });

  it('is taken back where nothing of it has left, and what stood behind it goes', () => {
    const message = new Message();
    outbox.add(message);
    send('behind');
    expect([outbox.cancel(message), road.story, outbox.cancel(message)]).toEqual([true, ['behind'], false]);
  });

  it('is told of the end of the road', () => {
    outbox.add(new Message());
    send('behind');
    outbox.close();
    expect(settled).toEqual(['message closed', 'behind false']);
  });
});

describe('sendLast', () => {
  it('sends behind what is there, and does not wait for a message that is open, nor for what stands behind it', () => {
    road.room = 1;
    send('a');
    send('b');
    outbox.add(new Message());
    send('c');
    outbox.sendLast(WsFrame.close(1002), settleAs('last'));
    expect(settled).toEqual(['message closed', 'c false']);
    drainWith(9);
    expect(road.written.map(({ opcode }) => opcode)).toEqual([1, 1, 8]);
    expect(settled.slice(2)).toEqual(['a true', 'b true', 'last true']);
  });

  it('waits for a message that is whole', () => {
    road.room = 1;
    send('a');
    const message = new Message();
    message.isOpen = false;
    message.parts.push('b');
    outbox.add(message);
    outbox.sendLast(WsFrame.close(1002), settleAs('last'));
    drainWith(9);
    expect(road.story.slice(0, 3)).toEqual(['a', 'b', '']);
    expect([road.written.at(-1)?.opcode, settled.at(-1)]).toEqual([8, 'last true']);
  });
});

describe('close', () => {
  it('settles with false whatever waits, in order, once, and holds nothing more', () => {
    road.room = 1;
    for (const text of ['a', 'b', 'c']) send(text);
    outbox.whenRoom(settleAs('waiter'));
    outbox.close();
    expect([settled, outbox.bytes]).toEqual([['a false', 'waiter false', 'b false', 'c false'], 0]);
    outbox.close();
    drainWith(9);
    expect([settled.length, road.story]).toEqual([4, ['a']]);
  });

  it('may be called by what it settles', () => {
    road.room = 0;
    outbox.sendNow(WsFrame.ping());
    outbox.send(WsFrame.text('a'), (isWritten) => {
      settled.push(`a ${isWritten}`);
      outbox.close();
    });
    send('b');
    outbox.close();
    expect(settled).toEqual(['a false', 'b false']);
  });
});

describe('wireLength', () => {
  const edges = [125, 126, 127, 65_535, 65_536, 65_537, 65_661, 65_662, 131_071, 131_072, 131_073, 196_608, 200_000];

  it.each([0, 1, 124, ...edges])('of %i bytes is what the frames take, in both roles (§5.2)', (size) => {
    outbox.send(WsFrame.binary(new Uint8Array(size)), () => {});
    for (const role of ['client', 'server'] as const) {
      const wire = road.written.reduce((sum, frame) => sum + serializeFrame(frame, { role }).length, 0);
      expect(wireLength(size, role === 'client')).toBe(wire);
    }
  });
});
