import { once } from 'node:events';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Road } from '../../../lib/connection/road/road.ts';
import { Outbox } from '../../../lib/connection/writing/outbox.ts';
import { OutgoingMessage } from '../../../lib/connection/writing/outgoing-message.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { WS_MAX_FRAME_SIZE } from '../../../lib/protocol/sizes.ts';
import { turns } from '../../support/naive-peer.ts';
import { outcome } from '../../support/outcome.ts';
import { pattern } from '../../vectors/frames.ts';

const over = new Error('over');
let written: WsFrame[];
let room: number;
let outbox: Outbox;
let abandoned: unknown[];
let held: number;

beforeEach(() => {
  written = [];
  room = Number.POSITIVE_INFINITY;
  abandoned = [];
  held = 0;
  const write = (frame: WsFrame): boolean => written.push(frame) > 0 && --room > 0;
  outbox = new Outbox({ write } as unknown as Road);
});

function create(type: 'text' | 'binary' = 'text'): OutgoingMessage {
  const message = new OutgoingMessage(type, {
    advance: () => outbox.advance(),
    abandon: (job, hasBegun, error) => {
      abandoned.push([hasBegun, error]);
      if (!hasBegun) outbox.cancel(job);
    },
    endError: () => over,
    hold: (bytes) => void (held += bytes),
    overflows: () => false,
  });
  outbox.add(message);
  return message;
}

function drainWith(more: number): void {
  room = more;
  outbox.drained();
}

const story = (): string[] =>
  written.map(
    ({ opcode, isFinal, payload }) =>
      `${opcode}${isFinal ? '!' : ''} ${payload.length > 100 ? payload.length : Buffer.from(payload)}`,
  );

describe('what leaves (§5.4)', () => {
  it('begins with the opcode of its type, goes on with continuations, and ends with FIN', async () => {
    const message = create('binary');
    message.write('a');
    message.write(Buffer.from('b'));
    message.write(new Uint8Array([99]));
    message.end('d');
    await finished(message);
    expect(story()).toEqual(['2 a', '0 b', '0 c', '0 d', '0! ']);
    expect([message.isDone, message.hasBegun, message.bytes, abandoned]).toEqual([true, true, 0, []]);
  });

  it('is one empty frame for a message of nothing; empty writes make no fragments', async () => {
    await finished(create().end());
    const message = create('binary');
    message.write('');
    message.write(new Uint8Array(0));
    expect(message.hasBegun).toBe(false);
    await finished(message.end());
    expect(story()).toEqual(['1! ', '2! ']);
  });

  it('is written while it is made, in fragments of at most WS_MAX_FRAME_SIZE', async () => {
    const bytes = pattern(2 * WS_MAX_FRAME_SIZE + 1);
    const message = create('binary');
    message.write(bytes);
    expect(story()).toEqual(['2 65536', '0 65536', expect.stringMatching(/^0 /)]);
    await finished(message.end());
    expect(Buffer.concat(written.map(({ payload }) => payload)).equals(bytes)).toBe(true);
  });

  it('takes strings in the encoding that is named', async () => {
    const message = create();
    message.write('c3a9', 'hex');
    await finished(message.end('4oKs', 'base64'));
    expect(Buffer.concat(written.map(({ payload }) => payload)).toString()).toBe('é€');
  });

  it('stands before what is sent after it, and control frames slip between', async () => {
    const message = create();
    outbox.send(WsFrame.text('behind'), () => {});
    message.write('a');
    outbox.sendNow(WsFrame.ping('p'));
    await finished(message.end('b'));
    expect(story()).toEqual(['1 a', '9! p', '0 b', '0! ', '1! behind']);
  });
});

describe('backpressure', () => {
  it('holds the write until there is room, and counts what waits', async () => {
    room = 1;
    const message = create('binary');
    let isWritten = false;
    message.write(new Uint8Array(3 * WS_MAX_FRAME_SIZE), () => {
      isWritten = true;
    });
    await turns(1);
    expect([written.length, message.bytes, isWritten, message.writableNeedDrain]).toEqual([1, 131_072, false, true]);
    drainWith(2);
    await turns(1);
    expect([written.length, message.bytes, isWritten]).toEqual([3, 0, false]);
    drainWith(9);
    if (message.writableNeedDrain) await once(message, 'drain');
    expect(isWritten).toBe(true);
    await finished(message.end());
  });

  it('holds the end until its frame is written and there is room', async () => {
    room = 1;
    const message = create();
    message.end();
    await turns(1);
    expect([story(), message.writableFinished]).toEqual([['1! '], false]);
    drainWith(9);
    await finished(message);
  });

  it('lets a message wait for its turn', async () => {
    const [one, two] = [create(), create()];
    two.end('b');
    await turns(1);
    expect(written).toEqual([]);
    one.end('a');
    await Promise.all([finished(one), finished(two)]);
    expect(story()).toEqual(['1 a', '0! ', '1 b', '0! ']);
  });
});

describe('a text message (§5.6, §8.1)', () => {
  it('may be cut inside a character', async () => {
    const message = create();
    message.write(Buffer.of(0xe2, 0x82));
    await finished(message.end(Buffer.of(0xac)));
    expect(Buffer.concat(written.map(({ payload }) => payload)).toString()).toBe('€');
  });

  it.each([
    ['is not UTF-8', [Buffer.of(0xff)], false],
    ['is not UTF-8 further on', [Buffer.from('a'), Buffer.of(0xff)], true],
    ['breaks off inside a character', [Buffer.of(0xe2, 0x82)], true],
    ['is a surrogate', [Buffer.of(0xed, 0xa0, 0x80)], false],
  ])('that %s fails with a TypeError and is abandoned', async (_what, chunks, hasBegun) => {
    const message = create();
    for (const chunk of chunks) message.write(chunk);
    message.end();
    const error = await outcome(finished(message));
    expect(error).toBeInstanceOf(TypeError);
    expect(abandoned).toEqual([[hasBegun, error]]);
    expect(written.some(({ isFinal }) => isFinal)).toBe(false);
  });

  it('is no matter of a binary one', async () => {
    await finished(create('binary').end(Buffer.of(0xff, 0xe2)));
    expect(story().length).toBe(2);
  });

  it.each([[null], [7], [{}]])('takes neither %j', (chunk) => {
    expect(() => create().write(chunk)).toThrow(TypeError);
  });
});

describe('destroying it', () => {
  it('before anything has left takes it back; a write that waits gets an error', async () => {
    room = 1;
    outbox.sendNow(WsFrame.ping('p'));
    const message = create();
    const writing = new Promise((resolve) => void message.write('never', resolve));
    outbox.send(WsFrame.text('next'), () => {});
    message.destroy();
    expect(await writing).toBeInstanceOf(Error);
    drainWith(9);
    expect([story(), abandoned]).toEqual([['9! p', '1! next'], [[false, null]]]);
  });

  it('half way abandons it, once, with the error', async () => {
    const message = create();
    message.write('a');
    message.destroy(over);
    message.destroy(new Error('again'));
    await turns(1);
    expect(abandoned).toEqual([[true, over]]);
  });

  it('makes it give no more fragments', () => {
    room = 1;
    const message = create('binary');
    message.write(new Uint8Array(3 * WS_MAX_FRAME_SIZE));
    message.destroy();
    drainWith(9);
    expect(written.length).toBe(1);
  });

  it('after its end is nothing', async () => {
    const message = create();
    message.end('a');
    await finished(message);
    message.destroy();
    expect(abandoned).toEqual([]);
  });

  it('by the source of a pipeline abandons it', async () => {
    const broken = Readable.from(
      (async function* () {
        yield 'a';
        throw over;
      })(),
    );
    expect(await outcome(pipeline(broken, create()))).toBe(over);
    expect(abandoned).toEqual([[true, over]]);
  });
});

describe('the end of the road', () => {
  it('is an error for the write that waits and for the message, once; nobody need listen', async () => {
    room = 1;
    const message = create();
    const writing = new Promise((resolve) => void message.write('a', resolve));
    const errors: unknown[] = [];
    message.on('error', (error) => errors.push(error));
    outbox.close();
    expect(await writing).toBe(over);
    await turns(1);
    expect([errors, message.destroyed, abandoned]).toEqual([[over], true, []]);
  });

  it('destroys a message of which nothing waits', async () => {
    const message = create();
    outbox.close();
    await turns(1);
    expect([message.destroyed, message.errored, abandoned]).toEqual([true, over, []]);
    expect(await new Promise((resolve) => void message.write('late', resolve))).toBeInstanceOf(Error);
  });

  it('is an error for the end that waits', async () => {
    room = 1;
    const message = create();
    const ending = outcome(finished(message.end()));
    await turns(1);
    outbox.close();
    expect(await ending).toBe(over);
  });
});

describe('what waits', () => {
  it('is counted while it stands in the queue, and no longer', async () => {
    room = 1;
    const message = create('binary');
    for (const text of ['abc', 'de', 'f']) message.write(text);
    // The first has left, but there is no room for more yet: it is not settled.
    expect(held).toBe(6 + 2 * 192);
    drainWith(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(held).toBe(1);
    drainWith(10);
    await finished(message.end());
    expect(held).toBe(0);
  });

  it('is given back where the message is given up', () => {
    room = 1;
    const message = create('binary');
    for (const text of ['abc', 'de', 'f']) message.write(text);
    message.destroy();
    expect(held).toBe(0);
  });
});
