import { PassThrough, Transform } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { InboundLane } from '../../../lib/connection/road/inbound-lane.ts';
import { ProtocolError } from '../../../lib/errors.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { TextJudge } from '../../../lib/protocol/text-judge.ts';
import { type Act, stageOf, turns } from '../../support/stages.ts';

/** Takes a turn of the loop for each frame. */
const slow: Act = (frame, callback) => void setImmediate(() => callback(null, frame));
/** Fails at a frame. */
const failingAt = (text: string, error: Error, act: Act = (frame, callback) => callback(null, frame)): Act => {
  return (frame, callback, stage) => (frame.payloadText() === text ? callback(error) : act(frame, callback, stage));
};

interface Log {
  readonly decoder: PassThrough;
  readonly lane: InboundLane;
  readonly story: string[];
}

function laneOf(stages: Transform[], judge?: TextJudge, onFrame: (frame: WsFrame) => void = () => {}): Log {
  const decoder = new PassThrough({ objectMode: true });
  const story: string[] = [];
  const receive = (frame: WsFrame): void => {
    story.push(frame.payloadText());
    onFrame(frame);
  };
  const lane = new InboundLane(decoder, stages, judge, { receive }, (error) => {
    story.push(error === undefined ? 'end' : `${error.code} ${error.closeCode}`);
  });
  return { decoder, lane, story };
}

const send = (decoder: PassThrough, ...texts: string[]): void => {
  for (const text of texts) decoder.write(WsFrame.text(text));
};
const violation = (): ProtocolError => new ProtocolError('WS_ERR_RESERVED_OPCODE');

describe('what comes', () => {
  it('passes all stages in order, and then the end', async () => {
    const mark =
      (sign: string): Act =>
      (frame, callback) =>
        callback(null, WsFrame.text(frame.payloadText() + sign));
    const { decoder, story } = laneOf([stageOf(mark('1')), stageOf(slow), stageOf(mark('2'))]);
    send(decoder, 'a', 'b');
    decoder.end();
    await turns();
    expect(story).toEqual(['a12', 'b12', 'end']);
  });

  it('is held by its reader, through all stages', async () => {
    const { decoder, lane, story } = laneOf([stageOf(), stageOf()]);
    await turns();
    lane.last.pause();
    let written = 0;
    while (written < 1000 && decoder.write(WsFrame.text('a'))) {
      written++;
      await turns();
    }
    expect([story, written < 200]).toEqual([[], true]);
    lane.last.resume();
    await turns();
    expect(story.length).toBe(written + 1);
    lane.destroy();
  });

  it('is not handed over any more once it is let go', async () => {
    const log = laneOf([stageOf()], undefined, () => log.lane.destroy());
    send(log.decoder, 'a', 'b', 'c');
    await turns();
    expect([log.story, log.decoder.destroyed]).toEqual([['a'], true]);
  });
});

describe('a failure comes behind what came before it', () => {
  it.each<[string, Transform[]]>([
    ['one stage', [stageOf(slow)]],
    ['several', [stageOf(), stageOf(slow), stageOf(slow)]],
  ])('of the decoder, through %s', async (_name, stages) => {
    const { decoder, story } = laneOf(stages);
    send(decoder, 'a', 'b', 'c');
    await turns();
    send(decoder, 'd', 'e');
    await new Promise((resolve) => process.nextTick(resolve));
    decoder.destroy(violation());
    await turns();
    expect([story.at(-1), story.slice(0, 3)]).toEqual(['WS_ERR_RESERVED_OPCODE 1002', ['a', 'b', 'c']]);
    expect(stages.every(({ destroyed }) => destroyed)).toBe(true);
  });

  it.each<[string, Error, string]>([
    ['with a code of its own', new ProtocolError('WS_ERR_INVALID_UTF8'), 'WS_ERR_INVALID_UTF8 1007'],
    ['with any other error: 1011 (§7.4.1)', new Error('bug'), 'WS_ERR_EXTENSION 1011'],
  ])('of a stage, %s', async (_name, error, end) => {
    const stages = [stageOf(failingAt('bad', error)), stageOf(slow)];
    const { decoder, story } = laneOf(stages);
    send(decoder, 'a', 'b', 'bad', 'c');
    await turns();
    expect([story, decoder.destroyed]).toEqual([['a', 'b', end], true]);
  });

  it('of a stage nearer to the reader is the one that counts: it dealt with what came earlier', async () => {
    const late: Act = (_frame, callback) => void setImmediate(() => callback(new ProtocolError('WS_ERR_INVALID_UTF8')));
    const { decoder, story } = laneOf([stageOf(late)]);
    send(decoder, 'a');
    await new Promise((resolve) => process.nextTick(resolve));
    decoder.destroy(violation());
    await turns();
    expect(story).toEqual(['WS_ERR_INVALID_UTF8 1007']);
  });

  it('does not count as cut off because of what was cut off behind it', async () => {
    const stage = new Transform({
      objectMode: true,
      transform: (_frame, _encoding, callback) => callback(),
      flush: (callback) => callback(new ProtocolError('WS_ERR_TRUNCATED')),
    });
    const { decoder, story } = laneOf([stage]);
    send(decoder, 'a');
    await turns();
    decoder.destroy(violation());
    await turns();
    expect(story).toEqual(['WS_ERR_RESERVED_OPCODE 1002']);
  });

  it('of two stages tells of one, once', async () => {
    const stages = [stageOf(failingAt('bad', new Error('1'))), stageOf(slow), stageOf(failingAt('a', violation()))];
    const { decoder, story } = laneOf(stages);
    send(decoder, 'a', 'bad');
    await turns();
    expect(story).toEqual(['WS_ERR_RESERVED_OPCODE 1002']);
  });
});

describe('a stage that misbehaves fails, and hurts nobody', () => {
  it.each<[string, Act]>([
    [
      'throws',
      () => {
        throw new Error('thrown');
      },
    ],
    ['gives no frame', (_frame, callback) => callback(null, 'a string')],
    ['destroys itself without a word', (_frame, _callback, stage) => void stage.destroy()],
  ])('one that %s (§7.4.1)', async (_name, act) => {
    for (const stages of [[stageOf(act)], [stageOf(act), stageOf()], [stageOf(), stageOf(act)]]) {
      const { decoder, story } = laneOf(stages);
      send(decoder, 'a', 'b');
      await turns();
      expect([story, decoder.destroyed]).toEqual([['WS_ERR_EXTENSION 1011'], true]);
    }
  });

  it("but what a reader throws is the reader's own", async () => {
    const fault = new Error('of a listener');
    const log = laneOf([stageOf(), stageOf()], undefined, () => {
      throw fault;
    });
    await turns();
    expect(() => send(log.decoder, 'a')).toThrow(fault);
    await turns();
    expect(log.story).toEqual(['a']);
    log.lane.destroy();
  });
});

it('text is judged behind the last stage (§8.1)', async () => {
  const open: Act = (_frame, callback) => callback(null, new WsFrame(1, Buffer.of(0xff)));
  const { decoder, story } = laneOf([stageOf(open)], new TextJudge());
  send(decoder, 'a');
  await turns();
  expect(story).toEqual(['WS_ERR_INVALID_UTF8 1007']);
});
