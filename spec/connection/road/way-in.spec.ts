import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WayIn, type WayInOwner } from '../../../lib/connection/road/way-in.ts';
import type { ProtocolError } from '../../../lib/errors.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { serializeFrame } from '../../../lib/protocol/frame-serializer.ts';
import { PLAN } from '../../support/road-plan.ts';
import { memoryPair } from '../../support/sockets.ts';

/** Notes what a way tells. */
class Log implements WayInOwner {
  readonly story: string[] = [];
  readonly way: WayIn;
  readonly handlers = {
    receive: (frame: WsFrame): void => void this.story.push(frame.payloadText()),
    violated: (error: ProtocolError): void => void this.story.push(error.code),
  };

  constructor(socket: Duplex, head?: Uint8Array) {
    this.way = new WayIn(socket, PLAN, this);
    this.way.start(head);
  }

  inboundEnded(error?: ProtocolError): void {
    this.story.push(`ended ${error?.code ?? 'well'}`);
  }

  opened(): void {
    this.story.push('opened');
  }
}

const bytesOf = (text: string): Uint8Array => serializeFrame(WsFrame.text(text), { role: 'client' });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a way in', () => {
  it('opens at the first byte, rests when it is asked to, and opens again', async () => {
    const { client, server } = memoryPair();
    const { way, story } = new Log(server);
    expect([way.rest(), story]).toEqual([true, []]);
    client.write(bytesOf('one'));
    await turn();
    expect([way.rest(), way.rest()]).toEqual([true, true]);
    client.write(Buffer.concat([bytesOf('two'), bytesOf('three')]));
    await turn();
    expect(story).toEqual(['opened', 'one', 'opened', 'two', 'three']);
    expect([way.bytes, way.dataFrames]).toEqual([9 + 9 + 11, 3]);
    way.discard();
  });

  it('opens at once where bytes came with the handshake, and tells them in a later tick', async () => {
    const { client, server } = memoryPair();
    const { story } = new Log(server, bytesOf('head'));
    client.write(bytesOf('tail'));
    expect(story).toEqual(['opened']);
    await turn();
    expect(story).toEqual(['opened', 'head', 'tail']);
  });

  it.each<[string, Uint8Array]>([
    ['a frame', bytesOf('half').subarray(0, 7)],
    ['a header', bytesOf('half').subarray(0, 1)],
    ['a message', serializeFrame(new WsFrame(1, Buffer.from('half'), { isFinal: false }), { role: 'client' })],
  ])('does not rest inside %s', async (_name, bytes) => {
    const { client, server } = memoryPair();
    const { way, story } = new Log(server);
    client.write(bytes);
    await turn();
    expect(way.rest()).toBe(false);
    client.end();
    await turn();
    await turn();
    expect(story.at(-1)).toBe('ended WS_ERR_TRUNCATED');
  });

  it('does not rest while it is held', async () => {
    const { client, server } = memoryPair();
    const { way, story } = new Log(server);
    way.pause();
    expect([way.isPaused, way.rest(), story]).toEqual([true, false, ['opened']]);
    client.write(bytesOf('held'));
    await turn();
    expect(story).toEqual(['opened']);
    way.resume();
    await turn();
    expect([story, way.rest()]).toEqual([['opened', 'held'], true]);
    way.discard();
  });

  it('tells the end of the socket while it rests, and one that was there before', async () => {
    const { client, server } = memoryPair();
    const { story } = new Log(server);
    client.end();
    await once(server, 'end');
    await turn();
    expect(story).toEqual(['opened', 'ended well']);
    const late = new Log(server);
    await turn();
    await turn();
    expect(late.story).toEqual(['opened', 'ended well']);
  });

  it('tells the end in a later tick where the socket goes while it rests, and not where it was discarded', async () => {
    const { way, story } = new Log(memoryPair().server);
    way.finish();
    expect(story).toEqual([]);
    await turn();
    expect(story).toEqual(['ended well']);
    const discarded = new Log(memoryPair().server);
    discarded.way.discard();
    discarded.way.finish();
    await turn();
    expect(discarded.story).toEqual([]);
  });

  it('leaves no listener at the socket when it is discarded, open or not', async () => {
    const { client, server } = memoryPair();
    const before = server.eventNames();
    const { way } = new Log(server);
    way.discard();
    expect(server.eventNames()).toEqual(before);
    const open = new Log(server);
    client.write(bytesOf('one'));
    await turn();
    expect(open.story).toEqual(['opened', 'one']);
    open.way.discard();
    expect(server.eventNames()).toEqual(before);
  });
});
