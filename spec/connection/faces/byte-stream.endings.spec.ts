/** However a byte stream ends, whoever watches it sees one end and one error at most, and the connection is over. */
import { type Duplex, PassThrough, Readable, Transform, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { ClosedError, ProtocolError } from '../../../lib/errors.ts';
import { meet, type NaivePeer, ROLES, turns } from '../../support/naive-peer.ts';
import { outcome } from '../../support/outcome.ts';

/** Counts what a stream tells of its end. */
function watch(stream: Duplex): Record<string, number> {
  const counts: Record<string, number> = { end: 0, finish: 0, error: 0, close: 0 };
  for (const event of Object.keys(counts)) stream.on(event, () => counts[event]!++);
  return counts;
}

/** The peer does its part of a close in either order: answers one, sends one, and ends the transport. */
async function closeWell(peer: NaivePeer): Promise<void> {
  peer.close(1000);
  peer.listen();
  if (peer.role === 'client') await peer.find(8);
  peer.fin();
}

type Act = (bytes: Duplex, peer: NaivePeer) => unknown;
type Result = string | (new (...args: never[]) => Error);

const PREMATURE = 'ERR_STREAM_PREMATURE_CLOSE';

/** Who ends first, and what `finished` and `pipeline` say then. */
const ENDINGS: readonly [name: string, act: Act, result: Result][] = [
  ['the peer closes', (_bytes, peer) => closeWell(peer), 'done'],
  [
    'the peer closes behind data',
    (_bytes, peer) => {
      peer.send(2, 'data');
      return closeWell(peer);
    },
    'done',
  ],
  ['the peer ends the transport', (_bytes, peer) => peer.fin(), ClosedError],
  [
    'the peer ends inside a message',
    (_bytes, peer) => {
      peer.send(2, 'half', false);
      peer.fin();
    },
    ClosedError,
  ],
  [
    'the peer ends inside a frame',
    (_bytes, peer) => {
      peer.raw(Buffer.of(0x82));
      peer.fin();
    },
    ClosedError,
  ],
  ['the peer cuts', (_bytes, peer) => peer.reset(), ClosedError],
  [
    'the peer breaks a rule',
    (_bytes, peer) => {
      peer.send(11);
      peer.fin();
    },
    ProtocolError,
  ],
  [
    'the peer sends a text',
    (_bytes, peer) => {
      peer.text('text');
      peer.fin();
    },
    ProtocolError,
  ],
  ['we destroy', (bytes) => bytes.destroy(), PREMATURE],
  ['we destroy with an error', (bytes) => bytes.destroy(new TypeError('enough')), TypeError],
];

/** A clean end by ourselves is one where `pipeline` does the ending. */
const OWN_END: (typeof ENDINGS)[number] = [
  'we end',
  async (bytes, peer) => {
    bytes.end();
    await peer.find(8);
    await closeWell(peer);
  },
  'done',
];

const ways: readonly [over: 'tcp' | 'memory', role: (typeof ROLES)[number]][] = ROLES.flatMap((role) => [
  ['memory', role] as const,
  ['tcp', role] as const,
]);

function expectResult(settled: unknown, result: Result): void {
  if (result === 'done') expect(settled).toBe('done');
  else if (typeof result === 'string') expect(settled).toMatchObject({ code: result });
  else expect(settled).toBeInstanceOf(result);
}

/** Plays an ending out: whoever watches has settled as expected, and nothing more can come. */
async function playOut(
  { conn, peer }: Awaited<ReturnType<typeof meet>>,
  bytes: Duplex,
  act: Act,
  settled: Promise<unknown>,
  result: Result,
): Promise<void> {
  await turns(2);
  await act(bytes, peer);
  peer.listen();
  expectResult(await settled, result);
  await conn.closeInfo;
  await turns();
}

describe.each(ways)('a byte stream ends once (%s, %s)', (over, role) => {
  it.each([...ENDINGS, OWN_END])('where it is read and %s', async (_name, act, result) => {
    const met = await meet(role, { over });
    const bytes = met.conn.byteStream();
    const counts = watch(bytes);
    const settled = outcome(finished(bytes));
    bytes.resume();
    await playOut(met, bytes, act, settled, result);
    const isClean = result === 'done';
    expect(counts).toMatchObject({
      error: isClean || result === PREMATURE ? 0 : 1,
      ...(isClean ? { end: 1, finish: 1 } : {}),
      close: 1,
    });
    expect(bytes.destroyed).toBe(true);
  });

  it.each(ENDINGS)('in pipeline(bytes, sink) where %s', async (_name, act, result) => {
    const met = await meet(role, { over });
    const bytes = met.conn.byteStream();
    const counts = watch(bytes);
    const sink = new Writable({ write: (_chunk, _encoding, done) => void setImmediate(done) });
    const settled = outcome(pipeline(bytes, sink));
    await playOut(met, bytes, act, settled, result);
    expect(counts).toMatchObject({ close: 1, error: result === 'done' || result === PREMATURE ? 0 : 1 });
    expect(sink.destroyed).toBe(true);
  });

  // What nobody reads is not judged: that a text has come is not known then.
  const unread: typeof ENDINGS = ENDINGS.map(([name, act, result]) => [
    name,
    act,
    name === 'the peer sends a text' ? ClosedError : result,
  ]);

  it.each(unread)('in pipeline(source, bytes), which nobody reads, where %s', async (_name, act, result) => {
    const met = await meet(role, { over, closeTimeoutMs: 60 });
    const bytes = met.conn.byteStream();
    const counts = watch(bytes);
    const source = new PassThrough();
    const settled = outcome(pipeline(source, bytes));
    source.write('something');
    // A source that has more to say is told that nobody hears it.
    await playOut(met, bytes, act, settled, result === 'done' ? ClosedError : result);
    expect(counts).toMatchObject({ close: 1, error: result === PREMATURE ? 0 : 1 });
    expect(source.destroyed).toBe(true);
  });

  it.each(ENDINGS)('in pipeline(bytes, stage, bytes) where %s', async (_name, act, result) => {
    const met = await meet(role, { over });
    const bytes = met.conn.byteStream();
    const counts = watch(bytes);
    const stage = new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) });
    const settled = outcome(pipeline(bytes, stage, bytes));
    await playOut(met, bytes, act, settled, result);
    expect(counts).toMatchObject({ close: 1, error: result === 'done' || result === PREMATURE ? 0 : 1 });
    expect(stage.destroyed).toBe(true);
  });

  const sources: [string, () => Readable][] = [
    ['a Readable', () => new Readable({ read: () => {} })],
    ['a PassThrough', () => new PassThrough()],
  ];

  it.each(sources)('in pipeline(%s that is silent, bytes), which somebody else reads', async (_name, createSource) => {
    const { conn, peer } = await meet(role, { over });
    const bytes = conn.byteStream();
    const source = createSource();
    const settled = outcome(pipeline(source, bytes));
    const chunks: Buffer[] = [];
    bytes.on('data', (chunk: Buffer) => chunks.push(chunk));
    peer.send(2, 'last');
    await closeWell(peer);
    expect(await settled).toBeInstanceOf(ClosedError);
    expect(Buffer.concat(chunks).toString()).toBe('last');
    expect([source.destroyed, bytes.readableEnded]).toEqual([true, true]);
  });

  it('in pipeline(bytes, stages, bytes), and waits for stages that take their time to end', async () => {
    const { conn, peer } = await meet(role, { over });
    const bytes = conn.byteStream();
    const slow = (): Transform =>
      new Transform({
        transform: (chunk, _encoding, done) => done(null, chunk),
        flush: (done) => void conn.closeInfo.then(() => setTimeout(done, 5)),
      });
    async function* generator(chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) yield chunk;
      await conn.closeInfo;
      await turns();
    }
    const settled = outcome(pipeline(bytes, slow(), slow(), generator, slow(), bytes));
    await turns(2);
    await closeWell(peer);
    expect(await settled).toBe('done');
  });

  it('carries an error of the source on: the connection is cut', async () => {
    const { conn, peer } = await meet(role, { over });
    const source = new PassThrough();
    const settled = outcome(pipeline(source, conn.byteStream()));
    source.destroy(new TypeError('the source failed'));
    expect(await settled).toBeInstanceOf(TypeError);
    expect(await conn.closeInfo).toMatchObject({ code: 1006, initiator: 'local' });
    expect(await peer.rest()).toEqual([]);
  });

  it('carries an error of the sink back: the connection is cut', async () => {
    const { conn, peer } = await meet(role, { over });
    const sink = new Writable({ write: (_chunk, _encoding, done) => done(new TypeError('full')) });
    const settled = outcome(pipeline(conn.byteStream(), sink));
    peer.send(2, 'one');
    expect(await settled).toBeInstanceOf(TypeError);
    expect(await conn.closeInfo).toMatchObject({ code: 1006, initiator: 'local' });
  });
});
