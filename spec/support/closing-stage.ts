/** A closer alone, on a clock that is moved by hand, and what can happen to it. */
import { afterEach, beforeEach, vi } from 'vitest';
import { type CloseInfo, Closer, type CloserHandlers } from '../../lib/connection/closer.ts';
import type { Road } from '../../lib/connection/road/road.ts';
import type { Settle } from '../../lib/connection/writing/outbox.ts';
import { ProtocolError } from '../../lib/errors.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';

export const CLOSE_TIMEOUT_MS = 1000;

/** A closer on a road that only notes, and the handlers that do so too. */
export class Stage implements CloserHandlers {
  readonly story: string[] = [];
  readonly closer: Closer;
  readonly road: { isOver: boolean; hasSentClose: boolean; bytesOut: number; end(): void; destroy(): void } = {
    isOver: false,
    hasSentClose: false,
    bytesOut: 0,
    end: () => this.#note('FIN'),
    destroy: () => this.#destroy(),
  };
  info: CloseInfo | undefined;
  settle: Settle = () => {};

  constructor(isServer: boolean) {
    this.closer = new Closer(this.road as unknown as Road, { isServer, closeTimeoutMs: CLOSE_TIMEOUT_MS }, this);
  }

  writeInOrder(frame: WsFrame, settle: Settle): void {
    this.#note(`wrote ${frame.closeCode()} ${frame.closeReason()}`.trim());
    this.settle = settle;
  }

  closeOverdue(): void {
    this.#note('overdue');
  }

  closeSent(isWritten: boolean): void {
    this.#note(isWritten ? 'sent' : 'not sent');
  }

  limitReached(limit: string): void {
    this.#note(`limit ${limit}`);
  }

  connectionOver(info: CloseInfo): void {
    this.#note('over');
    this.info = info;
  }

  #note(event: string): void {
    this.story.push(event);
  }

  #destroy(): void {
    this.#note('destroyed');
    this.road.isOver = true;
    this.closer.gone(undefined);
  }
}

/** What can happen to a closer, by the name that the table gives it. */
export const EVENTS: Readonly<Record<string, (stage: Stage) => void>> = {
  'we begin': ({ closer }) => closer.begin(WsFrame.close(1000, 'bye')),
  'ours is sent': ({ closer, road }) => {
    road.hasSentClose = true;
    closer.sent(true);
  },
  'ours is lost': ({ closer }) => closer.sent(false),
  'the answer is sent': (stage) => stage.settle(true),
  'the answer is lost': (stage) => stage.settle(false),
  'theirs comes': ({ closer }) => closer.received(WsFrame.close(3001, 'theirs')),
  'theirs comes, we answer 3002': ({ closer }) => closer.received(WsFrame.close(3001), WsFrame.close(3002)),
  'theirs is empty': ({ closer }) => closer.received(WsFrame.close()),
  'they break a rule': ({ closer }) => closer.fail(new ProtocolError('WS_ERR_UNMASKED', 'detail')),
  'their FIN': ({ closer }) => closer.peerEnded(),
  'the transport ends': ({ closer }) => closer.cut(undefined),
  'the transport ends in a frame': ({ closer }) => closer.cut(new ProtocolError('WS_ERR_TRUNCATED')),
  'the socket is gone': ({ closer }) => closer.gone(undefined),
  'the socket fails': ({ closer }) => closer.gone(new Error('ECONNRESET')),
  'we break off': ({ closer }) => closer.breakOff('we had enough', new Error('cause')),
  'theirs is overtaken': ({ closer }) => closer.overtaken(WsFrame.close(3001, 'theirs')),
  'a violation is overtaken': ({ closer }) => closer.overtaken(new ProtocolError('WS_ERR_UNMASKED')),
  // And what the wheel rounds up.
  'half the time': () => void vi.advanceTimersByTime(CLOSE_TIMEOUT_MS / 2 + CLOSE_TIMEOUT_MS / 64),
  progress: (stage) => void stage.road.bytesOut++,
};

const stages: Stage[] = [];

/** Takes the clock for the tests of a file. */
export function useClosingClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    for (const { closer } of stages.splice(0)) closer.gone(undefined);
    vi.useRealTimers();
  });
}

/** Lets events happen to a new one. */
export function play(events: readonly string[], role: 'server' | 'client' = 'server'): Stage {
  const stage = new Stage(role === 'server');
  stages.push(stage);
  for (const event of events) EVENTS[event]!(stage);
  return stage;
}
