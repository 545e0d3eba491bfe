import { describe, expect, it } from 'vitest';
import { MessageIterator, type MessagesOptions } from '../../../lib/connection/reading/message-iterator.ts';
import type { WsMessage } from '../../../lib/connection/reading/ws-message.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { turns } from '../../support/naive-peer.ts';
import { outcome } from '../../support/outcome.ts';
import { FakeSource, first, last, more } from '../../support/piece-source.ts';

function iterating(onAbandoned: NonNullable<MessagesOptions['onAbandoned']> = 'discard', maxMessageBytes = 1000) {
  const source = new FakeSource();
  const iterator = new MessageIterator(source, { maxMessageBytes, onAbandoned });
  const next = async (): Promise<WsMessage> => (await iterator.next()).value;
  return { source, iterator, next };
}

/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  await turns(2);
  return Promise.race([promise.then(() => true), Promise.resolve(false)]);
}

describe('a message', () => {
  it.each([
    [1, 'text'],
    [2, 'binary'],
  ] as const)(
    'is offered at its first frame (opcode %i: %s), and read as it comes (§5.4, §5.6)',
    async (opcode, type) => {
      const { source, next } = iterating();
      const offered = next();
      expect(await isSettled(offered)).toBe(false);
      source.deliver(first('a', opcode));
      const message = await offered;
      expect(message.type).toBe(type);
      const text = message.text();
      source.deliver(more(''), WsFrame.ping(), more('b'), last(''));
      expect(await text).toBe('ab');
    },
  );

  it('of nothing is offered too', async () => {
    const { source, next } = iterating();
    source.deliver(first(''), last(''), WsFrame.binary(new Uint8Array(0)));
    expect(await (await next()).text()).toBe('');
    expect(await (await next()).bytes()).toHaveLength(0);
  });

  it('is taken no further than its buffer reaches where nobody reads it', async () => {
    const { source, next } = iterating('discard', Number.POSITIVE_INFINITY);
    source.deliver(first('x'), ...Array.from({ length: 50 }, () => more('x'.repeat(10_000))));
    const message = await next();
    await turns();
    expect(message.readableLength).toBeLessThan(message.readableHighWaterMark + 10_001);
    expect(source.queue.length).toBeGreaterThan(40);
    message.resume();
    await turns();
    expect(source.queue).toEqual([]);
    message.destroy();
  });

  it('does not hold back the chunks of which it is a small part', async () => {
    const { source, next } = iterating();
    const chunk = new Uint8Array(65_536).fill(97);
    source.deliver(new WsFrame(2, chunk.subarray(7, 8), { isFinal: false }), last(''));
    const bytes = await (await next()).bytes();
    expect(Buffer.from(bytes).toString()).toBe('a');
    expect(bytes.buffer).not.toBe(chunk.buffer);
  });
});

describe('the next message', () => {
  it('is not offered before the last one is read to its end', async () => {
    const { source, next } = iterating();
    source.deliver(first('a'));
    const one = await next();
    one.read();
    const two = next();
    source.deliver(last('b'), WsFrame.text('c'));
    expect(await isSettled(two)).toBe(false);
    expect(await one.text()).toBe('b');
    expect(await (await two).text()).toBe('c');
  });

  it('is not offered before the last one is destroyed', async () => {
    const { source, next } = iterating();
    source.deliver(first('a'));
    const one = await next();
    one.on('data', () => {});
    const two = next();
    await turns();
    one.destroy();
    source.deliver(more('b'), last('c'), WsFrame.text('d'));
    expect(await (await two).text()).toBe('d');
    expect(source.story).toEqual(['skip']);
  });

  it('is offered where nobody has begun to read the last one, which is passed over', async () => {
    const { source, next } = iterating();
    source.deliver(first('a'));
    const one = await next();
    const two = next();
    source.deliver(last('b'), WsFrame.text('c'));
    expect(await (await two).text()).toBe('c');
    expect([one.destroyed, one.errored]).toEqual([true, null]);
  });

  it.each(['listens', 'pipes', 'iterates', 'text()'])('waits for who %s without waiting itself', async (how) => {
    const { source, next } = iterating();
    source.deliver(first('a'));
    const one = await next();
    const pieces: unknown[] = [];
    if (how === 'listens') one.on('readable', () => pieces.push(one.read()));
    else if (how === 'pipes') one.on('data', (piece) => pieces.push(piece));
    else if (how === 'iterates') void outcome(one[Symbol.asyncIterator]().next());
    else void outcome(one.text());
    const two = next();
    expect([await isSettled(two), one.destroyed]).toEqual([false, false]);
    one.destroy();
    source.deliver(last('b'), WsFrame.text('c'));
    expect(await (await two).text()).toBe('c');
  });

  it('goes to each of those who ask at once, in their order', async () => {
    const { source, next } = iterating();
    const three = [next(), next(), next()];
    source.deliver(WsFrame.text('a'), WsFrame.text('b'), first('c'), last('d'));
    const texts = await Promise.all(three.slice(2).map(async (message) => (await message).text()));
    // The first two were passed over by those who asked for what comes behind them.
    expect([texts, (await three[0]!).destroyed, (await three[1]!).destroyed]).toEqual([['cd'], true, true]);
  });
});

describe('onAbandoned', () => {
  const cases = ['destroyed', 'passed over', 'left'] as const;

  it.each(cases)("'discard': the rest of a message that is %s is thrown away, once", async (how) => {
    const { source, iterator, next } = iterating();
    source.deliver(first('a'));
    const message = await next();
    if (how === 'destroyed') message.destroy();
    else if (how === 'passed over') void next();
    else await iterator.return();
    await turns();
    message.destroy();
    expect(source.story).toEqual(how === 'left' ? ['skip', 'unlock'] : ['skip']);
    await iterator.return();
  });

  it.each(cases.flatMap((how) => [true, false].map((isWhole) => ({ how, isWhole }))))(
    "'close': closes for a message that is $how, whether or not all of it has come ($isWhole)",
    async ({ how, isWhole }) => {
      const { source, iterator, next } = iterating('close');
      source.deliver(first('a'), ...(isWhole ? [last('b')] : []));
      const message = await next();
      if (how === 'destroyed') message.destroy();
      else if (how === 'passed over') void next();
      else await iterator.return();
      await turns();
      message.destroy();
      await iterator.return();
      expect(source.story.filter((what) => what === 'close')).toEqual(['close']);
    },
  );

  it("'close': does not close for one that was read to its end, nor for one that was cut", async () => {
    const { source, iterator, next } = iterating('close');
    source.deliver(first('a'), last('b'), first('c'));
    expect(await (await next()).text()).toBe('ab');
    const cut = outcome((await next()).text());
    source.deliver(null);
    expect(await cut).toBe(source.error);
    await iterator.return();
    expect(source.story).toEqual(['unlock']);
  });
});

describe('leaving the loop', () => {
  it('unlocks once, and gives done from then on', async () => {
    const { source, iterator } = iterating();
    expect(await iterator.return()).toEqual({ value: undefined, done: true });
    await iterator.return();
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
    expect(source.story).toEqual(['unlock']);
  });

  it('ends those who wait: for a message to come, or for one to be read', async () => {
    const { source, iterator, next } = iterating();
    const waiting = [iterator.next(), iterator.next()];
    await turns(1);
    await iterator.return();
    expect(await Promise.all(waiting)).toEqual([
      { value: undefined, done: true },
      { value: undefined, done: true },
    ]);
    expect([source.readers, await next()]).toEqual([[], undefined]);
  });

  it('destroys the message that is being read, and ends who waits behind it', async () => {
    const { source, iterator, next } = iterating();
    source.deliver(first('a'));
    const message = await next();
    message.on('data', () => {});
    const waiting = iterator.next();
    await turns();
    await iterator.return();
    expect([await waiting, message.destroyed, source.story]).toEqual([
      { value: undefined, done: true },
      true,
      ['skip', 'unlock'],
    ]);
  });

  it('happens at the end of an `await using`', async () => {
    const { source, iterator } = iterating();
    await iterator[Symbol.asyncDispose]();
    expect([iterator[Symbol.asyncIterator](), source.story]).toEqual([iterator, ['unlock']]);
  });
});

describe('the end', () => {
  it.each(['before', 'while'])('ends the loop and unlocks; it comes %s somebody waits', async (when) => {
    const { source, iterator } = iterating();
    if (when === 'before') source.deliver(null);
    const result = iterator.next();
    await turns(1);
    if (when === 'while') source.deliver(null);
    expect([await result, await iterator.next()]).toEqual([
      { value: undefined, done: true },
      { value: undefined, done: true },
    ]);
    await iterator.return();
    expect(source.story).toEqual(['unlock']);
  });

  it('inside a message is an error of that message, once, and needs no listener', async () => {
    const { source, next } = iterating();
    source.deliver(first('a'));
    const message = await next();
    const errors: Error[] = [];
    message.on('error', (error) => errors.push(error)).resume();
    await turns();
    source.deliver(null);
    await turns();
    expect([errors, await next()]).toEqual([[source.error], undefined]);
  });

  it('behind a message leaves it to be read', async () => {
    const { source, next } = iterating();
    source.deliver(first('a'), last('b'), null);
    const message = await next();
    await turns();
    expect([await message.text(), await next()]).toEqual(['ab', undefined]);
  });

  it('is what becomes of a message that is too large (§10.4)', async () => {
    const { source, next } = iterating('discard', 3);
    source.deliver(first('ab'), last('cd'));
    expect(await outcome((await next()).text())).toMatchObject({ code: 'WS_ERR_MESSAGE_TOO_LARGE', closeCode: 1009 });
    expect(await next()).toBeUndefined();
  });
});
