import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WayOut, type WayOutOwner } from '../../../lib/connection/road/way-out.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { PLAN } from '../../support/road-plan.ts';
import { ByteCollector, memoryPair } from '../../support/sockets.ts';

class Log implements WayOutOwner {
  readonly story: string[] = [];
  readonly way: WayOut;
  readonly handlers = {
    roadDrained: (): void => void this.story.push('drained'),
    giveUp: (error: Error): void => void this.story.push(error.message),
  };

  constructor(socket: Duplex) {
    this.way = new WayOut(socket, PLAN, this);
    this.way.start();
  }

  opened(): void {
    this.story.push('opened');
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a way out', () => {
  it('opens at the first frame, rests when it is asked to, and counts on', async () => {
    const { client, server } = memoryPair();
    const { way, story } = new Log(server);
    const peer = new ByteCollector(client);
    expect([way.rest(), way.bytes, way.heldBytes, story]).toEqual([true, 0, 0, []]);
    for (const text of ['one', 'two', 'three']) {
      expect(way.writeNow(WsFrame.text(text))).toBe(true);
      expect([way.rest(), way.heldBytes]).toEqual([false, 2 + text.length]);
      await turn();
      expect([way.heldBytes, way.rest(), way.rest()]).toEqual([0, true, true]);
    }
    expect((await peer.read(17)).toString('latin1')).toBe('\x81\x03one\x81\x03two\x81\x05three');
    expect([way.bytes, way.acceptedBytes, way.dataFrames, story.length]).toEqual([17, 17, 3, 3]);
    way.finish();
  });

  it('does not rest while the socket takes nothing', async () => {
    const { client, server } = memoryPair();
    const { way, story } = new Log(server);
    while (way.write(WsFrame.binary(new Uint8Array(60_000)))) await turn();
    expect([way.rest(), way.heldBytes > 60_000, story]).toEqual([false, true, ['opened']]);
    client.resume();
    while (way.heldBytes > 0) await turn();
    expect([story, way.rest()]).toEqual([['opened', 'drained'], true]);
    way.finish();
  });

  it('ends while it rests, and takes nothing more', async () => {
    const { client, server } = memoryPair();
    const { way } = new Log(server);
    const peer = new ByteCollector(client);
    way.end();
    way.end();
    expect([way.hasEnded, way.rest(), way.writeNow(WsFrame.text('late')), way.write(WsFrame.text('late'))]).toEqual([
      ...[true, false, false, true],
    ]);
    expect((await peer.readAll()).length).toBe(0);
  });

  it('is over when the socket is, open or not', () => {
    const { way } = new Log(memoryPair().server);
    way.finish();
    expect([way.hasEnded, way.write(WsFrame.text('late')), way.encode(WsFrame.text('late'))]).toEqual([false, true, 0]);
    const open = new Log(memoryPair().server);
    open.way.write(WsFrame.text('early'));
    open.way.finish();
    expect(open.way.write(WsFrame.text('late'))).toBe(true);
  });

  it('remembers that a close frame was written (§5.5.1)', () => {
    const { way } = new Log(memoryPair().server);
    way.write(WsFrame.ping());
    expect(way.hasSentClose).toBe(false);
    way.write(WsFrame.close(1000));
    expect([way.hasSentClose, way.dataFrames]).toEqual([true, 0]);
    way.finish();
  });
});
