/** Judges what a connection has sent: rule by rule, as plainly as RFC 6455 says them, and with no line of `lib/`. */
import { naiveDecode, type Role, type WireFrame } from './naive-frames.ts';
import type { NaivePeer } from './naive-peer.ts';

/** Judges what a connection in the role has sent, rule by rule, and joins the messages. */
export function judge(frames: readonly WireFrame[], role: Role): { messages: string[]; isUnfinished: boolean } {
  const messages: string[] = [];
  let open: { opcode: number; parts: Buffer[] } | undefined;
  let hasClosed = false;
  for (const { opcode, isFinal, isMasked, rsv, payload } of frames) {
    if (hasClosed) throw new Error(`opcode ${opcode} behind a close frame (§5.5.1)`);
    if (isMasked !== (role === 'client')) throw new Error('wrong masking (§5.1)');
    if (rsv !== 0) throw new Error('reserved bits (§5.2)');
    if (![0, 1, 2, 8, 9, 10].includes(opcode)) throw new Error(`opcode ${opcode} (§5.2)`);
    if (opcode >= 8) {
      if (!isFinal || payload.length > 125) throw new Error('a bad control frame (§5.5)');
      hasClosed = opcode === 8;
      if (hasClosed && payload.length === 1) throw new Error('a bad close body (§5.5.1)');
      continue;
    }
    if ((opcode === 0) !== (open !== undefined)) throw new Error('a wrong sequence (§5.4)');
    open ??= { opcode, parts: [] };
    open.parts.push(payload);
    if (!isFinal) continue;
    messages.push(`${open.opcode}:${Buffer.concat(open.parts).toString('latin1')}`);
    open = undefined;
  }
  return { messages, isUnfinished: open !== undefined };
}

/** Decodes all that is whole; says whether something was left over. */
export function decodeAll(bytes: Buffer): { frames: WireFrame[]; rest: number } {
  const frames: WireFrame[] = [];
  let at = 0;
  for (let found = naiveDecode(bytes); found !== undefined; found = naiveDecode(bytes.subarray(at))) {
    frames.push(found.frame);
    at += found.length;
  }
  return { frames, rest: bytes.length - at };
}

/** Notes every byte that the connection sends. */
export function record(peer: NaivePeer): () => Buffer {
  const chunks: Buffer[] = [];
  peer.socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks);
}
