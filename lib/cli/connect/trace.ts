/** Traces of what goes both ways: a line of JSON for each message, control frame, beginning and end. */
import type { CloseInfo } from '../../connection/closer.ts';
import { OPCODE_NAMES } from '../../connection/road/frame-trace.ts';
import type { WsConnection } from '../../connection/ws-connection.ts';
import { WsFrame } from '../../protocol/frame.ts';
import type { Sink } from '../sink.ts';
import type { PrintEvents } from './print-messages.ts';

export class Trace {
  readonly #output: Sink;

  constructor(output: Sink) {
    this.#output = output;
  }

  /** The handshake is done. */
  opened({ protocol, extensions, response }: WsConnection, url: string): Promise<boolean> {
    return this.#write({ event: 'open', url, status: response?.status, protocol, extensions });
  }

  /** A frame has come or was sent. @returns `false` where nobody reads any more */
  frame(direction: 'in' | 'out', frame: WsFrame): Promise<boolean> {
    const { opcode, payloadLength: length, isFinal } = frame;
    const part = isFinal ? {} : { isFinal };
    return this.#write({
      event: 'frame',
      direction,
      opcode: OPCODE_NAMES[opcode],
      length,
      ...part,
      ...contentOf(frame),
    });
  }

  /** The connection is over. */
  closed({ code, reason, wasClean, initiator, error }: CloseInfo): Promise<boolean> {
    return this.#write({ event: 'closed', code, reason, wasClean, initiator, error: error?.message });
  }

  #write(event: object): Promise<boolean> {
    return this.#output.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
  }
}

function contentOf(frame: WsFrame): object {
  if (frame.isClose()) return { code: frame.closeCode(), reason: frame.closeReason() };
  if (frame.isText() && frame.isFinal) return { text: frame.payloadText() };
  return { base64: Buffer.from(frame.payload).toString('base64') };
}

/**
 * Traces what comes, up to the end of the connection or of the output, and answers pings itself, so that the answers are
 * seen too. When no more messages are wanted, the end is traced all the same.
 *
 * @param conn with `controlFrames` and without `autoPong`
 */
export async function traceMessages(conn: WsConnection, trace: Trace, events: PrintEvents): Promise<void> {
  let isWanted = true;
  for await (const frame of conn) {
    if (!isWanted && !frame.isControl()) continue;
    events.arrived(frame.payloadLength);
    if (!(await trace.frame('in', frame))) return;
    events.printed();
    if (frame.isPing()) await answer(conn, trace, WsFrame.pong(frame.payload));
    if (!frame.isControl()) isWanted = events.finished();
  }
}

async function answer(conn: WsConnection, trace: Trace, pong: WsFrame): Promise<void> {
  if ((await conn.sendFrame(pong)) > 0) await trace.frame('out', pong);
}
