/** Messages that are written bit by bit, among everything else that is sent: what leaves is legal and in order. */
import type { Writable } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { decodeAll, judge, record } from '../support/naive-judge.ts';
import { meet, type NaivePeer, ROLES, turns } from '../support/naive-peer.ts';

const STEPS = [
  ...['create', 'create', 'part', 'part', 'part', 'endPart', 'endPart', 'destroyNew', 'send', 'write', 'fragment'],
  ...['ping', 'peerPing', 'turn', 'pause', 'resume', 'close'],
] as const;
const anySteps = fc.array(
  fc.record({ do: fc.constantFrom(...STEPS), size: fc.constantFrom(0, 1, 9, 300, 70_000), pick: fc.nat(9) }),
  { maxLength: 40 },
);

interface Open {
  readonly stream: Writable;
  readonly note: { text: string; isTaken: boolean };
}

/** A caller that keeps the rules, and remembers what was accepted, in order. */
class Caller {
  readonly notes: Open['note'][] = [];
  readonly promises: Promise<unknown>[] = [];
  readonly conn: WsConnection;
  open: Open[] = [];
  #isInside = false;
  #count = 0;

  constructor(conn: WsConnection) {
    this.conn = conn;
  }

  text(size: number): string {
    return `${this.#count++}`.padEnd(size, '.').slice(0, size);
  }

  note(text: string): Open['note'] {
    const note = { text, isTaken: this.conn.isOpen() };
    this.notes.push(note);
    return note;
  }

  create(): void {
    if (this.#isInside) {
      if (this.conn.isOpen()) expect(() => this.conn.createMessage('text')).toThrow(TypeError);
      return;
    }
    const note = this.note('2:');
    this.open.push({ stream: this.conn.createMessage('binary'), note });
  }

  message(how: 'send' | 'write', text: string): void {
    if (this.#isInside) return;
    this.note(`1:${text}`);
    if (how === 'write') this.conn.write(text);
    else this.promises.push(this.conn.sendText(text));
  }

  fragment(isFinal: boolean): void {
    const text = this.text(3);
    if (!this.#isInside) this.note('1:');
    const note = this.notes.at(-1)!;
    if (this.conn.isOpen()) note.text += text;
    else if (this.#isInside) note.isTaken = false;
    const frame = new WsFrame(this.#isInside ? 0 : 1, Buffer.from(text), { isFinal });
    this.promises.push(this.conn.sendFrame(frame));
    this.#isInside = !isFinal;
  }

  /** Ends what is begun, so that all can be sent. */
  finish(): void {
    if (this.#isInside) this.fragment(true);
    for (const { stream } of this.open) stream.end();
  }
}

async function perform(step: (typeof STEPS)[number], size: number, pick: number, caller: Caller, peer: NaivePeer) {
  const { conn, open } = caller;
  const chosen = open[pick % Math.max(1, open.length)];
  if (step === 'create') caller.create();
  else if (step === 'send' || step === 'write') caller.message(step, caller.text(size));
  else if (step === 'fragment') caller.fragment(pick > 4);
  else if (step === 'ping') caller.promises.push(conn.sendPing('x'));
  else if (step === 'peerPing') peer.ping('y');
  else if (step === 'turn') await turns(1);
  else if (step === 'pause') peer.socket.pause();
  else if (step === 'resume') peer.socket.resume();
  else if (step === 'close') pick === 0 && caller.promises.push(conn.close());
  else if (chosen !== undefined && step === 'destroyNew') {
    if (chosen.note.text !== '2:') return;
    chosen.stream.destroy();
    chosen.note.isTaken = false;
    caller.open = open.filter((other) => other !== chosen);
  } else if (chosen !== undefined) {
    const text = caller.text(size);
    chosen.note.text += text;
    chosen.stream.write(text);
    if (step !== 'endPart') return;
    chosen.stream.end();
    caller.open = open.filter((other) => other !== chosen);
  }
}

it.each(ROLES)('any interleaving leaves as legal frames, every message whole and in order (§5.4; %s)', async (role) => {
  await fc.assert(
    fc.asyncProperty(anySteps, async (steps) => {
      const { conn, peer } = await meet(role);
      const sent = record(peer);
      const caller = new Caller(conn);
      for (const { do: step, size, pick } of steps) await perform(step, size, pick, caller, peer);
      const expected = caller.notes;
      caller.finish();
      const info = conn.close();
      peer.socket.resume();
      while (!decodeAll(sent()).frames.some(({ opcode }) => opcode === 8)) await turns(1);
      peer.close(1000);
      peer.fin();
      expect(await info).toMatchObject({ code: 1000, wasClean: true });
      await Promise.all(caller.promises);
      const { frames, rest } = decodeAll(sent());
      expect(rest).toBe(0);
      const { messages } = judge(frames, role);
      expect(messages).toEqual(expected.filter(({ isTaken }) => isTaken).map(({ text }) => text));
    }),
    { numRuns: 80 },
  );
});

it.each(ROLES)(
  'a message destroyed at any moment leaves legal frames and whole messages before 1011 (%s)',
  async (role) => {
    await fc.assert(
      fc.asyncProperty(anySteps, fc.nat(9), async (steps, pick) => {
        const { conn, peer } = await meet(role);
        const sent = record(peer);
        const caller = new Caller(conn);
        caller.create();
        for (const { do: step, size, pick } of steps) await perform(step, size, pick, caller, peer);
        const chosen = caller.open.splice(pick % Math.max(1, caller.open.length), 1)[0];
        chosen?.stream.destroy();
        if (chosen !== undefined) chosen.note.isTaken = false;
        caller.finish();
        void conn.close();
        peer.socket.resume();
        while (!decodeAll(sent()).frames.some(({ opcode }) => opcode === 8)) await turns(1);
        const code = decodeAll(sent()).frames.at(-1)!.payload.readUInt16BE();
        peer.close(code);
        peer.fin();
        expect(await conn.closeInfo).toMatchObject({ code, wasClean: code === 1000 });
        await Promise.all(caller.promises);
        const expected = caller.notes.filter(({ isTaken }) => isTaken).map(({ text }) => text);
        const { messages, isUnfinished } = judge(decodeAll(sent()).frames, role);
        // A close of ours may have cut a message of raw fragments in two: that is up to the caller.
        if (code === 1000) expect(messages).toEqual(expected);
        else expect([code, messages, isUnfinished]).toEqual([1011, expected.slice(0, messages.length), true]);
      }),
      { numRuns: 80 },
    );
  },
);
