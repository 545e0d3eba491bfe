/** However a message that is written bit by bit ends, whoever watches it sees one end or one error, and nothing is left. */
import { PassThrough, type Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { ClosedError, ProtocolError } from '../../lib/errors.ts';
import { meet, type NaivePeer, ROLES, turns } from '../support/naive-peer.ts';
import { outcome } from '../support/outcome.ts';

interface Scene {
  readonly conn: WsConnection;
  readonly peer: NaivePeer;
  readonly message: Writable;
}

type Act = readonly [name: string, act: (scene: Scene) => unknown, result: unknown];

const PREMATURE = { code: 'ERR_STREAM_PREMATURE_CLOSE' };

/** What happens to the message, or to the connection, and what `finished` says of the message then. */
const OURS: readonly Act[] = [
  ['the message ends', ({ message }) => message.end('end'), 'done'],
  ['the message is destroyed', ({ message }) => message.destroy(), PREMATURE],
  ['the message is destroyed with an error', ({ message }) => message.destroy(new TypeError('no')), TypeError],
];
const THEIRS: readonly Act[] = [
  ['the connection is destroyed', ({ conn }) => conn.destroy(), ClosedError],
  ['the connection is destroyed with an error', ({ conn }) => conn.destroy(new TypeError('no')), ClosedError],
  ['the peer cuts', ({ peer }) => peer.reset(), ClosedError],
  ['the peer ends the transport', ({ peer }) => peer.fin(), ClosedError],
  ['the peer breaks a rule', ({ peer }) => peer.send(11), ProtocolError],
];
/** Closing waits for the message: it changes nothing. */
const CLOSINGS: readonly Act[] = [
  ['nothing', () => {}, undefined],
  ['we close', ({ conn }) => void conn.close(), undefined],
  ['we end', ({ conn }) => conn.end(), undefined],
  ['the peer closes', ({ peer }) => peer.close(1000), undefined],
];

function expectResult(settled: unknown, result: unknown): void {
  if (typeof result === 'function') expect(settled).toBeInstanceOf(result);
  else if (result === 'done') expect(settled).toBe('done');
  else expect(settled).toMatchObject(result as object);
}

describe.each(ROLES)('a message ends once (%s)', (role) => {
  const combinations = CLOSINGS.flatMap((closing) =>
    // Who has closed says nothing more that counts, and may end its side of the transport: it still listens.
    [...OURS, ...(closing[0] === 'the peer closes' ? THEIRS.slice(0, 3) : THEIRS)].map(
      (act) => [`${closing[0]}, then ${act[0]}`, closing, act] as const,
    ),
  );

  for (const way of ['finished', 'pipeline'] as const) {
    it.each(combinations)(`in ${way}, where %s`, async (_name, [, close], [, act, result]) => {
      const { conn, peer } = await meet(role, { over: 'tcp' });
      const reading = conn.recvFrame();
      const message = conn.createMessage('binary');
      const scene: Scene = { conn, peer, message };
      const counts: Record<string, number> = { finish: 0, error: 0, close: 0 };
      for (const event of Object.keys(counts)) message.on(event, () => counts[event]!++);
      const source = new PassThrough();
      const settled = outcome(way === 'finished' ? finished(message) : pipeline(source, message));
      if (way === 'finished') message.write('begun');
      else source.write('begun');
      await turns();
      close(scene);
      await turns();
      if (way === 'pipeline' && result === 'done') source.end('end');
      else act(scene);
      expectResult(await settled, result);
      peer.listen();
      if (close.length === 0 && result === 'done') void conn.close();
      if (!conn.destroyed && result === 'done') {
        await peer.find(8);
        peer.close(1000);
      }
      peer.fin();
      await conn.closeInfo;
      await reading;
      await turns();
      const hasError = result !== 'done' && result !== PREMATURE;
      expect(counts).toEqual({ finish: result === 'done' ? 1 : 0, error: hasError ? 1 : 0, close: 1 });
      if (way === 'pipeline') expect(source.destroyed).toBe(true);
    });
  }
});
