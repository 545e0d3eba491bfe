/** Whatever we are told to send, what leaves is legal; whatever comes, nothing throws, rejects or hangs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CloseInfo } from '../../lib/connection/closer.ts';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { decodeAll, judge, record } from '../support/naive-judge.ts';
import { closeBody, meet, type NaivePeer, ROLES, type Role, turns } from '../support/naive-peer.ts';

const anySize = fc.constantFrom(0, 1, 125, 126, 5000, 65_535, 65_536, 65_537, 150_000);

type Step =
  | { do: 'sendText' | 'sendBinary' | 'write' | 'abort'; size: number }
  | { do: 'fragment'; opcode: 0 | 1 | 2; isFinal: boolean }
  | { do: 'sendPing' | 'sendPong' | 'peerPing' | 'ping' | 'turn' | 'pause' | 'resume' | 'sendClose' };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('sendText', 'sendBinary', 'write', 'abort'), size: anySize }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('fragment' as const),
      opcode: fc.constantFrom(0 as const, 1 as const, 2 as const),
      isFinal: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('sendPing', 'sendPong', 'peerPing', 'ping', 'turn', 'pause', 'resume'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sendClose' as const) }) },
) as fc.Arbitrary<Step>;

/** A sender that remembers what was accepted, in order. */
class Caller {
  readonly accepted: string[] = [];
  readonly promises: Promise<unknown>[] = [];
  #open: { opcode: number; text: string } | undefined;
  readonly #conn: WsConnection;
  #count = 0;

  constructor(conn: WsConnection) {
    this.#conn = conn;
  }

  get isInsideMessage(): boolean {
    return this.#open !== undefined;
  }

  message(kind: 'sendText' | 'sendBinary' | 'write' | 'abort', size: number): void {
    // What may be missing must be told from what may not.
    const length = kind === 'abort' ? size + 100 : size;
    const text = `${this.#count++}`.padEnd(length, '.').slice(0, length);
    const isLegal = this.#open === undefined;
    // An illegal `write` destroys, which is another story.
    if (kind === 'write' && !isLegal) return;
    const isText = kind !== 'sendBinary';
    const note = `${isText ? 1 : 2}:${text}`;
    if (kind === 'write') {
      if (this.#conn.isOpen()) this.accepted.push(note);
      this.#conn.write(text);
      return;
    }
    if (kind === 'abort') {
      const controller = new AbortController();
      const sent = this.#conn.sendText(text, { signal: controller.signal });
      controller.abort();
      // It may have left or not: then it is no news to the judge.
      this.promises.push(sent.catch((error: Error) => error.name));
      if (isLegal && this.#conn.isOpen()) this.accepted.push(`?${note}`);
      return;
    }
    const wasOpen = this.#conn.isOpen();
    const sent = isText ? this.#conn.sendText(text) : this.#conn.sendBinary(Buffer.from(text));
    if (isLegal && wasOpen) this.accepted.push(note);
    this.promises.push(sent.catch((error: Error) => error.name));
  }

  fragment(opcode: 0 | 1 | 2, isFinal: boolean): void {
    const text = `<${this.#count++}>`;
    const isLegal = (opcode === 0) === (this.#open !== undefined);
    const wasOpen = this.#conn.isOpen();
    this.promises.push(
      this.#conn.sendFrame(new WsFrame(opcode, Buffer.from(text), { isFinal })).catch((error: Error) => error.name),
    );
    if (!isLegal || !wasOpen) return;
    this.#open ??= { opcode, text: '' };
    this.#open.text += text;
    if (!isFinal) return;
    this.accepted.push(`${this.#open.opcode}:${this.#open.text}`);
    this.#open = undefined;
  }
}

/** Whether the messages are those that were accepted, where those marked with `?` may be missing. */
function matches(messages: readonly string[], accepted: readonly string[]): boolean {
  let at = 0;
  for (const note of accepted) {
    const isOptional = note.startsWith('?');
    if (messages[at] === (isOptional ? note.slice(1) : note)) at++;
    else if (!isOptional) return false;
  }
  return at === messages.length;
}

async function perform(step: Step, caller: Caller, conn: WsConnection, peer: NaivePeer): Promise<void> {
  switch (step.do) {
    case 'fragment':
      return caller.fragment(step.opcode, step.isFinal);
    case 'peerPing':
      return void peer.ping('from the peer');
    case 'turn':
      return turns(1);
    case 'pause':
      return void peer.socket.pause();
    case 'resume':
      return void peer.socket.resume();
    case 'ping':
    case 'sendPing':
    case 'sendPong':
      return void caller.promises.push(conn[step.do]('x'));
    case 'sendClose':
      return void caller.promises.push(conn.sendClose(1000));
    default:
      return caller.message(step.do, step.size);
  }
}

describe.each(ROLES)('what leaves (%s)', (role) => {
  it('is a legal sequence of frames, with every message in order, for any interleaving (§5.4, §5.5)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 30 }), async (steps) => {
        const { conn, peer } = await meet(role);
        const sent = record(peer);
        const caller = new Caller(conn);
        for (const step of steps) await perform(step, caller, conn, peer);
        const info = conn.close();
        peer.socket.resume();
        while (!decodeAll(sent()).frames.some(({ opcode }) => opcode === 8)) await turns(1);
        peer.close(1000);
        peer.fin();
        expect(await info).toMatchObject({ code: 1000, wasClean: true });
        await Promise.all(caller.promises);
        const { frames, rest } = decodeAll(sent());
        expect(rest).toBe(0);
        const { messages, isUnfinished } = judge(frames, role);
        expect(matches(messages, caller.accepted)).toBe(true);
        expect(isUnfinished).toBe(caller.isInsideMessage);
      }),
      { numRuns: 150 },
    );
  });
});

// What comes.

type Consumer = 'loop' | 'data' | 'echo' | 'late' | 'readable' | 'nobody';
const anyConsumer = fc.constantFrom<Consumer>('loop', 'data', 'echo', 'late', 'readable', 'nobody');

/** Reads in one of the usual ways. @returns settles when reading is over */
async function consume(conn: WsConnection, how: Consumer): Promise<unknown> {
  switch (how) {
    case 'loop':
      for await (const frame of conn) await conn.sendFrame(frame);
      return;
    case 'data':
      return void conn.on('data', (frame: WsFrame) => conn.sendBinary(frame.payload));
    case 'readable':
      return void conn.on('readable', () => {
        while (conn.read() !== null);
      });
    case 'echo':
      return void conn.pipe(conn);
    case 'late':
      await turns(6);
      while ((await conn.recvFrame()) !== null);
      return;
    default:
      return;
  }
}

/** Bytes that are frames, nearly frames, or nothing of the kind. */
const anyBytes = (role: Role): fc.Arbitrary<Buffer> => {
  const isMasked = role === 'server';
  const frame = fc
    .record({
      first: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
        { weight: 1, arbitrary: fc.constant(0x88) },
      ),
      payload: fc.oneof(
        fc.uint8Array({ maxLength: 20 }),
        fc.constant(Buffer.from('héllo')),
        fc.constant(closeBody(1000)),
      ),
      isRight: fc.integer({ min: 0, max: 20 }).map((n) => n > 0),
    })
    .map(({ first, payload, isRight }) => {
      const masked = isMasked === isRight;
      const mask = masked ? [0, 0, 0, 0] : [];
      return Buffer.from([first, (masked ? 0x80 : 0) | payload.length, ...mask, ...payload]);
    });
  const piece = fc.oneof({ weight: 8, arbitrary: frame }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }) });
  return fc.array(piece, { maxLength: 12 }).map((pieces) => Buffer.concat(pieces));
};

describe.each(ROLES)('what comes (%s)', (role) => {
  it('never throws or rejects, whatever it is; closeInfo settles, and what we answer is legal', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyBytes(role),
        fc.array(fc.nat({ max: 200 }), { maxLength: 4 }),
        anyConsumer,
        fc.constantFrom('fin', 'reset', 'both' as const),
        async (bytes, cuts, how, end) => {
          const { conn, peer } = await meet(role, { closeTimeoutMs: 10, maxMessageBytes: 30 });
          const sent = record(peer);
          const consumed = consume(conn, how);
          const waits = [conn.ping(), conn.ping('x', { timeoutMs: 5000 }), conn.sendText('hello')];
          const places = [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
          let at = 0;
          for (const place of places) {
            peer.raw(bytes.subarray(at, place));
            at = place;
            await turns(1);
          }
          if (end !== 'reset') peer.fin();
          if (end !== 'fin') peer.reset();
          const info: CloseInfo = await conn.closeInfo;
          expect(info.wasClean).toBe(info.error === undefined);
          await consumed;
          await Promise.all(waits);
          while ((await conn.recvFrame()) !== null);
          expect(await conn.sendText('late')).toBe(0);
          judge(decodeAll(sent()).frames, role);
        },
      ),
      { numRuns: 250 },
    );
  });
});

/** A session of the peer's, with the number of messages that are whole after each frame. */
function session(peer: NaivePeer): { bytes: Buffer; messages: string[]; wholeAt: (length: number) => number } {
  const parts: [Buffer, string?][] = [
    [peer.encode(1, 'first')],
    [peer.encode(9, 'ping')],
    [peer.encode(2, 'frag', false)],
    [peer.encode(10, 'unasked')],
    [peer.encode(0, '', false)],
    [peer.encode(0, 'mented')],
    [peer.encode(2, 'x'.repeat(130))],
    [peer.encode(1, '')],
    [peer.encode(1, 'é€😀')],
    [peer.encode(8, closeBody(4000, 'over'))],
  ];
  const ends: number[] = [];
  let length = 0;
  for (const [index, [bytes]] of parts.entries()) {
    length += bytes.length;
    if ([0, 5, 6, 7, 8].includes(index)) ends.push(length);
  }
  return {
    bytes: Buffer.concat(parts.map(([bytes]) => bytes)),
    messages: ['first', 'fragmented', 'x'.repeat(130), '', 'é€😀'],
    wholeAt: (at) => ends.filter((end) => end <= at).length,
  };
}

const CUTS = ROLES.flatMap((role) =>
  (['fin', 'reset'] as const).flatMap((how) =>
    (['loop', 'pipe', 'afterwards'] as const).map((reader) => ({ role, how, reader })),
  ),
);

describe('a session that is cut after each of its bytes', () => {
  it.each(CUTS)(
    'by $how, as $role, read in a $reader: nothing hangs, nothing comes twice or half',
    async ({ role, how, reader }) => {
      const { peer: sample } = await meet(role);
      const { length } = session(sample).bytes;
      for (let at = 0; at <= length; at++) {
        const { conn, peer } = await meet(role, { closeTimeoutMs: 1000 });
        peer.listen();
        const { bytes, messages, wholeAt } = session(peer);
        const waits = [conn.ping(), conn.sendText('a'), conn.sendBinary(Buffer.alloc(100_000))];
        const texts: string[] = [];
        const read = async (): Promise<void> => {
          for await (const frame of conn) texts.push(frame.payloadText());
        };
        const ended = new Promise<void>((resolve) => void conn.once('close', resolve));
        const reading = reader === 'loop' ? read() : undefined;
        if (reader === 'pipe') conn.on('data', (frame: WsFrame) => texts.push(frame.payloadText()));
        if (at > 0) peer.raw(bytes.subarray(0, at));
        if (how === 'fin') peer.fin();
        else peer.reset();
        if (reader === 'afterwards') {
          // A close frame that is not read up to waits, so it is read before.
          await turns(2);
          await read();
        }
        await reading;
        const info = await conn.closeInfo;
        await ended;
        await Promise.all(waits);
        // A reset may overtake what came before; a FIN may not.
        if (how === 'fin') expect(texts).toEqual(messages.slice(0, wholeAt(at)));
        else expect(texts).toEqual(messages.slice(0, texts.length));
        if (how === 'fin') expect([info.code, info.wasClean]).toEqual(at === length ? [4000, true] : [1006, false]);
      }
    },
  );
});
