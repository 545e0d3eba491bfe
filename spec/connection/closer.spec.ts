import { describe, expect, it, vi } from 'vitest';
import { wheel } from '../../lib/connection/time/timer-wheel.ts';
import { ClosedError } from '../../lib/errors.ts';
import { play, type Stage, useClosingClock } from '../support/closing-stage.ts';

interface Scene {
  readonly name: string;
  readonly role?: 'server' | 'client';
  readonly events: readonly string[];
  readonly story: readonly string[];
  /** Code, reason, whether clean, who began; `undefined` where it is not over. */
  readonly info: readonly [number, string, boolean, 'local' | 'remote'] | undefined;
}

const failed = 'wrote 1002 a frame from a client is not masked';
const reason = 'a frame from a client is not masked';

const SCENES: readonly Scene[] = [
  {
    name: 'ours first: the server ends the transport when theirs has come (§7.1.1)',
    events: ['we begin', 'ours is sent', 'theirs comes', 'the socket is gone'],
    story: ['sent', 'FIN', 'over'],
    info: [3001, 'theirs', true, 'local'],
  },
  {
    name: 'ours first: the client waits for their FIN (§7.1.1)',
    role: 'client',
    events: ['we begin', 'ours is sent', 'theirs comes', 'their FIN', 'the socket is gone'],
    story: ['sent', 'FIN', 'over'],
    info: [3001, 'theirs', true, 'local'],
  },
  {
    name: 'both at once: theirs comes while ours is still queued (§7.1.4)',
    events: ['we begin', 'theirs comes', 'ours is sent', 'the socket is gone'],
    story: ['FIN', 'sent', 'over'],
    info: [3001, 'theirs', true, 'local'],
  },
  {
    name: 'both at once, and ours never leaves: not clean (§7.1.4)',
    events: ['we begin', 'theirs comes', 'ours is lost', 'the socket is gone'],
    story: ['FIN', 'not sent', 'over'],
    info: [3001, 'theirs', false, 'local'],
  },
  {
    name: 'theirs first: it is echoed, then the server ends the transport (§5.5.1, §7.1.1)',
    events: ['theirs comes', 'the answer is sent', 'the socket is gone'],
    story: ['wrote 3001 theirs', 'FIN', 'sent', 'over'],
    info: [3001, 'theirs', true, 'remote'],
  },
  {
    name: 'theirs first, without a code: the answer has none either (§5.5.1, §7.1.5)',
    events: ['theirs is empty', 'the answer is sent', 'the socket is gone'],
    story: ['wrote 1005', 'FIN', 'sent', 'over'],
    info: [1005, '', true, 'remote'],
  },
  {
    name: 'theirs first, with an answer of our own (§5.5.1)',
    events: ['theirs comes, we answer 3002', 'the answer is sent', 'the socket is gone'],
    story: ['wrote 3002', 'FIN', 'sent', 'over'],
    info: [3001, '', true, 'remote'],
  },
  {
    name: 'theirs first: a client answers and waits for their FIN (§7.1.1)',
    role: 'client',
    events: ['theirs comes', 'the answer is sent', 'their FIN', 'the socket is gone'],
    story: ['wrote 3001 theirs', 'sent', 'FIN', 'over'],
    info: [3001, 'theirs', true, 'remote'],
  },
  {
    name: 'theirs first, their FIN before our answer: the close frame decides',
    role: 'client',
    events: ['theirs comes', 'their FIN', 'the answer is sent', 'the socket is gone'],
    story: ['wrote 3001 theirs', 'FIN', 'sent', 'over'],
    info: [3001, 'theirs', true, 'remote'],
  },
  {
    name: 'theirs first, the answer never left: not clean',
    events: ['theirs comes', 'the answer is lost', 'the socket is gone'],
    story: ['wrote 3001 theirs', 'FIN', 'not sent', 'over'],
    info: [3001, 'theirs', false, 'remote'],
  },
  {
    name: 'they break a rule: told why, then the transport ends (§7.1.7)',
    events: ['they break a rule', 'the answer is sent', 'the socket is gone'],
    story: [failed, 'FIN', 'sent', 'over'],
    info: [1002, reason, false, 'local'],
  },
  {
    name: 'they break a rule behind our close frame: no second one is sent (§5.5.1, §7.1.7)',
    events: ['we begin', 'ours is sent', 'they break a rule', 'the socket is gone'],
    story: ['sent', 'FIN', 'not sent', 'over'],
    info: [1000, 'bye', false, 'local'],
  },
  {
    name: 'they break a rule before our close frame has left: why takes its place (§7.1.7)',
    events: ['we begin', 'they break a rule', 'the answer is sent', 'the socket is gone'],
    story: ['wrote 1002 a frame from a client is not masked', 'FIN', 'sent', 'over'],
    info: [1002, 'a frame from a client is not masked', false, 'local'],
  },
  {
    name: 'they break a rule when all is over: nothing happens',
    events: ['the socket is gone', 'they break a rule'],
    story: ['over'],
    info: [1006, '', false, 'remote'],
  },
  {
    name: 'nothing but the end of the transport (§7.1.5)',
    events: ['the transport ends', 'the socket is gone'],
    story: ['over'],
    info: [1006, '', false, 'remote'],
  },
  {
    name: 'ours first, and nothing but the end of the transport (§7.1.5)',
    events: ['we begin', 'ours is sent', 'the transport ends', 'the socket is gone'],
    story: ['sent', 'over'],
    info: [1006, '', false, 'local'],
  },
  {
    name: 'what was accepted leaves behind a cut, and may take its time as long as it moves',
    events: ['the transport ends', 'progress', 'half the time', 'half the time', 'progress', 'half the time'],
    story: ['over', 'overdue'],
    info: [1006, '', false, 'remote'],
  },
  {
    name: 'what does not leave behind a cut is destroyed after the time',
    events: ['the transport ends', 'half the time', 'half the time'],
    story: ['over', 'overdue', 'limit closeTimeoutMs', 'destroyed'],
    info: [1006, '', false, 'remote'],
  },
  {
    name: 'nobody answers: destroyed after closeTimeoutMs (§7.1.1)',
    events: ['we begin', 'ours is sent', 'half the time', 'half the time'],
    story: ['sent', 'overdue', 'limit closeTimeoutMs', 'over', 'destroyed'],
    info: [1006, '', false, 'local'],
  },
  {
    name: 'ours leaves slowly: given time as long as something moves',
    events: ['we begin', 'progress', 'half the time', 'progress', 'half the time', 'ours is sent', 'half the time'],
    story: ['sent', 'overdue'],
    info: undefined,
  },
  {
    name: 'the answer never leaves: destroyed after closeTimeoutMs',
    events: ['theirs comes', 'half the time', 'half the time'],
    story: ['wrote 3001 theirs', 'overdue', 'limit closeTimeoutMs', 'over', 'destroyed'],
    info: [3001, 'theirs', false, 'remote'],
  },
  {
    name: 'a client whose server never ends the transport does it in the end (§7.1.1)',
    role: 'client',
    events: ['theirs comes', 'the answer is sent', 'half the time', 'half the time'],
    story: ['wrote 3001 theirs', 'sent', 'overdue', 'limit closeTimeoutMs', 'over', 'destroyed'],
    info: [3001, 'theirs', true, 'remote'],
  },
  {
    name: 'we break off: destroyed at once, whatever was begun',
    events: ['we begin', 'we break off', 'half the time', 'half the time'],
    story: ['over', 'destroyed'],
    info: [1006, '', false, 'local'],
  },
  {
    name: 'theirs came, and the socket went before it took effect',
    events: ['theirs is overtaken', 'the socket fails'],
    story: ['over'],
    info: [3001, 'theirs', false, 'remote'],
  },
  {
    name: 'a violation came, and the socket went before it took effect',
    events: ['a violation is overtaken', 'the socket is gone'],
    story: ['over'],
    info: [1006, '', false, 'remote'],
  },
];

useClosingClock();

describe('a connection ends', () => {
  it.each(SCENES)('$name', ({ role, events, story, info }) => {
    const stage = play(events, role);
    expect(stage.story).toEqual(story);
    expect(stage.closer.info).toBe(stage.info);
    const expected = info && { code: info[0], reason: info[1], wasClean: info[2], initiator: info[3] };
    expect(stage.info && { ...stage.info, error: undefined }).toEqual(expected && { ...expected, error: undefined });
    expect(stage.info && stage.info.error === undefined).toBe(info?.[2]);
  });

  it.each(SCENES.filter(({ story }) => story.includes('over')))('$name — and leaves no timer', ({ role, events }) => {
    const stage = play([...events, 'the socket is gone'], role);
    expect([wheel.size, vi.getTimerCount()]).toEqual([0, 0]);
    expect(stage.story.filter((event) => event === 'over')).toEqual(['over']);
  });
});

describe('the state', () => {
  const states = ({ closer }: Stage): unknown[] => [closer.wsState, closer.isOpen, closer.isClosing, closer.isFailing];

  it.each([
    [[], [1, true, false, false]],
    [['their FIN'], [1, true, false, false]],
    [['we begin'], [2, false, true, false]],
    [['theirs comes'], [2, false, false, false]],
    [['they break a rule'], [2, false, false, true]],
    [['the socket is gone'], [3, false, false, false]],
  ])('after %o is %o', (events, expected) => {
    const stage = play(events);
    expect(states(stage)).toEqual(expected);
    expect(stage.closer.isSent).toBe(false);
  });

  it('is still open where somebody only asks what there is to tell', () => {
    const stage = play([]);
    expect(stage.closer.createError()).toBeInstanceOf(ClosedError);
    expect(states(stage)).toEqual([1, true, false, false]);
  });

  it.each(['ours is sent', 'ours is lost'])('knows when %s', (event) => {
    const stage = play(['we begin', event]);
    expect(stage.closer.isSent).toBe(true);
  });
});

describe('why', () => {
  it.each([
    [['the transport ends'], 'the peer ended the transport without a close frame'],
    [['the socket is gone'], 'the transport ended'],
    [['the socket fails'], 'the transport failed (ECONNRESET)'],
    [['we begin', 'the socket fails'], 'we sent a close frame with 1000 "bye", then the transport failed (ECONNRESET)'],
    [['we break off'], 'we had enough'],
    [
      ['theirs is overtaken', 'the socket is gone'],
      'the peer sent a close frame with 3001 "theirs", then the transport',
    ],
  ])('is told of %o by a ClosedError', (events, message) => {
    const { info, closer } = play(events);
    expect(info?.error).toBeInstanceOf(ClosedError);
    expect(info?.error?.message).toContain(message);
    expect(closer.createError().message).toContain(message);
  });

  it.each([
    ['the answer is sent', true],
    ['the answer is lost', false],
  ])('says whether we answered: %s', (event, isAnswered) => {
    const { closer } = play(['theirs comes', event, 'the socket is gone']);
    expect(closer.createError().message.includes('we answered it')).toBe(isAnswered);
    expect(Object.hasOwn(closer.createError(), 'cause')).toBe(false);
  });

  it.each([
    ['the transport ends in a frame', { code: 'WS_ERR_TRUNCATED' }],
    ['the socket fails', { message: 'ECONNRESET' }],
    ['we break off', { message: 'cause' }],
  ])('has its cause where %s', (event, cause) => {
    const { info, closer } = play([event]);
    expect([info?.error?.cause, closer.createError().cause]).toMatchObject([cause, cause]);
  });

  it('is the violation itself where we failed the connection, effective or overtaken (§7.1.7)', () => {
    for (const event of ['they break a rule', 'a violation is overtaken']) {
      const { info } = play([event, 'the socket fails']);
      expect(info?.error).toMatchObject({ name: 'ProtocolError', code: 'WS_ERR_UNMASKED', closeCode: 1002 });
    }
  });
});
