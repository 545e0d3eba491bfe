import { describe, expect, it } from 'vitest';
import { PieceReader } from '../../../lib/connection/reading/piece-reader.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { announcing, FakeSource, first, last, more } from '../../support/piece-source.ts';

/** A reader that notes what it hands out, and wants so many pieces. */
function reading(maxMessageBytes = Number.POSITIVE_INFINITY) {
  const source = new FakeSource();
  const got: string[] = [];
  const bench = { source, got, wanted: 99, reader: undefined as unknown as PieceReader };
  bench.reader = new PieceReader(source, maxMessageBytes, {
    piece: (frame) => {
      got.push(frame.payloadText());
      return --bench.wanted > 0;
    },
    ended: () => void got.push('ended'),
  });
  return bench;
}

describe('pull', () => {
  it('hands out what is there and then what comes, unassembled (§5.4)', () => {
    const { source, got, reader } = reading();
    source.deliver(first('a'), more('b'));
    reader.pull();
    expect(got).toEqual(['a', 'b']);
    source.deliver(last('c'), WsFrame.text('d'));
    expect(got).toEqual(['a', 'b', 'c', 'd']);
  });

  it('takes no more than is wanted, and goes on when it is asked again', () => {
    const bench = reading();
    bench.wanted = 1;
    bench.source.deliver(first('a'), more('b'));
    bench.reader.pull();
    expect([bench.got, bench.source.queue.length, bench.source.readers.length]).toEqual([['a'], 1, 0]);
    bench.wanted = 2;
    bench.reader.pull();
    bench.source.deliver(last('c'));
    expect([bench.got, bench.source.readers.length]).toEqual([['a', 'b', 'c'], 0]);
  });

  it('waits once, however often it is asked', () => {
    const { source, got, reader } = reading();
    for (let i = 0; i < 3; i++) reader.pull();
    expect(source.readers.length).toBe(1);
    source.deliver(WsFrame.text('a'));
    expect(got).toEqual(['a']);
  });

  it('may be called by who gets a piece', () => {
    const source = new FakeSource();
    const got: string[] = [];
    const reader: PieceReader = new PieceReader(source, 9, {
      piece: (frame) => {
        reader.pull();
        return got.push(frame.payloadText()) < 3;
      },
      ended: () => {},
    });
    source.deliver(first('a'), more('b'), last('c'));
    reader.pull();
    expect(got).toEqual(['a', 'b', 'c']);
  });

  it('passes over control frames, which have been handled', () => {
    const { source, got, reader } = reading();
    source.deliver(WsFrame.ping('x'), WsFrame.text('a'), WsFrame.close(1000));
    reader.pull();
    source.deliver(WsFrame.pong('y'), WsFrame.text('b'));
    expect(got).toEqual(['a', 'b']);
  });
});

describe('the end', () => {
  it.each(['before', 'after'])('is told once; it comes %s the reader waits', (when) => {
    const { source, got, reader } = reading();
    if (when === 'before') source.deliver(null);
    reader.pull();
    if (when === 'after') source.deliver(null);
    reader.pull();
    expect([got, source.readers.length]).toEqual([['ended'], 0]);
  });

  it('is not told to who has stopped, and what comes then is left to others', () => {
    const { source, got, reader } = reading();
    reader.pull();
    reader.stop();
    source.deliver(WsFrame.text('a'), null);
    reader.pull();
    expect([got, source.queue.length]).toEqual([[], 2]);
  });
});

describe('maxMessageBytes (§10.4)', () => {
  it('is inclusive, and counts anew for each message', () => {
    const { source, got, reader } = reading(4);
    source.deliver(first('ab'), last('cd'), WsFrame.text('efgh'), first(''), last('ijkl'));
    reader.pull();
    expect([got, source.story]).toEqual([['ab', 'cd', 'efgh', '', 'ijkl'], []]);
  });

  it.each([
    ['a whole frame', [WsFrame.text('abcde')], []],
    ['a fragment that goes beyond it', [first('abcd'), last('e')], ['abcd']],
    ['what a header announces', [announcing('a', 4)], []],
    ['what a header announces inside a message', [first('ab'), announcing('c', 2)], ['ab']],
  ])('fails for %s, and hands out nothing behind it', (_what, frames, before) => {
    const { source, got, reader } = reading(4);
    source.deliver(...frames, last(''), WsFrame.text('z'));
    reader.pull();
    expect([got, source.story.at(0)]).toEqual([[...before, 'ended'], 'WS_ERR_MESSAGE_TOO_LARGE']);
  });

  it('tells in its error how large the message is at least', () => {
    const { source, reader } = reading(4);
    source.deliver(announcing('a', 1000));
    reader.pull();
    expect(source.error.message).toContain('1001 bytes');
  });

  it('begins anew behind a message of which the rest is thrown away', () => {
    const { source, got, reader } = reading(4);
    source.deliver(first('abc'));
    reader.pull();
    source.skipMessage();
    reader.skipMessage();
    source.deliver(last('def'), WsFrame.text('ghij'));
    expect(got).toEqual(['abc']);
    reader.pull();
    expect([got, source.story]).toEqual([['abc', 'ghij'], ['skip']]);
  });
});
