/** What messages are read from, made by hand: frames that a spec delivers, and a note of what was asked. */
import type { MessageIteratorSource } from '../../lib/connection/reading/message-iterator.ts';
import type { Reader } from '../../lib/connection/reading/reception.ts';
import type { ProtocolError } from '../../lib/errors.ts';
import { createFrame, WsFrame } from '../../lib/protocol/frame.ts';

export class FakeSource implements MessageIteratorSource {
  readonly story: string[] = [];
  readonly queue: (WsFrame | null)[] = [];
  readonly readers: Reader[] = [];
  error: Error = new Error('cut');
  #isSkipping = false;

  readonly reception: MessageIteratorSource['reception'] = {
    wait: (reader) => {
      this.readers.push(reader);
      return () => {
        const index = this.readers.indexOf(reader);
        if (index !== -1) this.readers.splice(index, 1);
      };
    },
  };

  /** Frames come; `null` is the end. */
  deliver(...frames: (WsFrame | null)[]): void {
    for (const frame of frames) {
      if (this.#isSkipping && frame !== null && !frame.isControl()) this.#isSkipping = !frame.isFinal;
      else if (this.readers.length > 0) this.readers.shift()!(frame);
      else this.queue.push(frame);
    }
  }

  takePiece(): WsFrame | null | undefined {
    return this.queue[0] === null ? null : this.queue.shift();
  }

  violated(error: ProtocolError): void {
    this.story.push(error.code);
    this.error = error;
    this.deliver(null);
  }

  endError(): Error {
    return this.error;
  }

  unlock(): void {
    this.story.push('unlock');
  }

  skipMessage(): void {
    this.story.push('skip');
    this.#isSkipping = true;
    const rest = this.queue.splice(0);
    this.deliver(...rest);
  }

  closeAbandoned(): void {
    this.story.push('close');
  }
}

/** Begins a message. */
export const first = (text: string, opcode: 1 | 2 = 1): WsFrame =>
  new WsFrame(opcode, Buffer.from(text), { isFinal: false });
/** Goes on with it. */
export const more = (text: string): WsFrame => new WsFrame(0, Buffer.from(text), { isFinal: false });
/** Ends it. */
export const last = (text: string): WsFrame => new WsFrame(0, Buffer.from(text));
/** A slice whose frame announces so many bytes more. */
export const announcing = (text: string, remainingLength: number): WsFrame =>
  createFrame(2, Buffer.from(text), false, false, 0, remainingLength);
