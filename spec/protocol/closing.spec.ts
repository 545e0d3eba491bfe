import { describe, expect, it } from 'vitest';
import {
  CLOSING_TABLE,
  type ClosingEvent,
  ClosingHandshake,
  type ClosingState,
  WS_STATE_CLOSED,
  WS_STATE_CLOSING,
  WS_STATE_CONNECTING,
  WS_STATE_OPEN,
} from '../../lib/protocol/closing.ts';
import { readText } from '../laws/sources.ts';

const ROADS: Readonly<Record<ClosingState, readonly ClosingEvent[]>> = {
  open: [],
  closing: ['send'],
  answered: ['receive'],
  failing: ['fail'],
  closed: ['end'],
};

/** What happens to a connection: the events of the table, and our answer, which changes no state. */
type Happening = ClosingEvent | 'answer';

function happen(closing: ClosingHandshake, event: Happening): boolean | undefined {
  if (event === 'answer') closing.answer();
  if (event === 'send') return closing.send(1000, 'done');
  if (event === 'receive') return closing.receive(3000, 'theirs');
  if (event === 'fail') return closing.fail(1002, 'broken', 'a rule was broken', false);
  closing.end('remote', 'the transport ended');
  return undefined;
}

const closingAfter = (...events: readonly Happening[]): ClosingHandshake => {
  const closing = new ClosingHandshake();
  for (const event of events) happen(closing, event);
  return closing;
};

const CELLS = Object.entries(CLOSING_TABLE).flatMap(([state, row]) =>
  Object.entries(row).map(([event, next]) => ({ state: state as ClosingState, event: event as ClosingEvent, next })),
);

it('lets a failure take the place of a close frame of ours that has not left, and of no other (§5.5.1)', () => {
  const closing = closingAfter('send');
  expect(closing.fail(1011, 'cannot go on', 'we cannot go on', true)).toBe(true);
  expect([closing.state, closing.result]).toMatchObject(['failing', { code: 1011, wasClean: false }]);
  for (const state of ['answered', 'failing', 'closed'] as const)
    expect(closingAfter(...ROADS[state]).fail(1011, '', 'we cannot go on', true)).toBe(false);
});

it('is not failed any more where it is over, or is coming to its end', () => {
  for (const state of ['answered', 'failing', 'closed'] as const) {
    const closing = closingAfter(...ROADS[state]);
    const before = [closing.result, closing.narrative];
    closing.fail(1011, 'late', 'we cannot go on', true);
    expect([closing.result, closing.narrative]).toEqual(before);
  }
});

describe('the table of the closing handshake', () => {
  it.each(CELLS)('leads from $state over $event to $next (§7.1)', ({ state, event, next }) => {
    const closing = closingAfter(...ROADS[state]);
    expect(closing.state).toBe(state);
    happen(closing, event);
    expect(closing.state).toBe(next);
  });

  it('is the one in the docblock of its file', () => {
    const picture = readText('lib/protocol/closing.ts').match(/```([\s\S]*?)```/)![1]!;
    const [head, ...rows] = picture
      .split('\n')
      .map((line) => line.replace('*', ' ').trim().split(/\s+/))
      .filter(([word]) => word !== '');
    const read = rows.map(([state, ...cells]) => [state, Object.fromEntries(cells.map((cell, i) => [head![i], cell]))]);
    expect(Object.fromEntries(read)).toEqual(CLOSING_TABLE);
  });

  it('shows as the states of the interface (§4.1, §7.1.3, §7.1.4)', () => {
    const shown = Object.values(ROADS).map((road) => closingAfter(...road).wsState);
    expect(shown).toEqual([WS_STATE_OPEN, WS_STATE_CLOSING, WS_STATE_CLOSING, WS_STATE_CLOSING, WS_STATE_CLOSED]);
    expect([WS_STATE_CONNECTING, WS_STATE_OPEN, WS_STATE_CLOSING, WS_STATE_CLOSED]).toEqual([0, 1, 2, 3]);
  });
});

describe('a close frame', () => {
  it.each<[string, ClosingEvent[], ClosingEvent, boolean]>([
    ['is sent to begin (§7.1.2)', [], 'send', true],
    ['is not sent a second time (§5.5.1)', ['send'], 'send', false],
    ['is not sent after an answer (§5.5.1)', ['receive'], 'send', false],
    ['is sent in answer to the first one (§5.5.1)', [], 'receive', true],
    ['is not sent in answer to an answer (§5.5.1)', ['send'], 'receive', false],
    ['is not answered twice (§5.5.1)', ['receive'], 'receive', false],
    ['is not answered after we failed (§7.1.7)', ['fail'], 'receive', false],
    ['is sent when we fail (§7.1.7)', [], 'fail', true],
    ['is not sent when we fail after one was sent (§7.1.7)', ['send'], 'fail', false],
    ['is not sent when we fail after both were (§7.1.7)', ['send', 'receive'], 'fail', false],
    ['is not sent when all is over (§7.1.4)', ['end'], 'send', false],
    ['is not sent when it fails when all is over (§7.1.4)', ['end'], 'fail', false],
  ])('%s', (_what, before, event, isSent) => {
    expect(happen(closingAfter(...before), event)).toBe(isSent);
  });
});

describe('the result', () => {
  it.each<[string, Happening[], object]>([
    [
      'of our close and their answer is theirs (§7.1.5)',
      ['send', 'receive', 'end'],
      { code: 3000, reason: 'theirs', wasClean: true, initiator: 'local' },
    ],
    [
      'of their close is theirs (§7.1.5)',
      ['receive', 'answer', 'end'],
      { code: 3000, reason: 'theirs', wasClean: true, initiator: 'remote' },
    ],
    ['of a cut is 1006 (§7.1.5)', ['end'], { code: 1006, reason: '', wasClean: false, initiator: 'remote' }],
    [
      'of a close that was not answered is 1006 (§7.1.5)',
      ['send', 'end'],
      { code: 1006, reason: '', wasClean: false, initiator: 'local' },
    ],
    [
      'of a failure is what we sent (§7.1.7)',
      ['fail', 'end'],
      { code: 1002, reason: 'broken', wasClean: false, initiator: 'local' },
    ],
    [
      'of a failure after our close is what we sent (§7.1.7)',
      ['send', 'fail', 'end'],
      { code: 1000, reason: 'done', wasClean: false, initiator: 'local' },
    ],
    [
      'of their close that we could not answer is theirs, and not clean (§7.1.4)',
      ['receive', 'end', 'answer'],
      { code: 3000, reason: 'theirs', wasClean: false, initiator: 'remote' },
    ],
    [
      'is not spoilt by a failure after both frames',
      ['send', 'receive', 'fail', 'end'],
      { code: 3000, reason: 'theirs', wasClean: true, initiator: 'local' },
    ],
    [
      'is not changed by anything after the end',
      ['end', 'receive', 'end'],
      { code: 1006, reason: '', wasClean: false, initiator: 'remote' },
    ],
    [
      'before anything happened is that of a cut of ours',
      [],
      { code: 1006, reason: '', wasClean: false, initiator: 'local' },
    ],
  ])('%s', (_what, events, result) => {
    expect(closingAfter(...events).result).toEqual(result);
  });
});

describe('the narrative', () => {
  it.each<[Happening[], string]>([
    [
      ['send', 'receive', 'end'],
      'we sent a close frame with 1000 "done", then the peer sent a close frame with 3000 "theirs", then the transport ended',
    ],
    [
      ['receive', 'answer', 'answer', 'end'],
      'the peer sent a close frame with 3000 "theirs", then we answered it, then the transport ended',
    ],
    [['fail', 'end'], 'we failed the connection (a rule was broken), then the transport ended'],
  ])('of %o tells who did what, in order', (events, story) => {
    expect(closingAfter(...events).narrative).toBe(`The connection is over: ${story}`);
  });

  it('leaves an empty reason out', () => {
    const closing = new ClosingHandshake();
    closing.send(1001, '');
    expect(closing.narrative).toBe('The connection is over: we sent a close frame with 1001');
  });
});
