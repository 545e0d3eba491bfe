/**
 * Data frames as they come, for a loop: fragments as the peer made them, large frames in slices. What a proxy or an echo
 * of messages of any size needs.
 */
import { ProtocolError } from '../errors.ts';
import type { WsFrame } from '../protocol/frame.ts';
import type { FrameSource } from './frame-iterator.ts';
import type { MessageIteratorSource } from './message-iterator.ts';
import type { Reader } from './reception.ts';

export class FragmentSource implements FrameSource {
  readonly #source: Omit<MessageIteratorSource, 'closeAbandoned'>;
  readonly #maxMessageBytes: number;
  #messageBytes = 0;
  #isInside = false;

  constructor(source: Omit<MessageIteratorSource, 'closeAbandoned'>, maxMessageBytes: number) {
    this.#source = source;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** The loop waits here as it would at the connection's own reception. */
  get reception(): this {
    return this;
  }

  take(): WsFrame | null | undefined {
    for (;;) {
      const frame = this.#source.takePiece();
      if (frame === undefined || frame === null || this.#isWanted(frame)) return frame;
    }
  }

  wait(reader: Reader): void {
    this.#source.reception.wait((frame) => {
      if (frame === null || this.#isWanted(frame)) {
        reader(frame);
        return;
      }
      const next = this.take();
      if (next === undefined) this.wait(reader);
      else reader(next);
    });
  }

  leaveLoop(): void {
    if (this.#isInside) this.#source.skipMessage();
    this.#source.unlock();
  }

  /** Judges the size of the message; control frames have been handled, and are passed over. */
  #isWanted(frame: WsFrame): boolean {
    if (frame.isControl()) return false;
    const bytes = this.#messageBytes + frame.payload.length;
    if (bytes + frame.remainingLength > this.#maxMessageBytes) {
      this.#source.violated(
        new ProtocolError('WS_ERR_MESSAGE_TOO_LARGE', `at least ${bytes + frame.remainingLength} bytes`),
      );
      return false;
    }
    this.#isInside = !frame.isFinal;
    this.#messageBytes = frame.isFinal ? 0 : bytes;
    return true;
  }
}
