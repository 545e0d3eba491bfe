/**
 * What is on its way out: messages in the order in which they were accepted, cut into fragments of at most
 * `WS_MAX_FRAME_SIZE` as there is room for them, so that control frames slip between.
 *
 * A caller is told when its message is written whole and there is room for more: that is the backpressure of every way
 * of sending.
 *
 * @see RFC 6455 §5.4
 */
import { createFrame, type WsFrame } from '../protocol/frame.ts';
import { headerLengthFor } from '../protocol/header.ts';
import { WS_OPCODE_CONTINUATION } from '../protocol/opcode.ts';
import { WS_MAX_FRAME_SIZE } from '../protocol/sizes.ts';
import type { Road } from './road.ts';

/** Is told whether what it waits for was written, once there is room for more. */
export type Settle = (isWritten: boolean) => void;

/** A message that waits for its turn, or is being cut. */
export interface SendJob {
  readonly frame: WsFrame;
  readonly settle: Settle;
  /** Bytes of the payload that have been cut off. */
  offset: number;
}

/** The bytes that a message takes on the wire, as {@link Outbox} cuts it. */
export function wireLength(payloadLength: number, isMasked: boolean): number {
  const whole = payloadLength === 0 ? 0 : Math.ceil(payloadLength / WS_MAX_FRAME_SIZE) - 1;
  const last = payloadLength - whole * WS_MAX_FRAME_SIZE;
  return payloadLength + whole * headerLengthFor(WS_MAX_FRAME_SIZE, isMasked) + headerLengthFor(last, isMasked);
}

export class Outbox {
  readonly #road: Road;
  #jobs: SendJob[] = [];
  #waiting: Settle[] = [];
  #hasRoom = true;
  #bytes = 0;

  constructor(road: Road) {
    this.#road = road;
  }

  /** Bytes of payload that wait here. */
  get bytes(): number {
    return this.#bytes;
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
    const hasRoom = this.#road.write(frame);
    this.#hasRoom &&= hasRoom;
    return hasRoom;
  }

  /** Calls back once there is room for more. */
  whenRoom(settle: Settle): void {
    this.#waiting.push(settle);
  }

  /** Sends a message of any size in its turn. */
  send(frame: WsFrame, settle: Settle): SendJob {
    const job: SendJob = { frame, settle, offset: 0 };
    this.#jobs.push(job);
    this.#bytes += frame.payload.length;
    this.#pump();
    return job;
  }

  /** Takes back a message of which nothing has been sent. @returns whether that was so */
  cancel(job: SendJob): boolean {
    const index = this.#jobs.indexOf(job);
    if (index === -1 || (index === 0 && job.offset > 0)) return false;
    this.#jobs.splice(index, 1);
    this.#bytes -= job.frame.payload.length;
    return true;
  }

  /** The road has room again. */
  drained(): void {
    this.#hasRoom = true;
    if (this.#waiting.length > 0) this.#settleWaiting();
    this.#pump();
  }

  /** The road is over: what waits will not be written. */
  close(): void {
    const settles = [...this.#waiting, ...this.#jobs.map((job) => job.settle)];
    this.#waiting = [];
    this.#jobs = [];
    this.#bytes = 0;
    for (const settle of settles) settle(false);
  }

  #settleWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const settle of waiting) settle(true);
  }

  #pump(): void {
    while (this.#hasRoom) {
      const job = this.#jobs[0];
      if (job === undefined) return;
      const fragment = nextFragment(job);
      this.#bytes -= fragment.payload.length;
      const isWhole = job.offset === job.frame.payload.length;
      if (isWhole) this.#jobs.shift();
      this.#hasRoom = this.#road.write(fragment);
      if (!isWhole) continue;
      if (this.#hasRoom) job.settle(true);
      else this.#waiting.push(job.settle);
    }
  }
}

/** Cuts the next fragment off a message; the message itself where it is small enough. */
function nextFragment(job: SendJob): WsFrame {
  const { frame, offset } = job;
  const { length } = frame.payload;
  if (length <= WS_MAX_FRAME_SIZE) {
    job.offset = length;
    return frame;
  }
  const end = Math.min(offset + WS_MAX_FRAME_SIZE, length);
  job.offset = end;
  const isFirst = offset === 0;
  return createFrame(
    isFirst ? frame.opcode : WS_OPCODE_CONTINUATION,
    frame.payload.subarray(offset, end),
    frame.isFinal && end === length,
    false,
    isFirst ? frame.rsv : 0,
    0,
  );
}
