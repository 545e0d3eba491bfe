/**
 * What is on its way out: messages in the order in which they were accepted, cut into fragments of at most
 * `WS_MAX_FRAME_SIZE` as there is room for them, so that control frames slip between.
 *
 * A caller is told when its message is written whole and there is room for more: that is the backpressure of every way
 * of sending.
 *
 * @see RFC 6455 §5.4
 */
import { createFrame, type WsFrame } from '../../protocol/frame.ts';
import { headerLengthFor } from '../../protocol/header.ts';
import { WS_OPCODE_CONTINUATION } from '../../protocol/opcode.ts';
import { WS_MAX_FRAME_SIZE } from '../../protocol/sizes.ts';
import { EncodedFrame } from '../../stream/encoded-frame.ts';
import type { Road } from '../road/road.ts';

/**
 * Is told whether what it waits for was written, once there is room for more; where an extension may have changed its
 * size, with the bytes of the message on the wire.
 */
export type Settle = (isWritten: boolean, stagedBytes?: number | undefined) => void;

/** A message that waits for its turn, or is being cut. */
export interface OutboxJob {
  /** Bytes of payload that wait to be cut. */
  readonly bytes: number;
  /** Whether anything of it has been cut off. */
  readonly hasBegun: boolean;
  /** Whether all of it has been cut off. */
  readonly isDone: boolean;
  /** Whether more of it is still to be written. */
  readonly isOpen: boolean;
  /** Cuts off the next fragment; `undefined` when there is none yet. */
  next(): WsFrame | undefined;
  /** Who is to be told, now that the last fragment is written. */
  takeSettle(): Settle | undefined;
  /** The road is over: nothing more will be cut. */
  roadClosed(): void;
}

/** The bytes that a message takes on the wire, as {@link Outbox} cuts it. */
export function wireLength(payloadLength: number, isMasked: boolean): number {
  const whole = payloadLength === 0 ? 0 : Math.ceil(payloadLength / WS_MAX_FRAME_SIZE) - 1;
  const last = payloadLength - whole * WS_MAX_FRAME_SIZE;
  return payloadLength + whole * headerLengthFor(WS_MAX_FRAME_SIZE, isMasked) + headerLengthFor(last, isMasked);
}

/** An outbox in which nothing waits, as in most of them, has no lists of its own. */
const NO_JOBS: OutboxJob[] = [];
const NO_WAITERS: Settle[] = [];

export class Outbox {
  readonly #road: Road;
  /** Whether extensions may change the size of what is sent. */
  readonly #isStaged: boolean;
  #jobs: OutboxJob[] = NO_JOBS;
  #waiting: Settle[] = NO_WAITERS;
  #hasRoom = true;
  /** What extensions had given out when the last message began. */
  #stagedBefore = 0;

  constructor(road: Road) {
    this.#road = road;
    this.#isStaged = road.stagedBytes !== undefined;
  }

  /** Bytes of payload that wait here. */
  get bytes(): number {
    return this.#jobs.reduce((sum, job) => sum + job.bytes, 0);
  }

  /** Whether nothing waits and the next frame may go straight to the road. */
  get isIdle(): boolean {
    return this.#jobs.length === 0 && this.#hasRoom;
  }

  /**
   * Sends a small frame at once; only while {@link isIdle}, or out of turn for control frames.
   *
   * @returns whether there is room for more; if not, {@link whenRoom} tells when
   */
  sendNow(frame: WsFrame): boolean {
    if (this.#isStaged && !frame.isControl()) this.#stagedBefore = this.#road.stagedBytes!;
    const hasRoom = this.#road.write(frame);
    this.#hasRoom &&= hasRoom;
    return hasRoom;
  }

  /** Sends a small frame in its turn, where that is now and there is room. @returns whether it did; if not, nothing has happened */
  trySend(frame: WsFrame): boolean {
    return this.isIdle && this.#road.writeNow(frame);
  }

  /** The bytes on the wire of the last message, where extensions may have changed its size. */
  get stagedBytes(): number | undefined {
    return this.#isStaged ? this.#road.stagedBytes! - this.#stagedBefore : undefined;
  }

  /** Calls back once there is room for more. */
  whenRoom(settle: Settle): void {
    this.#wait(settle);
  }

  /** Sends a message of any size in its turn. @returns what {@link cancel} takes back */
  send(frame: WsFrame, settle: Settle): OutboxJob {
    const job = new FrameJob(frame, settle);
    this.add(job);
    return job;
  }

  /** Sends, in its turn, what the job gives. */
  add(job: OutboxJob): void {
    if (this.#jobs === NO_JOBS) this.#jobs = [];
    this.#jobs.push(job);
    this.advance();
  }

  /** Whether there is a message of which more is still to be written: what stands behind it waits. */
  get hasOpenMessage(): boolean {
    return this.#jobs.some((job) => job.isOpen);
  }

  /** Sends a last frame. A message that is open is not waited for: it is broken off, with what stands behind it. */
  sendLast(frame: WsFrame, settle: Settle): void {
    const open = this.#jobs.findIndex((job) => job.isOpen);
    const dropped = open === -1 ? [] : this.#jobs.splice(open);
    this.send(frame, settle);
    for (const job of dropped) job.roadClosed();
  }

  /** Takes back a message of which nothing has been sent. @returns whether that was so */
  cancel(job: OutboxJob): boolean {
    const index = this.#jobs.indexOf(job);
    if (index === -1 || job.hasBegun) return false;
    this.#jobs.splice(index, 1);
    this.advance();
    return true;
  }

  /** The road has room again. */
  drained(): void {
    this.#hasRoom = true;
    if (this.#waiting.length > 0) this.#settleWaiting();
    this.advance();
  }

  /** The road is over: what waits will not be written. */
  close(): void {
    const waiting = this.#waiting;
    const jobs = this.#jobs;
    this.#waiting = NO_WAITERS;
    this.#jobs = NO_JOBS;
    for (const settle of waiting) settle(false);
    for (const job of jobs) job.roadClosed();
  }

  /** Cuts and writes as much as there is room for. */
  advance(): void {
    while (this.#hasRoom) {
      const job = this.#jobs[0];
      if (this.#isStaged && job?.hasBegun === false) this.#stagedBefore = this.#road.stagedBytes!;
      const fragment = job?.next();
      if (job === undefined || fragment === undefined) return;
      if (job.isDone) this.#jobs.shift();
      this.#hasRoom = this.#road.write(fragment);
      const settle = job.takeSettle();
      if (settle === undefined) continue;
      if (this.#hasRoom) settle(true, this.stagedBytes);
      else this.#wait(settle);
    }
  }

  #wait(settle: Settle): void {
    if (this.#waiting === NO_WAITERS) this.#waiting = [];
    this.#waiting.push(settle);
  }

  #settleWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = NO_WAITERS;
    for (const settle of waiting) settle(true, this.stagedBytes);
  }
}

/** A message that is there as a whole. */
class FrameJob implements OutboxJob {
  readonly #frame: WsFrame;
  readonly #settle: Settle;
  readonly isOpen: boolean = false;
  #offset = 0;
  #isDone = false;

  constructor(frame: WsFrame, settle: Settle) {
    this.#frame = frame;
    this.#settle = settle;
  }

  get bytes(): number {
    return this.#frame.payload.length - this.#offset;
  }

  get hasBegun(): boolean {
    return this.#offset > 0 || this.#isDone;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  next(): WsFrame {
    const frame = this.#frame;
    const start = this.#offset;
    const end = Math.min(start + WS_MAX_FRAME_SIZE, frame.payload.length);
    this.#offset = end;
    this.#isDone = end === frame.payload.length;
    if (start === 0 && this.#isDone) return frame;
    if (frame instanceof EncodedFrame) return frame.fragmentAt(start);
    const opcode = start === 0 ? frame.opcode : WS_OPCODE_CONTINUATION;
    const rsv = start === 0 ? frame.rsv : 0;
    const isFinal = frame.isFinal && this.#isDone;
    return createFrame(opcode, frame.payload.subarray(start, end), isFinal, false, rsv, 0, frame.compress);
  }

  takeSettle(): Settle | undefined {
    return this.#isDone ? this.#settle : undefined;
  }

  roadClosed(): void {
    this.#settle(false);
  }
}
