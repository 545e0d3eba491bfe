/** What the Receiver of the package `ws` makes of bytes, and where it is explained that it differs from the RFC. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import type { Role } from '../support/naive-frames.ts';
import type { NaiveDeflate, Verdict } from './naive-receiver.ts';

type Receiver = new (options: object) => Writable;
type PerMessageDeflate = new (options: object) => { params: object; cleanup(): void };

/** `ws` stands beside the fuzzer, or among the peers of spec/interop, where they are installed. */
function findPart(name: string): unknown {
  for (const folder of ['spec/fuzz', 'spec/interop']) {
    const path = `${process.cwd()}/${folder}/node_modules/ws/lib/${name}.js`;
    if (existsSync(path)) return createRequire(`${process.cwd()}/`)(path);
  }
  return undefined;
}

const WsReceiver = findPart('receiver') as Receiver | undefined;
const WsDeflate = findPart('permessage-deflate') as PerMessageDeflate | undefined;
export const isWsInstalled: boolean = WsReceiver !== undefined;

/** Makes its permessage-deflate, as if the handshake had agreed on this. */
function agreeWithWs(
  isServer: boolean,
  { windowBytes, contextTakeover }: NaiveDeflate,
): InstanceType<PerMessageDeflate> {
  const deflate = new WsDeflate!({ isServer });
  const peer = isServer ? 'client' : 'server';
  deflate.params = {
    [`${peer}_max_window_bits`]: Math.log2(windowBytes),
    ...(contextTakeover ? {} : { [`${peer}_no_context_takeover`]: true }),
  };
  return deflate;
}

export type WsVerdict = Pick<Verdict, 'events' | 'end'>;

/** Judges as ws does, without any limit. */
export async function receiveByWs(chunks: Iterable<Buffer>, role: Role, agreed?: NaiveDeflate): Promise<WsVerdict> {
  const events: string[] = [];
  let end: Verdict['end'] = 0;
  const isServer = role === 'server';
  const deflate = agreed && agreeWithWs(isServer, agreed);
  const receiver = new WsReceiver!({ isServer, extensions: deflate ? { 'permessage-deflate': deflate } : {} });
  receiver.on('message', (data: Buffer, isBinary: boolean) =>
    events.push(`${isBinary ? 2 : 1}:${data.toString('latin1')}`),
  );
  receiver.on('ping', (data: Buffer) => events.push(`9:${data.toString('latin1')}`));
  receiver.on('pong', (data: Buffer) => events.push(`10:${data.toString('latin1')}`));
  receiver.on('conclude', () => (end = 'closed'));
  receiver.on('error', (error: Error) => {
    const symbol = Object.getOwnPropertySymbols(error).find(({ description }) => description === 'status-code');
    end = symbol === undefined ? 1002 : ((error as unknown as Record<symbol, number>)[symbol] ?? 1002);
  });
  for (const chunk of chunks) {
    if (end !== 0) break;
    await new Promise<void>((resolve) => void receiver.write(chunk, () => resolve()));
  }
  await new Promise<void>((resolve) => setImmediate(resolve));
  receiver.destroy();
  deflate?.cleanup();
  return { events, end };
}

/**
 * Where ws is laxer than the RFC, or sees the same later. Everything else that differs is a failure.
 *
 * - `length form`: §5.2 "the minimal number of bytes MUST be used to encode the length"; ws takes any form, so it may
 *   give more than we do.
 * - `length bit`: §5.2 "the most significant bit MUST be 0"; ws refuses all lengths above 2^53 - 1, with 1009. Those
 *   below 2^63 break no rule, and are refused by our limits.
 * - `utf-8`: §8.1 may be seen at the byte that breaks it; ws looks when the message is whole, so it still gives the
 *   control frames between, and may see something else first, or nothing.
 * - `close body`: ws refuses a close frame of one byte at its header, and we when the byte is there.
 * - `deflate`: RFC 7692 §7.2.2 a message ends where a block ends; ws takes what has come of a block that is cut off, so
 *   it may give more than we do.
 * - a compressed message of no byte at all: §7.2.3.6 makes an empty one a byte long; ws, like zlib, then waits for the
 *   rest of a block, and takes what comes next for it. We take the message as empty.
 * - a final block: §7.2.3.4 lets a message have one, and what follows it belongs to the message; ws drops that in
 *   silence (CVE-2026-87022), and forgets the window. What it makes of the rest says nothing.
 * - `frayed`: a bit or two of another block stand behind the last one, which no honest compressor leaves there. zlib sees
 *   them when the next message has come, and so do we.
 * - `not whole`: what a part of a compressed frame already shows, ws sees when the frame is whole.
 */
export function isExplained(ours: Verdict, theirs: WsVerdict): boolean {
  const isPrefix = (short: readonly string[], long: readonly string[]): boolean =>
    short.every((event, index) => event === long[index]);
  if (ours.settled !== undefined) return isPrefix(ours.events.slice(0, ours.settled), theirs.events);
  if (!isPrefix(ours.events, theirs.events)) return false;
  const further = theirs.events.slice(ours.events.length);
  if (ours.why === 'length form' || ours.why === 'deflate' || ours.why === 'frayed') return true;
  if (ours.why === 'utf-8') return further.every((event) => /^(?:9|10):/.test(event));
  if (further.length > 0) return false;
  if (ours.end === theirs.end || (ours.why === 'not whole' && theirs.end === 0)) return true;
  if (ours.why === 'close body') return theirs.end === 1002;
  // The length stands before the key, and ws judges it without the key.
  return theirs.end === 1009;
}
