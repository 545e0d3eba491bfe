import type { ClientHttp2Stream, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { Http2Answer } from '../../../lib/endpoint/http2/http2-answer.ts';
import { Refusal } from '../../../lib/endpoint/upgrade/refusal.ts';
import { http2Server, http2Session } from '../../support/http2.ts';

/** A stream from both sides, before it is answered. */
async function asked(method = 'POST'): Promise<{ theirs: ClientHttp2Stream; ours: ServerHttp2Stream }> {
  const { server, port } = await http2Server();
  const coming = new Promise<ServerHttp2Stream>((resolve) => server.once('stream', resolve));
  const session = await http2Session(`http://127.0.0.1:${port}`);
  const theirs = session.request({ ':method': method }, { endStream: false });
  theirs.on('error', () => {});
  return { theirs, ours: await coming };
}

const headOf = (stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> =>
  new Promise((resolve) => stream.once('response', resolve));
const closeOf = (stream: ClientHttp2Stream | ServerHttp2Stream): Promise<void> =>
  new Promise((resolve) => stream.once('close', resolve));

describe('Http2Answer', () => {
  it('accepts with 200 and the fields, without those that HTTP/2 has not', async () => {
    const { theirs, ours } = await asked();
    expect(
      new Http2Answer(ours).accept([
        ['Connection', 'Upgrade'],
        ['X-Y', '1'],
        ['x-y', '2'],
      ]),
    ).toBeUndefined();
    const head = await headOf(theirs);
    expect([head[':status'], head['x-y'], head.connection]).toEqual([200, '1, 2', undefined]);
    ours.destroy();
    await closeOf(theirs);
    expect(theirs.rstCode).toBe(8);
  });

  it('says why it could not accept, and can refuse then', async () => {
    const { theirs, ours } = await asked();
    const answer = new Http2Answer(ours);
    const refusal = answer.accept([
      ['Location', '/a'],
      ['Location', '/b'],
    ]);
    expect(refusal?.status).toBe(500);
    answer.refuse(refusal!);
    expect((await headOf(theirs))[':status']).toBe(500);
  });

  it('refuses in full, throws away what comes, and ends the stream without an error (RFC 9113 §8.1)', async () => {
    const { theirs, ours } = await asked();
    theirs.write(Buffer.alloc(1000));
    const refusal = new Refusal(403, 'no', {
      lines: [
        ['X-Why', 'because'],
        ['Upgrade', 'websocket'],
      ],
    });
    new Http2Answer(ours).refuse(refusal);
    const head = await headOf(theirs);
    expect(head).toMatchObject({ ':status': 403, 'x-why': 'because', 'content-type': 'text/plain; charset=utf-8' });
    const body = await new Promise((resolve) => theirs.setEncoding('utf8').once('data', resolve));
    expect(body).toBe('Forbidden: no\n');
    await closeOf(theirs);
    expect(theirs.rstCode).toBe(0);
  });

  it('cuts a peer that does not take the refusal', async () => {
    const { theirs, ours } = await asked();
    theirs.pause();
    new Http2Answer(ours).refuse(new Refusal(403, 'no', { body: Buffer.alloc(200_000) }));
    await closeOf(ours);
    expect(ours.rstCode).toBe(8);
  });

  it('destroys a stream that somebody has answered, and takes one that is gone', async () => {
    const { theirs, ours } = await asked();
    ours.respond({ ':status': 200 });
    new Http2Answer(ours).refuse(new Refusal(403, 'no'));
    await closeOf(theirs);
    new Http2Answer(ours).refuse(new Refusal(403, 'no'));
    expect(new Http2Answer(ours).accept([])?.status).toBe(500);
  });
});
