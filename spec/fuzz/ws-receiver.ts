/** What the Receiver of the package `ws` makes of bytes, and where it is explained that it differs from the RFC. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import type { Role } from '../support/naive-frames.ts';
import type { Verdict } from './naive-receiver.ts';

type Receiver = new (options: object) => Writable;

/** `ws` stands beside the fuzzer, or among the peers of spec/interop, where they are installed. */
function findReceiver(): Receiver | undefined {
  for (const folder of ['spec/fuzz', 'spec/interop']) {
    const path = `${process.cwd()}/${folder}/node_modules/ws/lib/receiver.js`;
    if (existsSync(path)) return createRequire(`${process.cwd()}/`)(path) as Receiver;
  }
  return undefined;
}

const WsReceiver: Receiver | undefined = findReceiver();
export const isWsInstalled: boolean = WsReceiver !== undefined;

/** Judges as ws does, without any limit. */
export async function receiveByWs(chunks: Iterable<Buffer>, role: Role): Promise<Verdict> {
  const events: string[] = [];
  let end: Verdict['end'] = 0;
  const receiver = new WsReceiver!({ isServer: role === 'server' });
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
 */
export function isExplained(ours: Verdict, theirs: Verdict): boolean {
  const isPrefix = (short: readonly string[], long: readonly string[]): boolean =>
    short.every((event, index) => event === long[index]);
  if (!isPrefix(ours.events, theirs.events)) return false;
  const further = theirs.events.slice(ours.events.length);
  if (ours.why === 'length form') return true;
  if (ours.why === 'utf-8') return further.every((event) => /^(?:9|10):/.test(event));
  if (further.length > 0) return false;
  if (ours.end === theirs.end) return true;
  if (ours.why === 'close body') return theirs.end === 1002;
  // The length stands before the key, and ws judges it without the key.
  return theirs.end === 1009;
}
