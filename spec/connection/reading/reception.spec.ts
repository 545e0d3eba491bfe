import { describe, expect, it } from 'vitest';
import { Reception, type ReceptionHandlers, type ReceptionOptions } from '../../../lib/connection/reading/reception.ts';
import type { ProtocolError } from '../../../lib/errors.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { WS_OPCODE_CONTINUATION, WS_OPCODE_TEXT } from '../../../lib/protocol/opcode.ts';

const shown = (frame: WsFrame | null | undefined): string =>
  frame ? (frame.isControl() ? `<${frame.opcode}>` : frame.payloadText()) : String(frame);

/** A stream and a connection that only note what they are told. */
class Log implements ReceptionHandlers {
  readonly story: string[] = [];
  readonly reception: Reception;
  /** How many messages the stream wants. */
  wanted = 0;
  isAsking = false;
  lastFrame: WsFrame | undefined;

  constructor(options?: Partial<ReceptionOptions>) {
    this.reception = new Reception({ maxMessageBytes: 100, maxBufferedBytes: 1_000_000, ...options }, this, true);
  }

  pushMessage(frame: WsFrame): boolean {
    this.story.push(`pushed ${shown(frame)}`);
    return --this.wanted > 0;
  }

  isStreamAsking(): boolean {
    return this.isAsking;
  }

  violated(error: ProtocolError): void {
    this.story.push(error.code);
    this.reception.finish();
  }

  updateFlow(): void {
    this.story.push('room');
  }

  endReached(): WsFrame | undefined {
    this.story.push('reached');
    return this.lastFrame;
  }

  readingFinished(): void {
    this.story.push('finished');
  }

  /** Waits, and notes what it gets. */
  wait(name: string): () => void {
    return this.reception.wait((frame) => this.story.push(`${name} got ${shown(frame)}`));
  }

  deliver(...frames: readonly (string | WsFrame)[]): void {
    for (const frame of frames) this.reception.deliver(typeof frame === 'string' ? WsFrame.text(frame) : frame);
  }

  take(): string {
    return shown(this.reception.take());
  }

  demand(wanted: number): void {
    this.wanted = wanted;
    this.reception.demand();
  }
}

const begin = (text: string): WsFrame => new WsFrame(WS_OPCODE_TEXT, Buffer.from(text), { isFinal: false });
const more = (text: string, isFinal: boolean): WsFrame =>
  new WsFrame(WS_OPCODE_CONTINUATION, Buffer.from(text), { isFinal });

describe('messages', () => {
  it('wait for a reader, in order', () => {
    const log = new Log();
    expect([log.take(), log.reception.hasBeenRead]).toEqual(['undefined', true]);
    log.deliver('a', 'b');
    expect([log.take(), log.take(), log.take()]).toEqual(['a', 'b', 'undefined']);
  });

  it('go to the readers that wait, in their order', () => {
    const log = new Log();
    log.wait('first');
    log.wait('second');
    log.deliver('a', 'b', 'c');
    expect([log.story, log.take()]).toEqual([['first got a', 'second got b'], 'c']);
  });

  it('are not lost on a reader that waits no more', () => {
    const log = new Log();
    const cancel = log.wait('gone');
    log.wait('second');
    cancel();
    log.deliver('a');
    expect(log.story).toEqual(['second got a']);
  });

  it('are assembled from their fragments when they are read, with control frames between (§5.4)', () => {
    const log = new Log();
    log.deliver(begin('a'), WsFrame.ping(), more('b', false), more('c', true), 'next');
    expect(log.reception.hasBeenRead).toBe(false);
    expect([log.take(), log.take(), log.take()]).toEqual(['<9>', 'abc', 'next']);
  });

  it('are assembled as they come for who waits', () => {
    const log = new Log();
    log.wait('reader');
    log.deliver(begin('a'), more('b', false));
    expect(log.story).toEqual([]);
    log.deliver(more('c', true));
    expect(log.story).toEqual(['reader got abc']);
  });

  it('go to the stream as long as it wants more', () => {
    const log = new Log();
    log.deliver('a', 'b', 'c');
    log.demand(2);
    expect([log.story, log.take()]).toEqual([['pushed a', 'pushed b'], 'c']);
    log.demand(2);
    log.deliver(begin('d'), more('e', true), 'f', 'g');
    expect(log.story.slice(2)).toEqual(['pushed de', 'pushed f']);
    expect(log.take()).toBe('g');
  });

  it('go to a waiting reader before the stream', () => {
    const log = new Log();
    log.demand(9);
    log.wait('reader');
    log.deliver('a', 'b');
    expect(log.story).toEqual(['reader got a', 'pushed b']);
  });
});

describe('the end', () => {
  it('takes effect when a reader asks for what comes behind the last message', () => {
    const log = new Log();
    log.deliver('a');
    log.reception.finish();
    expect([log.take(), log.story]).toEqual(['a', []]);
    expect([log.take(), log.story]).toEqual(['null', ['reached', 'finished']]);
    expect([log.take(), log.take(), log.story.length]).toEqual(['null', 'null', 2]);
  });

  it('takes effect at once where a reader waits: all readers get null', () => {
    const log = new Log();
    log.wait('first');
    log.wait('second');
    log.reception.finish();
    expect(log.story).toEqual(['reached', 'first got null', 'second got null', 'finished']);
    expect(log.reception.isReached).toBe(true);
  });

  it('takes effect at once where nobody has ever read and nothing is unread', () => {
    const log = new Log();
    log.reception.finish();
    log.reception.finish();
    expect(log.story).toEqual(['reached', 'finished']);
  });

  it('waits where nobody has read and something is unread', () => {
    const log = new Log();
    log.deliver('a');
    log.isAsking = true;
    log.reception.finish();
    expect(log.story).toEqual([]);
  });

  it.each([true, false])(
    'behind all that was read takes effect at once: %s, as the stream is asking or not',
    (isAsking) => {
      const log = new Log();
      log.deliver('a');
      log.take();
      log.isAsking = isAsking;
      log.reception.finish();
      expect([log.reception.isReached, log.story.length > 0]).toEqual([isAsking, isAsking]);
    },
  );

  it('takes effect when the stream has had all and asks, not before, and once', () => {
    const log = new Log();
    log.reception.ask();
    log.deliver('a', 'b');
    log.demand(1);
    log.reception.finish();
    log.reception.ask();
    expect(log.story).toEqual(['pushed a']);
    log.demand(1);
    log.reception.ask();
    log.reception.ask();
    expect(log.story).toEqual(['pushed a', 'pushed b', 'reached', 'finished']);
  });

  it('drops a message that is not whole', () => {
    const log = new Log();
    log.deliver(begin('a'));
    log.reception.finish();
    expect([log.take(), log.story]).toEqual(['null', ['reached', 'finished']]);
  });

  describe('with a last frame, where control frames are delivered', () => {
    const withLast = (): Log => Object.assign(new Log(), { lastFrame: WsFrame.close(1000) });

    it('gives it to who asks, then null', () => {
      const log = withLast();
      log.deliver('a');
      log.reception.finish();
      expect([log.take(), log.take(), log.take()]).toEqual(['a', '<8>', 'null']);
    });

    it('gives it to the first reader that waits, and null to the others', () => {
      const log = withLast();
      log.wait('first');
      log.wait('second');
      log.reception.finish();
      expect(log.story).toEqual(['reached', 'first got <8>', 'second got null', 'finished']);
    });

    it('pushes it to a stream that wants more', () => {
      const log = withLast();
      log.demand(2);
      log.isAsking = true;
      log.reception.finish();
      expect(log.story).toEqual(['reached', 'pushed <8>', 'finished']);
    });

    it('keeps it for who comes later where nobody has read', () => {
      const log = withLast();
      log.reception.finish();
      expect(log.story).toEqual(['reached', 'pushed <8>', 'finished']);
      expect(log.take()).toBe('null');
    });
  });
});

describe('a message that is too large (§10.4)', () => {
  const tooLarge = 'x'.repeat(101);

  it('is the end for who reads up to it; what stands behind it is forgotten', () => {
    const log = new Log();
    log.deliver('a', begin(tooLarge), more('', true), 'never read');
    expect([log.take(), log.story]).toEqual(['a', []]);
    expect(log.take()).toBe('null');
    expect(log.story).toEqual(['WS_ERR_MESSAGE_TOO_LARGE', 'reached', 'finished']);
  });

  it('ends the wait of who waits for it', () => {
    const log = new Log();
    log.wait('reader');
    log.deliver(tooLarge);
    expect(log.story).toEqual(['WS_ERR_MESSAGE_TOO_LARGE', 'reached', 'reader got null', 'finished']);
  });

  it('is not pushed', () => {
    const log = new Log();
    log.demand(9);
    log.deliver(tooLarge);
    log.reception.ask();
    expect(log.story).toEqual(['WS_ERR_MESSAGE_TOO_LARGE', 'reached', 'finished']);
  });
});

describe('the bound', () => {
  const fill = (log: Log): number => {
    for (let count = 0; ; count++) {
      if (log.reception.isFull) return count;
      log.deliver('x');
    }
  };

  it('is reached by what is unread, overhead counted, and says when there is room again, once', () => {
    const log = new Log();
    const count = fill(log);
    expect(count).toBeGreaterThan(2);
    while (log.story.length === 0) log.take();
    expect(log.reception.isFull).toBe(false);
    const left = [...Array(count)].map(() => log.take()).filter((text) => text === 'x').length;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(count / 2);
    expect(log.story).toEqual(['room']);
  });

  it('is never reached by what is nothing, and by anything where it is 0', () => {
    const log = new Log({ maxBufferedBytes: 0 });
    expect(log.reception.isFull).toBe(false);
    log.deliver('a');
    expect(log.reception.isFull).toBe(true);
    expect([log.take(), log.story]).toEqual(['a', ['room']]);
  });

  it('gives way to fragments that the reader is gathering', () => {
    const log = new Log({ maxBufferedBytes: 1 });
    log.deliver(begin('a'));
    expect(log.reception.isFull).toBe(true);
    expect([log.take(), log.story]).toEqual(['undefined', ['room']]);
    log.wait('reader');
    log.deliver(more('b', true));
    expect(log.story).toEqual(['room', 'reader got ab']);
  });
});

it('forgets what is unread, and half a message too', () => {
  const log = new Log();
  log.deliver(begin('a'));
  log.take();
  log.deliver(more('b', false), 'c');
  log.reception.clear();
  log.deliver('d');
  expect([log.take(), log.take()]).toEqual(['d', 'undefined']);
});

describe('lock', () => {
  it('gives pieces as they come, control frames between (§5.4)', () => {
    const log = new Log({ maxMessageBytes: 1 });
    log.deliver(begin('ab'), WsFrame.ping());
    log.reception.lock(true);
    expect([log.take(), log.take(), log.take()]).toEqual(['ab', '<9>', 'undefined']);
    log.wait('reader');
    log.deliver(more('cd', true));
    expect(log.story).toEqual(['reader got cd']);
  });

  it('gives whole messages where that is asked for', () => {
    const log = new Log();
    log.reception.lock(false);
    log.deliver(begin('a'), more('b', true));
    expect(log.take()).toBe('ab');
  });

  it('gives back what has been put together of a message, before what came behind it', () => {
    const log = new Log();
    log.wait('gone')();
    log.deliver(begin('a'), more('b', false));
    log.take();
    log.deliver(more('c', true), 'd');
    log.reception.lock(true);
    expect([log.take(), log.take(), log.take()]).toEqual(['ab', 'c', 'd']);
  });

  it('keeps the stream out: its demand is met when the lock is gone', () => {
    const log = new Log();
    log.demand(9);
    log.reception.lock(true);
    log.deliver('a', 'b');
    log.demand(9);
    expect([log.story, log.take()]).toEqual([[], 'a']);
    log.reception.unlock();
    expect(log.story).toEqual(['pushed b']);
    log.deliver(begin('c'), more('d', true));
    expect(log.story.at(-1)).toBe('pushed cd');
  });

  it('without a demand pushes nothing when it is gone', () => {
    const log = new Log();
    log.reception.lock(true);
    log.deliver('a');
    log.reception.unlock();
    expect([log.story, log.take()]).toEqual([[], 'a']);
  });

  it('lets the end wait for its reader, though the stream was asking before', () => {
    const log = new Log();
    log.isAsking = true;
    log.deliver('a');
    log.reception.lock(true);
    log.take();
    log.reception.finish();
    expect(log.story).toEqual([]);
    expect([log.take(), log.story]).toEqual(['null', ['reached', 'finished']]);
  });
});

describe('skipMessage', () => {
  it('throws the rest of the message away, and nothing else', () => {
    const log = new Log();
    log.reception.lock(true);
    log.deliver(begin('a'), more('b', false));
    log.take();
    log.reception.skipMessage();
    expect(log.take()).toBe('undefined');
    log.deliver(more('c', false), WsFrame.ping(), more('d', true), 'e');
    expect([log.take(), log.take()]).toEqual(['<9>', 'e']);
  });

  it('goes on when the lock is gone: no half message is put together', () => {
    const log = new Log();
    log.reception.lock(true);
    log.deliver(begin('a'));
    log.take();
    log.reception.skipMessage();
    log.reception.unlock();
    log.wait('reader');
    log.deliver(more('b', true), begin('c'), more('d', true));
    expect(log.story).toEqual(['reader got cd']);
  });
});
