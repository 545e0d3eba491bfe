/**
 * The user's own streams fail, at each step, around messages that are written and read and around plain bytes: the
 * pipeline says so, the other end learns of it, both ends can be closed, and whole messages stay whole.
 */
import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { createPair } from '../../lib/endpoint/pair.ts';
import { turns } from '../support/endpoints.ts';
import { outcome } from '../support/outcome.ts';

const STEPS = [0, 1, 2, 3, 5];
const CHUNK = Buffer.alloc(70_000, 'x');
const fault = new Error('the user fails');

/** Gives chunks, and fails behind so many. */
function failingSource(step: number, how: 'throw' | 'destroy'): Readable {
  if (how === 'throw') {
    return Readable.from(
      (async function* () {
        for (let i = 0; i < step; i++) yield CHUNK;
        throw fault;
      })(),
    );
  }
  let given = 0;
  return new Readable({
    read() {
      if (given++ < step) this.push(CHUNK);
      else this.destroy(fault);
    },
  });
}

/** Takes chunks, and fails at one. */
function failingSink(step: number, how: 'write' | 'final' | 'destroy'): Writable {
  let taken = 0;
  return new Writable({
    write(_chunk, _encoding, done) {
      if (how === 'write' && taken++ >= step) done(fault);
      else if (how === 'destroy' && taken++ >= step) this.destroy(fault);
      else setImmediate(done);
    },
    final: (done) => done(how === 'final' ? fault : null),
  });
}

const failingStage = (step: number): Transform => {
  let passed = 0;
  return new Transform({
    transform: (chunk, _encoding, done) => (passed++ >= step ? done(fault) : done(null, chunk)),
  });
};

/** Reads whole messages until the end. */
async function readAll(conn: WsConnection): Promise<number[]> {
  const sizes: number[] = [];
  for await (const frame of conn) sizes.push(frame.payloadLength);
  return sizes;
}

const sources = STEPS.flatMap((step) => (['throw', 'destroy'] as const).map((how) => ({ step, how })));
const sinks = STEPS.flatMap((step) => (['write', 'final', 'destroy'] as const).map((how) => ({ step, how })));

describe('a source that fails', () => {
  it.each(sources)(
    'behind $step chunks (by $how), in a message: 1011, and nobody gets half of it',
    async ({ step, how }) => {
      const { client, server } = createPair({ client: { closeTimeoutMs: 500 }, server: { closeTimeoutMs: 500 } });
      const read = readAll(server);
      await client.sendBinary(Buffer.alloc(10));
      expect(await outcome(pipeline(failingSource(step, how), client.createMessage('binary')))).toBe(fault);
      await turns(3);
      // Of what has not begun to leave, nothing is known: the connection goes on.
      if (client.isOpen()) await client.sendBinary(Buffer.alloc(20));
      const wasOpen = client.isOpen();
      const [info] = await Promise.all([client.close(), server.close()]);
      expect(await read).toEqual(wasOpen ? [10, 20] : [10]);
      expect(info.wasClean).toBe(wasOpen);
      if (!wasOpen) expect((await server.closeInfo).code).toBe(1011);
      // What is written is gathered, so a first chunk may have begun to leave or not; five have.
      if (step === 0) expect(wasOpen).toBe(true);
      if (step === 5) expect(wasOpen).toBe(false);
    },
  );

  it.each(sources)(
    'behind $step chunks (by $how), piped into a connection: whole messages, then the cut',
    async ({ step, how }) => {
      const { client, server } = createPair();
      const read = readAll(server);
      expect(await outcome(pipeline(failingSource(step, how), client))).toBe(fault);
      const sizes = await read;
      expect(sizes.every((size) => size === CHUNK.length)).toBe(true);
      expect(sizes.length).toBeLessThanOrEqual(step);
      expect(await server.closeInfo).toMatchObject({ code: 1006, wasClean: false, initiator: 'remote' });
      expect(await client.closeInfo).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
    },
  );

  it.each(sources)('behind $step chunks (by $how), as plain bytes: both ends are cut', async ({ step, how }) => {
    const { client, server } = createPair();
    const bytes = server.byteStream();
    const received = outcome(pipeline(bytes, failingSink(Number.POSITIVE_INFINITY, 'write')));
    expect(await outcome(pipeline(failingSource(step, how), client.byteStream()))).toBe(fault);
    expect(await received).toBeInstanceOf(Error);
    expect((await server.closeInfo).wasClean).toBe(false);
    expect((await client.closeInfo).wasClean).toBe(false);
  });
});

describe('a sink that fails', () => {
  it.each(sinks)(
    'at chunk $step (by $how), of a message: the rest is thrown away, and the next one comes',
    async ({ step, how }) => {
      const { client, server } = createPair();
      const sent = Promise.all([client.sendBinary(Buffer.alloc(700_000)), client.sendText('next')]);
      const seen: unknown[] = [];
      for await (const message of server.messages()) {
        if (message.type === 'binary') seen.push(await outcome(pipeline(message, failingSink(step, how))));
        else {
          seen.push(await message.text());
          break;
        }
      }
      expect(seen).toEqual([fault, 'next']);
      await sent;
      const [info] = await Promise.all([client.close(), server.close()]);
      expect(info).toMatchObject({ code: 1000, wasClean: true });
    },
  );

  it.each(sinks.filter(({ how }) => how !== 'final'))(
    'at chunk $step (by $how), with onAbandoned: close: 1008',
    async ({ step, how }) => {
      const { client, server } = createPair();
      const sent = client.sendBinary(Buffer.alloc(700_000));
      const seen: unknown[] = [];
      for await (const message of server.messages({ onAbandoned: 'close' })) {
        seen.push(await outcome(pipeline(message, failingSink(step, how))));
      }
      expect(seen).toEqual([fault]);
      await sent;
      const [info] = await Promise.all([client.close(), server.close()]);
      expect(info.code).toBe(1008);
    },
  );

  it.each(sinks)('at chunk $step (by $how), of plain bytes: both ends are cut', async ({ step, how }) => {
    const { client, server } = createPair();
    const bytes = client.byteStream();
    const sending = (async () => {
      for (let i = 0; i < 8; i++) if (!bytes.write(CHUNK)) await turns(1);
      bytes.end();
      bytes.resume();
    })();
    expect(await outcome(pipeline(server.byteStream(), failingSink(step, how)))).toBe(fault);
    await sending;
    await Promise.all([client.closeInfo, server.closeInfo]);
  });

  it.each(STEPS)('at message %i, of a connection: it is cut, and says so', async (step) => {
    const { client, server } = createPair();
    const sink = new Writable({
      objectMode: true,
      write: (_frame, _encoding, done) => (step-- > 0 ? done() : done(fault)),
    });
    const sending = Promise.all(Array.from({ length: 10 }, () => client.sendBinary(CHUNK)));
    expect(await outcome(pipeline(server, sink))).toBe(fault);
    await sending;
    expect(await server.closeInfo).toMatchObject({ code: 1006, initiator: 'local' });
    expect(await client.closeInfo).toMatchObject({ code: 1006, initiator: 'remote' });
  });
});

describe('a stage between that fails', () => {
  it.each(STEPS)('at chunk %i, from plain bytes to plain bytes', async (step) => {
    const { client, server } = createPair();
    const echo = server.byteStream();
    const echoing = outcome(pipeline(echo, failingStage(step), echo));
    const bytes = client.byteStream();
    const writing = outcome(pipeline(Readable.from(Array.from({ length: 12 }, () => CHUNK)), bytes));
    const reading = outcome(pipeline(bytes, failingSink(Number.POSITIVE_INFINITY, 'write')));
    expect(await echoing).toBe(fault);
    expect(await reading).toBeInstanceOf(Error);
    await writing;
    await Promise.all([client.closeInfo, server.closeInfo]);
  });
});

describe('a loop whose body throws', () => {
  const bodies: Record<string, (conn: WsConnection) => Promise<void>> = {
    frames: async (conn) => {
      for await (const _ of conn) throw fault;
    },
    messages: async (conn) => {
      for await (const _ of conn.messages()) throw fault;
    },
    'half a message': async (conn) => {
      for await (const message of conn.messages()) for await (const _ of message) throw fault;
    },
    fragments: async (conn) => {
      for await (const _ of conn.fragments()) throw fault;
    },
  };

  it.each(Object.keys(bodies))('over %s leaves the connection as it was', async (name) => {
    const { client, server } = createPair();
    const sent = Promise.all([client.sendBinary(Buffer.alloc(50_000)), client.sendText('behind')]);
    expect(await outcome(bodies[name]!(server))).toBe(fault);
    expect(server.isOpen()).toBe(true);
    const texts: string[] = [];
    const reading = (async () => {
      for await (const message of server.messages()) if (message.type === 'text') texts.push(await message.text());
    })();
    await sent;
    expect(await client.close()).toMatchObject({ code: 1000, wasClean: true });
    await reading;
    expect(texts).toEqual(['behind']);
  });
});
