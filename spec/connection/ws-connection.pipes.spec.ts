/** The connection in pipes and pipelines: ends and errors travel through them as users of Node's streams expect. */
import { PassThrough, Readable, Transform, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { ClosedError, ProtocolError } from '../../lib/errors.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { closeBody, isClose, meet, type NaivePeer, ROLES, turns } from '../support/naive-peer.ts';
import { outcome } from '../support/outcome.ts';
import { answerClose } from '../support/peer-endings.ts';
import { textSink } from '../support/text-sink.ts';

const uppercase = (): Transform =>
  new Transform({
    objectMode: true,
    transform(frame: WsFrame, _encoding, done) {
      done(null, frame.payloadText().toUpperCase());
    },
  });

describe.each(ROLES)('pipes (%s)', (role) => {
  it('echoes with conn.pipe(conn), and ends with the peer', async () => {
    const { conn, peer } = await meet(role);
    conn.pipe(conn);
    peer.text('a');
    peer.send(2, 'b');
    peer.text('c');
    peer.close(1000);
    const frames = [await peer.next(), await peer.next(), await peer.next()];
    expect(frames.map((frame) => [frame?.opcode, frame?.payload.toString()])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [1, 'c'],
    ]);
    expect(await peer.next()).toMatchObject(isClose(1000));
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ wasClean: true });
  });

  it('echoes ten messages of a megabyte with conn.pipe(conn), over TCP', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp' });
    conn.pipe(conn);
    const message = Buffer.alloc(1_000_000, 'm');
    const whole = peer.encode(2, message);
    for (let i = 0; i < 10; i++) peer.raw(whole);
    peer.close(1000);
    let bytes = 0;
    for (let frame = await peer.next(); frame?.opcode !== 8; frame = await peer.next()) bytes += frame!.payload.length;
    expect(bytes).toBe(10_000_000);
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ wasClean: true });
  });

  it('goes through pipeline(conn, transform, conn)', async () => {
    const { conn, peer } = await meet(role);
    const done = pipeline(conn, uppercase(), conn);
    for (const text of ['one', 'two', 'three']) peer.text(text);
    expect((await peer.next())?.payload.toString()).toBe('ONE');
    expect((await peer.next())?.payload.toString()).toBe('TWO');
    expect((await peer.next())?.payload.toString()).toBe('THREE');
    peer.close(1000);
    expect(await peer.next()).toMatchObject(isClose(1000));
    peer.fin();
    await done;
  });

  it('sends what a pipeline gives, closes with 1000 behind it, and the pipeline waits for the end', async () => {
    const { conn, peer } = await meet(role);
    const done = pipeline(
      Readable.from(['text', Buffer.from('binary'), new ArrayBuffer(3), WsFrame.text('frame')]),
      conn,
    );
    const frames = [await peer.next(), await peer.next(), await peer.next(), await peer.next()];
    expect(frames.map((frame) => [frame?.opcode, frame?.payload.toString()])).toEqual([
      [1, 'text'],
      [2, 'binary'],
      [2, '\0\0\0'],
      [1, 'frame'],
    ]);
    await answerClose(peer);
    await done;
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true, initiator: 'local' });
  });

  it('takes bytes in a plain pipe, each chunk a binary message', async () => {
    const { conn, peer } = await meet(role);
    const source = new PassThrough();
    source.pipe(conn);
    source.write('some bytes');
    expect(await peer.next()).toMatchObject({ opcode: 2, payload: Buffer.from('some bytes') });
    source.end();
    await answerClose(peer);
    expect(await conn.closeInfo).toMatchObject({ wasClean: true });
  });

  it('gives all messages to a slow pipeline, though close and FIN came behind them', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp' });
    const sent = Array.from({ length: 100 }, (_, i) => `message ${i}`);
    peer.raw(Buffer.concat([...sent.map((text) => peer.encode(1, text)), peer.encode(8, closeBody(1000))]));
    peer.fin();
    const texts: string[] = [];
    await pipeline(conn, textSink(texts));
    expect(texts).toEqual(sent);
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true });
  });

  const CUTS: readonly [string, (peer: NaivePeer) => void, typeof ClosedError | typeof ProtocolError][] = [
    ['a FIN', (peer) => peer.fin(), ClosedError],
    ['a reset', (peer) => peer.reset(), ClosedError],
    ['a violation', (peer) => void peer.send(11), ProtocolError],
  ];

  it.each(CUTS)('shows %s to pipeline(conn, writable), behind the messages', async (_name, cut, type) => {
    const { conn, peer } = await meet(role);
    const texts: string[] = [];
    const done = outcome(pipeline(conn, textSink(texts)));
    peer.text('a');
    peer.text('b');
    await turns();
    cut(peer);
    expect(await done).toBeInstanceOf(type);
    expect(texts).toEqual(['a', 'b']);
  });

  it.each(CUTS)('shows %s to pipeline(conn, async function), behind the messages', async (_name, cut, type) => {
    const { conn, peer } = await meet(role);
    const texts: string[] = [];
    const done = outcome(
      pipeline(conn, async (source: AsyncIterable<WsFrame>) => {
        for await (const frame of source) texts.push(frame.payloadText());
      }),
    );
    peer.text('a');
    await turns();
    cut(peer);
    expect(await done).toBeInstanceOf(type);
    expect(texts).toEqual(['a']);
  });

  it.each(CUTS)('shows %s to pipeline(readable, conn)', async (_name, cut, type) => {
    const { conn, peer } = await meet(role);
    const source = new PassThrough({ objectMode: true });
    const done = outcome(pipeline(source, conn));
    source.write('a');
    expect((await peer.next())?.payload.toString()).toBe('a');
    cut(peer);
    expect(await done).toBeInstanceOf(type);
    expect(source.destroyed).toBe(true);
  });

  it.each(CUTS)('shows %s to finished(conn)', async (_name, cut, type) => {
    const { conn, peer } = await meet(role);
    const done = outcome(finished(conn));
    cut(peer);
    peer.listen();
    expect(await done).toBeInstanceOf(type);
  });

  it('shows a clean close to a source that is still piped in: what it has is not wanted any more', async () => {
    const { conn, peer } = await meet(role);
    const source = new PassThrough({ objectMode: true });
    const done = outcome(pipeline(source, conn));
    peer.close(1000);
    expect(await peer.next()).toMatchObject(isClose(1000));
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ wasClean: true });
    expect(await done).toBeInstanceOf(ClosedError);
    expect(source.destroyed).toBe(true);
  });

  it('shows a clean close to a source that goes on writing, once the handshake has ended well', async () => {
    const { conn, peer } = await meet(role);
    const source = new PassThrough({ objectMode: true });
    const done = outcome(pipeline(source, conn));
    peer.close(1000);
    expect(await peer.next()).toMatchObject(isClose(1000));
    source.write('too late');
    await turns();
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true });
    expect(await done).toBeInstanceOf(ClosedError);
  });

  it('carries an error of the source on to the peer: the connection is cut', async () => {
    const { conn, peer } = await meet(role);
    const source = new PassThrough({ objectMode: true });
    const done = outcome(pipeline(source, conn));
    source.destroy(new Error('the source failed'));
    expect(await done).toMatchObject({ message: 'the source failed' });
    expect(await conn.closeInfo).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
    expect(await peer.rest()).toEqual([]);
  });

  it('carries an error of the sink back: the connection is cut', async () => {
    const { conn, peer } = await meet(role);
    const sink = new Writable({ objectMode: true, write: (_frame, _encoding, done) => done(new Error('full')) });
    const done = outcome(pipeline(conn, sink));
    peer.text('one');
    expect(await done).toMatchObject({ message: 'full' });
    expect(await conn.closeInfo).toMatchObject({ code: 1006, initiator: 'local' });
  });

  it('joins two connections with two pipes', async () => {
    const left = await meet(role);
    const right = await meet(role);
    left.conn.pipe(right.conn).pipe(left.conn);
    left.peer.text('to the right');
    right.peer.text('to the left');
    expect((await right.peer.next())?.payload.toString()).toBe('to the right');
    expect((await left.peer.next())?.payload.toString()).toBe('to the left');
    left.peer.close(1000);
    expect(await right.peer.next()).toMatchObject(isClose(1000));
    right.peer.close(1000);
    right.peer.fin();
    expect(await left.peer.next()).toMatchObject(isClose(1000));
    left.peer.fin();
    expect(await left.conn.closeInfo).toMatchObject({ wasClean: true, initiator: 'remote' });
    expect(await right.conn.closeInfo).toMatchObject({ wasClean: true, initiator: 'local' });
  });
});
