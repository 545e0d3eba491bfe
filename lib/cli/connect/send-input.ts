/**
 * Sends what comes on standard input, as the options say: a line a message, bytes in binary messages, or all of it as one
 * message. It waits for the connection, so what is sent is never gathered.
 */
import { pipeline } from 'node:stream/promises';
import type { WsConnection } from '../../connection/ws-connection.ts';
import { WsFrame } from '../../protocol/frame.ts';
import { WS_OPCODE_BINARY, WS_OPCODE_TEXT } from '../../protocol/opcode.ts';
import { LineCutter, LineError } from '../lines.ts';
import type { Input } from '../terminal.ts';
import type { ConnectCommand } from './connect-arguments.ts';

/** Hears of each message that was sent, and of each piece of a message that is sent bit by bit; a promise that it gives is waited for. */
export type OnSent = (frame: WsFrame) => unknown;

/**
 * Sends the input up to its end.
 *
 * @returns whether all of it was sent; `false` where the connection was over before
 * @throws LineError for what cannot be a text message, and the input's own error
 */
export async function sendInput(
  stdin: Input,
  conn: WsConnection,
  { isBinary, isWhole, maxLineBytes }: Pick<ConnectCommand, 'isBinary' | 'isWhole' | 'maxLineBytes'>,
  onSent: OnSent,
): Promise<boolean> {
  if (isWhole) return sendWhole(stdin, conn, isBinary, onSent);
  const send = async (frame: WsFrame): Promise<boolean> => {
    if ((await conn.sendFrame(frame)) === 0) return false;
    await onSent(frame);
    return true;
  };
  if (isBinary) {
    for await (const chunk of stdin) if (!(await send(WsFrame.binary(chunk)))) return false;
    return true;
  }
  const cutter = new LineCutter(maxLineBytes);
  for await (const chunk of stdin) {
    for (const line of cutter.push(chunk)) if (!(await send(new WsFrame(WS_OPCODE_TEXT, line)))) return false;
  }
  for (const line of cutter.end()) if (!(await send(new WsFrame(WS_OPCODE_TEXT, line)))) return false;
  return true;
}

async function sendWhole(stdin: Input, conn: WsConnection, isBinary: boolean, onSent: OnSent): Promise<boolean> {
  const opcode = isBinary ? WS_OPCODE_BINARY : WS_OPCODE_TEXT;
  const counted = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      yield chunk;
      await onSent(new WsFrame(opcode, chunk, { isFinal: false }));
    }
  };
  try {
    await pipeline(stdin, counted, conn.createMessage(isBinary ? 'binary' : 'text'));
    return true;
  } catch (error) {
    if (!isBinary && error instanceof TypeError) throw new LineError('it is not UTF-8', false);
    if (!conn.isOpen()) return false;
    throw error;
  }
}
