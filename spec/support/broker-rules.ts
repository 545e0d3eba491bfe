/**
 * What an adapter owes (lib/fanout/backplane/broker.ts), as tests: each adapter's spec runs them against its real broker. Whoever
 * writes an adapter may take this file along.
 */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Broker, BrokerHandlers, LogEntry } from '../../lib/fanout/backplane/broker.ts';
import { encodeEnvelope } from '../../lib/fanout/backplane/envelope.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';

/** An adapter, and what its broker can be made to do. */
export interface BrokerSubject {
  /** Makes an adapter that is not started; with a log, one that keeps so many messages. */
  create(maxMessages: number): Promise<Broker> | Broker;
  kill(): Promise<void>;
  revive(): Promise<void>;
}

const WAIT = { timeout: 15_000 };
const NAMES = ['a', 'a b', 'a.b', 'a*b', '*', '>', 'ä', '😀', 'a:b', '{a}', 'a%20b', 'A'];

/** An adapter that is started, and all that it has told. */
class Started {
  readonly broker: Broker;
  readonly story: string[] = [];
  readonly messages: string[] = [];
  readonly entries: LogEntry[] = [];

  constructor(broker: Broker) {
    this.broker = broker;
    const handlers: BrokerHandlers = {
      connected: () => this.story.push('connected'),
      disconnected: () => this.story.push('disconnected'),
      message: (channel, bytes) => this.messages.push(`${channel} ${textOf(bytes)}`),
      appended: (channel, entry) => {
        this.entries.push(entry);
        this.messages.push(`${channel} ${textOf(entry.bytes)}`);
      },
      malformed: (channel, reason) => this.story.push(`malformed ${channel} ${reason}`),
    };
    broker.start(handlers);
  }

  async told(what: string): Promise<void> {
    await vi.waitFor(() => expect(this.story).toContain(what), WAIT);
  }

  async got(...messages: string[]): Promise<void> {
    await vi.waitFor(() => expect(this.messages.length).toBeGreaterThanOrEqual(messages.length), WAIT);
    expect(this.messages).toEqual(messages);
  }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(16)).toString('latin1');

/** Makes messages of a publisher of its own, numbered from 1 on. */
export function createPublisher(): (payload: string | Uint8Array) => Buffer {
  const id = crypto.getRandomValues(new Uint8Array(8));
  let sequence = 0;
  return (payload) => encodeEnvelope(id, ++sequence, WsFrame.binary(Buffer.from(payload as Uint8Array)));
}

/** Starts an adapter for the test; it is closed when that ends. */
async function start(subject: BrokerSubject, maxMessages = 1000): Promise<Started> {
  const started = new Started(await subject.create(maxMessages));
  onTestFinished(() => started.broker.close());
  await started.told('connected');
  return started;
}

/** Defines the tests. @param prepare makes a broker of its own for a test */
export function describeBroker(kind: string, prepare: () => Promise<BrokerSubject>, hasLog: boolean): void {
  describe(`${kind}, as a broker`, () => {
    it('brings what is published to all who have subscribed, in order, and every byte of it', async () => {
      const subject = await prepare();
      const [one, other, deaf] = [await start(subject), await start(subject), await start(subject)];
      for (const { broker } of [one, other]) await broker.subscribe('x');
      const write = createPublisher();
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      const payloads = ['', Buffer.from(bytes).toString('latin1'), ...Array.from({ length: 300 }, (_, i) => `${i}`)];
      const batch = payloads.map((payload) => write(Buffer.from(payload, 'latin1')));
      expect(await one.broker.publish('x', batch.slice(0, 2))).toBe(true);
      expect(await one.broker.publish('x', batch.slice(2))).toBe(true);
      const expected = payloads.map((payload) => `x ${payload}`);
      await Promise.all([one.got(...expected), other.got(...expected)]);
      expect(deaf.messages).toEqual([]);
    });

    it('keeps names apart, whatever is in them', async () => {
      const subject = await prepare();
      const started = await start(subject);
      const write = NAMES.map(createPublisher);
      for (const name of NAMES) await started.broker.subscribe(name);
      for (const [index, name] of NAMES.entries()) await started.broker.publish(name, [write[index]!('')]);
      await vi.waitFor(() => expect(started.messages).toHaveLength(NAMES.length), WAIT);
      expect(started.messages.toSorted()).toEqual(NAMES.map((name) => `${name} `).toSorted());
    });

    it('brings nothing twice to who subscribes twice, and nothing to who has unsubscribed', async () => {
      const subject = await prepare();
      const [one, other] = [await start(subject), await start(subject)];
      const write = createPublisher();
      for (let i = 0; i < 2; i++) await one.broker.subscribe('x');
      await other.broker.publish('x', [write('a')]);
      await one.got('x a');
      await one.broker.unsubscribe('x');
      await other.broker.publish('x', [write('b')]);
      await one.broker.subscribe('x');
      await other.broker.publish('x', [write('c')]);
      await one.got('x a', 'x c');
    });

    it('tells when it goes and comes back, and can then be subscribed to again', { timeout: 40_000 }, async () => {
      const subject = await prepare();
      const [one, other] = [await start(subject), await start(subject)];
      const write = createPublisher();
      await one.broker.subscribe('x');
      await subject.kill();
      await Promise.all([one.told('disconnected'), other.told('disconnected')]);
      const lost = write('lost');
      const answers: unknown[] = [];
      void other.broker.publish('x', [lost]).then((isTaken) => answers.push(isTaken));
      for (const { story } of [one, other]) story.length = 0;
      await subject.revive();
      await Promise.all([one.told('connected'), other.told('connected')]);
      // What cannot be known is not taken: it says so, or says nothing at all.
      expect(answers).not.toContain(true);
      await one.broker.subscribe('x');
      expect(await other.broker.publish('x', [write('back')])).toBe(true);
      await vi.waitFor(() => expect(one.messages.at(-1)).toBe('x back'), WAIT);
      expect(one.messages.filter((message) => message === 'x back')).toHaveLength(1);
    });

    it('tells nothing after it was closed, and is closed also where it is away', async () => {
      const subject = await prepare();
      const [one, other] = [await start(subject), await start(subject)];
      await one.broker.subscribe('x');
      await one.broker.close();
      const told = one.story.length;
      await other.broker.publish('x', [createPublisher()('a')]);
      await subject.kill();
      await other.told('disconnected');
      await other.broker.close();
      expect(one.messages).toEqual([]);
      expect(one.story).toHaveLength(told);
    });
  });

  if (hasLog) describeLog(kind, prepare);
}

function describeLog(kind: string, prepare: () => Promise<BrokerSubject>): void {
  /** A log in which there is something. */
  async function fill(count: number, maxMessages?: number) {
    const subject = await prepare();
    const started = await start(subject, maxMessages);
    const { broker } = started;
    const log = broker.log!;
    const origin = await log.newest('x');
    await broker.subscribe('x');
    const write = createPublisher();
    const batch = Array.from({ length: count }, (_, index) => write(`${index}`));
    await broker.publish('x', batch);
    await vi.waitFor(() => expect(started.entries).toHaveLength(count), WAIT);
    const read = async (after: string | undefined, limit = 100) => {
      const { entries, isGap } = await log.read('x', after, limit);
      return { texts: entries.map(({ bytes }) => textOf(bytes)), isGap };
    };
    return { subject, started, broker, log, origin, batch, write, read, ids: started.entries.map(({ id }) => id) };
  }

  describe(`the log of ${kind}`, () => {
    it('is a chain of places, told as it is read', async () => {
      const { log, origin, ids, started } = await fill(5);
      const places = [origin, ...ids];
      expect(started.entries.map(({ previous }) => previous)).toEqual(places.slice(0, -1));
      expect(await log.newest('x')).toBe(ids.at(-1));
      for (let i = 0; i < 5; i++) expect(log.compare(places[i]!, places[i + 1]!)).toBeLessThan(0);
      expect(log.compare(ids[4]!, ids[0]!)).toBeGreaterThan(0);
      expect(log.compare(ids[2]!, ids[2]!)).toBe(0);
      expect((await log.read('x', undefined, 100)).entries).toEqual(started.entries);
    });

    it('is read behind a place, a page at a time', async () => {
      const { read, ids, log, origin } = await fill(5);
      expect(await read(ids[1], 2)).toEqual({ texts: ['2', '3'], isGap: false });
      expect(await read(ids[4])).toEqual({ texts: [], isGap: false });
      expect(await read(origin)).toEqual({ texts: ['0', '1', '2', '3', '4'], isGap: false });
      expect(await log.placeBefore('x', 2)).toBe(ids[2]);
      expect(await log.placeBefore('x', 0)).toBe(ids[4]);
      expect(await log.placeBefore('x', 5)).toBeUndefined();
      expect(await log.read('nothing here', undefined, 9)).toEqual({ entries: [], isGap: false });
    });

    it('knows what is gone, and what was never there', async () => {
      const { read, ids } = await fill(6, 3);
      expect(await read(ids[2])).toEqual({ texts: ['3', '4', '5'], isGap: false });
      for (const place of [
        ids[1],
        '',
        'x',
        '99999999999999-0',
        '1-1',
        '18446744073709551616-0',
        '-',
        '+ COUNT 1',
        '$',
      ]) {
        expect(await read(place), String(place)).toEqual({ texts: ['3', '4', '5'], isGap: true });
      }
    });

    it('takes nothing twice, also where only a part of it is new', async () => {
      const { broker, batch, write, read } = await fill(3);
      expect(await broker.publish('x', batch)).toBe(true);
      expect(await broker.publish('x', [...batch, write('new')])).toBe(true);
      expect((await read(undefined)).texts).toEqual(['0', '1', '2', 'new']);
    });

    it('is still there when the broker was killed and came back', { timeout: 40_000 }, async () => {
      const { subject, started, broker, batch, write, read, ids } = await fill(3);
      await subject.kill();
      await started.told('disconnected');
      await expect(read(undefined)).rejects.toThrow();
      started.story.length = 0;
      await subject.revive();
      await started.told('connected');
      expect(await broker.publish('x', [...batch, write('3')])).toBe(true);
      expect(await read(ids[0])).toEqual({ texts: ['1', '2', '3'], isGap: false });
    });
  });
}
