import { PassThrough, type Transform } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { OutboundLane } from '../../../lib/connection/road/outbound-lane.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { serializeFrame } from '../../../lib/protocol/frame-serializer.ts';
import { EncodedFrame, type TranslatingStage } from '../../../lib/stream/encoded-frame.ts';
import { FrameEncoder } from '../../../lib/stream/frame-encoder.ts';
import { type Act, stageOf, turns } from '../../support/stages.ts';

function laneOf(stages: Transform[]) {
  const encoder = new FrameEncoder({ role: 'server', writableHighWaterMark: 1, readableHighWaterMark: 1 });
  const story: string[] = [];
  const encode = (frame: WsFrame): number => {
    story.push(frame.isClose() ? `close ${frame.closeCode()}` : frame.payloadText());
    encoder.write(frame);
    return frame.payload.length;
  };
  const handlers = {
    roadDrained: () => void story.push('room'),
    giveUp: (error: Error, frame: WsFrame) => void story.push(`failed: ${error.message}, ${frame.closeCode()}`),
  };
  const lane = new OutboundLane(stages, encoder, handlers, { encode });
  return { lane, encoder, story };
}

const text = (content: string): WsFrame => WsFrame.text(content);

describe('a frame that is written', () => {
  it('passes all stages, and is through at once where they are quick', async () => {
    const mark =
      (sign: string): Act =>
      (frame, callback) =>
        callback(null, text(frame.payloadText() + sign));
    const { lane, encoder, story } = laneOf([stageOf(mark('1')), stageOf(mark('2'))]);
    encoder.resume();
    await turns();
    expect([lane.write(text('a')), lane.write(text('b')), lane.heldBytes]).toEqual([true, true, 0]);
    expect(lane.givenBytes).toBe(6);
    expect(story).toEqual(['a12', 'b12']);
    lane.end();
    await turns();
    expect(encoder.writableFinished).toBe(true);
  });

  it('is on its way until it is encoded, and then there is room, told once', async () => {
    const callbacks: (() => void)[] = [];
    const slow: Act = (frame, callback) => void callbacks.push(() => callback(null, frame));
    const { lane, encoder, story } = laneOf([stageOf(slow), stageOf()]);
    encoder.resume();
    expect([lane.write(text('abc')), lane.heldBytes]).toEqual([false, 3]);
    await turns();
    expect(story).toEqual([]);
    callbacks.shift()!();
    await turns();
    expect([story, lane.heldBytes]).toEqual([['abc', 'room'], 0]);
  });

  it('that comes to nothing leaves room, whichever stage swallows it', async () => {
    const swallow: Act = (_frame, callback) => void setImmediate(() => callback());
    for (const stages of [[stageOf(swallow)], [stageOf(swallow), stageOf()], [stageOf(), stageOf(swallow)]]) {
      const { lane, encoder, story } = laneOf(stages);
      encoder.resume();
      expect(lane.write(text('a'))).toBe(false);
      await turns();
      expect(story).toEqual(['room']);
    }
  });

  it('waits while the encoder is full, and no stage gives more', async () => {
    const { lane, encoder, story } = laneOf([stageOf((frame, callback) => callback(null, frame))]);
    const large = WsFrame.binary(Buffer.alloc(200_000, 'a'));
    lane.write(large);
    lane.write(text('behind'));
    await turns();
    expect([story.length, lane.heldBytes]).toEqual([1, 6]);
    encoder.resume();
    await turns();
    expect([story.slice(1), lane.heldBytes]).toEqual([['behind', 'room'], 0]);
  });

  it('is overtaken by a ping, not by a close (§5.5.1)', async () => {
    const slow: Act = (frame, callback) => void setImmediate(() => callback(null, frame));
    const { lane, encoder, story } = laneOf([stageOf(slow)]);
    encoder.resume();
    lane.write(text('a'));
    lane.write(WsFrame.close(1000));
    expect(lane.writePast(WsFrame.ping('p'))).toBe(true);
    await turns();
    expect(story).toEqual(['p', 'a', 'close 1000', 'room']);
  });
});

it('a ping that does not fit is told of when it does', async () => {
  const { lane, encoder, story } = laneOf([stageOf()]);
  lane.writePast(WsFrame.binary(Buffer.alloc(200_000)));
  expect(lane.writePast(WsFrame.ping('p'))).toBe(false);
  encoder.resume();
  await turns();
  expect(story.slice(1)).toEqual(['p', 'room']);
});

describe('a stage that fails is told of, and then only a close frame passes', () => {
  it.each<[string, Act, string]>([
    ['with an error', (_frame, callback) => callback(new Error('bug')), 'bug'],
    [
      'by throwing',
      () => {
        throw new Error('thrown');
      },
      'thrown',
    ],
    ['by giving no frame', (_frame, callback) => callback(null, 7), 'it gave something that is no frame'],
    ['by going without a word', (_frame, _callback, stage) => void stage.destroy(), 'a stage was destroyed'],
  ])('%s', async (_name, act, message) => {
    for (const stages of [[stageOf(act)], [stageOf(), stageOf(act)], [stageOf(act), stageOf()]]) {
      const { lane, encoder, story } = laneOf(stages);
      const bytes: Buffer[] = [];
      encoder.on('data', (chunk: Buffer) => bytes.push(chunk));
      lane.write(text('a'));
      await turns();
      expect(story).toEqual([`failed: an extension could not go on: ${message}, 1011`, 'room']);
      expect(stages.every(({ destroyed }) => destroyed)).toBe(true);
      lane.write(text('b'));
      lane.write(WsFrame.close(1011));
      lane.end();
      await turns();
      expect(Buffer.concat(bytes).equals(serializeFrame(WsFrame.close(1011), { role: 'server' }))).toBe(true);
      expect(encoder.writableFinished).toBe(true);
    }
  });
});

it('a lane that is let go says nothing more', async () => {
  const stages = [
    new PassThrough({ objectMode: true }),
    stageOf((frame, callback) => void setImmediate(() => callback(null, frame))),
  ];
  const { lane, story } = laneOf(stages);
  lane.write(text('a'));
  lane.destroy();
  await turns();
  expect([story, stages.every(({ destroyed }) => destroyed)]).toEqual([[], true]);
});

describe('a frame that carries its bytes', () => {
  const prepared = (content: string): EncodedFrame => new EncodedFrame(1, Buffer.from(content));
  const translating = (translate: TranslatingStage['translateEncoded']): Transform =>
    Object.assign(stageOf(), { translateEncoded: translate });

  it('does not go through the only stage, where that has at hand what comes out, and keeps its place', async () => {
    const stage = translating((frame) => (frame.payloadText() === 'b' ? prepared('B!') : undefined));
    const { lane, encoder, story } = laneOf([stage]);
    encoder.resume();
    const written = [text('b'), prepared('a'), prepared('b'), text('c')].map((frame) => lane.write(frame));
    expect(written).toEqual([true, true, true, true]);
    expect(story).toEqual(['b', 'a', 'B!', 'c']);
    expect([lane.givenBytes, lane.heldBytes]).toEqual([5, 0]);
  });

  it('goes through where something is before it, and where there are more stages', async () => {
    const callbacks: (() => void)[] = [];
    const slow: Act = (frame, callback) => void callbacks.push(() => callback(null, frame));
    const stage = Object.assign(stageOf(slow), { translateEncoded: () => prepared('wrong') });
    const { lane, story } = laneOf([stage]);
    expect([lane.write(text('a')), lane.write(prepared('b'))]).toEqual([false, false]);
    for (let call = callbacks.shift(); call !== undefined; call = callbacks.shift()) call();
    await turns();
    for (let call = callbacks.shift(); call !== undefined; call = callbacks.shift()) call();
    expect(story.filter((entry) => entry !== 'room')).toEqual(['a', 'b']);
    const two = laneOf([translating(() => prepared('wrong')), stageOf()]);
    two.lane.write(prepared('c'));
    expect(two.story).toEqual(['c']);
  });

  it('fails the connection, and not its sender, where the stage throws', async () => {
    const { lane, story } = laneOf([
      translating(() => {
        throw new Error('cannot');
      }),
    ]);
    lane.write(prepared('a'));
    expect(story).toEqual([]);
    await turns();
    expect(story).toEqual(['failed: an extension could not go on: cannot, 1011', 'room']);
  });
});
