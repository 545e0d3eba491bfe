/**
 * Data frames as they come, for a loop: fragments as the peer made them, large frames in slices. What a proxy or an echo
 * of messages of any size needs.
 */
import type { ProtocolError } from '../../errors.ts';
import type { WsFrame } from '../../protocol/frame.ts';
import { MessageMeter } from '../../protocol/message-assembler.ts';
import type { FrameSource } from './frame-iterator.ts';
import type { MessageIteratorSource } from './message-iterator.ts';
import type { Reader } from './reception.ts';

export class FragmentSource implements FrameSource {
  readonly #source: Omit<MessageIteratorSource, 'closeAbandoned'>;
  readonly #meter: MessageMeter;
  #isInside = false;

  constructor(source: Omit<MessageIteratorSource, 'closeAbandoned'>, maxMessageBytes: number) {
    this.#source = source;
    this.#meter = new MessageMeter(maxMessageBytes);
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
    try {
      this.#meter.add(frame);
    } catch (error) {
      this.#source.violated(error as ProtocolError);
      return false;
    }
    this.#isInside = !frame.isFinal;
    return true;
  }
}
