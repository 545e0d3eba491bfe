/**
 * Judges text by its frames: is a message that begins as text UTF-8, over all its fragments and slices? A parser does so
 * itself, byte by byte; this is for text that is only readable further on, behind an extension.
 *
 * @see RFC 6455 §8.1
 */
import { ProtocolError } from '../errors.ts';
import type { WsFrame } from './frame.ts';
import { type IsUtf8, Utf8Validator } from './utf8.ts';

export class TextJudge {
  readonly #utf8: Utf8Validator;
  #isText = false;

  /** @param isUtf8 a faster judge, where the platform has one */
  constructor(isUtf8?: IsUtf8 | undefined) {
    this.#utf8 = new Utf8Validator(isUtf8);
  }

  /**
   * Takes the next frame; control frames may come between.
   *
   * @throws ProtocolError (`WS_ERR_INVALID_UTF8`)
   */
  add(frame: WsFrame): void {
    if (frame.isControl()) return;
    if (!frame.isContinuation()) {
      this.#isText = frame.isText();
      this.#utf8.reset();
    }
    if (!this.#isText) return;
    assertUtf8(this.#utf8, frame.payload, frame.isFinal);
  }
}

/**
 * Judges the next piece of a text.
 *
 * @param isEnd whether the text ends with it
 * @throws ProtocolError (`WS_ERR_INVALID_UTF8`)
 */
export function assertUtf8(utf8: Utf8Validator, piece: Uint8Array, isEnd: boolean): void {
  // §8.1 "When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte stream is not, in fact, a
  // valid UTF-8 stream, that endpoint MUST _Fail the WebSocket Connection_."
  const wrong = utf8.push(piece);
  if (wrong !== -1) throw new ProtocolError('WS_ERR_INVALID_UTF8', `byte 0x${piece[wrong]!.toString(16)}`);
  if (isEnd && !utf8.isComplete) throw new ProtocolError('WS_ERR_INVALID_UTF8', 'it ends inside a character');
}
