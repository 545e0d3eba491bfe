/**
 * `NODE_DEBUG=wspipe`: a line on stderr for each frame on the wire, and for the beginning and the end of each connection.
 *
 * Law: no payload of a message is ever in it. Where it is off, it costs a look at a constant.
 */
import type { Duplex } from 'node:stream';
import { debuglog } from 'node:util';
import type { WsFrame } from '../../protocol/frame.ts';
import type { WsRole } from '../../protocol/header-rules.ts';
import type { WsOpcode } from '../../protocol/opcode.ts';
import type { CloseInfo } from '../closer.ts';
import type { WsConnection } from '../ws-connection.ts';

const log = debuglog('wspipe');

/** Whether anything is traced; decided once, by the environment of the process. */
export const isTracing: boolean = log.enabled;

/** What people call the opcodes. */
export const OPCODE_NAMES: Readonly<Record<WsOpcode, string>> = {
  ...{ 0: 'continuation', 1: 'text', 2: 'binary', 8: 'close', 9: 'ping', 10: 'pong' },
};

let lastNumber = 0;
/** By connection and by socket, so that both are known by one number. */
const numbers: WeakMap<object, number> = new WeakMap();

function numberOf(key: object): number {
  let number = numbers.get(key);
  if (number === undefined) numbers.set(key, (number = ++lastNumber));
  return number;
}

/** What the trace says of a frame: opcode, size, FIN, reserved bits; of a close frame its code and reason. */
export function formatFrame(frame: WsFrame): string {
  const { opcode, payload, isFinal, rsv, remainingLength } = frame;
  const words = [OPCODE_NAMES[opcode]];
  if (frame.isClose()) {
    words.push(String(frame.closeCode()));
    if (frame.closeReason() !== '') words.push(JSON.stringify(frame.closeReason()));
    return words.join(' ');
  }
  words.push(`${payload.length} bytes`);
  // A large frame comes in slices: FIN is told with the last of them.
  if (remainingLength > 0) words.push(`of ${payload.length + remainingLength} that are left`);
  else if (!frame.isControl()) words.push(isFinal ? 'fin' : 'more');
  if (rsv !== 0) words.push(`rsv ${rsv.toString(2).padStart(3, '0')}`);
  return words.join(' ');
}

/** Writes a line for a frame that has come (`<`) or leaves (`>`). */
export function traceFrame(socket: object, role: WsRole, direction: '<' | '>', frame: WsFrame): void {
  log('#%d %s %s %s', numberOf(socket), role, direction, formatFrame(frame));
}

/** Writes a line for a connection that begins to stand; it and its socket get a number. */
export function traceOpen(connection: WsConnection, socket: Duplex & { remoteAddress?: string | undefined }): void {
  const number = numberOf(socket);
  numbers.set(connection, number);
  const { role, protocol, extensions } = connection;
  const words = [socket.remoteAddress, protocol, extensions].filter((word) => word !== undefined && word !== '');
  log('#%d %s open%s', number, role, words.map((word) => ` ${word}`).join(''));
}

/** Writes a line for a connection that is over. */
export function traceClosed(connection: WsConnection, info: CloseInfo): void {
  const { code, reason, wasClean, initiator, error } = info;
  const why = reason === '' ? '' : ` ${JSON.stringify(reason)}`;
  const what = error === undefined ? '' : `: ${error.message}`;
  log(
    '#%d %s closed %d%s, %s, %s%s',
    numberOf(connection),
    connection.role,
    code,
    why,
    wasClean ? 'clean' : 'not clean',
    initiator,
    what,
  );
}
