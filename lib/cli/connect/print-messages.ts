/**
 * Prints what comes, message by message, as it comes: a message of any size in constant memory. Who reads the output
 * slowly holds the server back.
 */

import type { WsMessage } from '../../connection/reading/ws-message.ts';
import type { WsConnection } from '../../connection/ws-connection.ts';
import { printable } from '../printable.ts';
import type { Sink } from '../sink.ts';

export interface PrintOptions {
  /** Bytes as they are, without a line feed behind each message. */
  readonly isBinary: boolean;
  /** Whether the output is a terminal, which text must not command. */
  readonly isTerminal: boolean;
}

/** Hears of what is done with what has come. */
export interface PrintEvents {
  /** Bytes have come, and are being printed. */
  arrived(bytes: number): void;
  /** They are printed: we wait for more. */
  printed(): void;
  /** A message is printed to its end. @returns whether more are wanted */
  finished(): boolean;
}

const LINE_FEED = Buffer.from('\n');

/** Prints up to the end of the connection or of the output, or until no more is wanted. */
export async function printMessages(
  conn: WsConnection,
  output: Sink,
  { isBinary, isTerminal }: PrintOptions,
  events: PrintEvents,
): Promise<void> {
  for await (const message of conn.messages()) {
    const bytes = isBinary ? pieces(message) : endedByLineFeed(isTerminal ? safe(message) : pieces(message));
    try {
      for await (const chunk of bytes) {
        events.arrived(chunk.length);
        if (!(await output.write(chunk))) return;
        events.printed();
      }
    } catch {
      // It was cut; `closeInfo` knows why.
      return;
    }
    if (!events.finished()) return;
  }
}

async function* pieces(message: WsMessage): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of message) yield chunk as Uint8Array;
}

async function* safe(message: WsMessage): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const text of message.textStream()) yield Buffer.from(printable(text));
}

/** Puts the line feed into the last chunk, as a write of its own would cost as much as the message. */
async function* endedByLineFeed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let last: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    if (last.length > 0) yield last;
    last = chunk;
  }
  yield Buffer.concat([last, LINE_FEED]);
}
